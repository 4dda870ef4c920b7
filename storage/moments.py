"""Column types of our own: aware UTC moments that refuse naive ones."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

from services.model.clock import aware


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, to the microsecond. A naive one raises ValueError where it enters.

    PostgreSQL keeps it as ``timestamp with time zone``, SQLite as sortable text in UTC, without a zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn what is about to be stored into UTC."""
        if value is None or value.tzinfo is UTC:
            return value
        return aware(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the zone back that SQLite does not keep, and UTC for the zone of PostgreSQL's session."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
