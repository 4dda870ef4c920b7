"""The tables of Slack workspaces; the rest of the schema is in storage.schema."""

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text

from storage.columns import METADATA, Key
from storage.moments import Moment

WORKSPACES = Table(
    "workspaces",
    METADATA,
    Column("team", Key, primary_key=True),
    Column("enterprise", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("bot_user", Text, nullable=False),
    Column("sealed_token", LargeBinary, nullable=False),
    Column("installed_by", Text, nullable=False),
    Column("installed_at", Moment, nullable=False),
    Column("sealed_refresh", LargeBinary),
    Column("expires_at", Moment),
    Column("state", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("alert_channel", Text, nullable=False, server_default=""),
)

SPENT = Table(
    "spent",
    METADATA,
    Column("token", Key, primary_key=True),
    Column("until", Moment, nullable=False),
)
