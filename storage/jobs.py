"""The tables of jobs and their items; the rest of the schema is in storage.schema."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Table, Text

from storage.columns import METADATA, Key, where
from storage.moments import Moment
from storage.places import placed

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("total", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("run_after", Moment),
    Column("fence", BigInteger, nullable=False),
    Column("lease_until", Moment),
    Column("changed_by", Text, nullable=False),
    Column("since", Moment),
    Column("active", Float(53), nullable=False),
    Column("waits", Moment),
    Column("shown_at", Moment),
    Column("changed_role", Text, nullable=False, server_default=""),
    Column("workspace", Text, nullable=False, server_default=""),
    Column("store", Key, nullable=False, server_default=""),
    placed("jobs", "id"),
    Index("ix_jobs_due", "run_after", "id", **where("state = 'running'")),
)

JOB_ITEMS = Table(
    "job_items",
    METADATA,
    Column("job", Key, ForeignKey("jobs.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("store", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("certificate", Key, nullable=False),
    Column("state", Text, nullable=False),
    Column("before", Key, nullable=False),
    Column("code", Text, nullable=False),
    Column("place", BigInteger, nullable=False, server_default="0"),
    Index("ix_job_items_state", "job", "state", "number"),
    Index("ix_job_items_place", "job", "state", "place", "number"),
)
