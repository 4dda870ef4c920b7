"""Logging: structlog to standard error, as text for people or JSON for machines; never a secret or a whole payload."""

import logging
import sys
from collections.abc import Mapping

import structlog
from structlog.typing import Processor

from bot.config_keys import Log

QUIET = ("slack_bolt", "slack_sdk", "urllib3", "apscheduler", "waitress", "alembic", "acme", "werkzeug")
"""Libraries that speak of themselves, some with payloads: only their warnings are let through."""

_FILES: Mapping[str, Processor] = {
    "text": structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event")),
    "json": structlog.processors.JSONRenderer(),
}
"""How lines are written where no person watches; both keep a line a line, whatever a value holds."""


def set_up(keys: Log) -> None:
    """Send certdesk's log lines, and the libraries' warnings, to standard error."""
    level = logging.getLevelNamesMapping()[keys.level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # traces without local variables: those are keys and payloads
    if keys.format == "text" and sys.stderr.isatty():
        finish: list[Processor] = [
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        ]
    else:
        finish = [structlog.processors.format_exc_info, _FILES[keys.format]]
    structlog.configure(
        processors=[*shared, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
