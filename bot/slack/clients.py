"""Slack Web API clients: one for questions, which may be asked again, and one for posting, where again means twice."""

import logging

from slack_sdk.http_retry import RetryHandler
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler
from slack_sdk.web import WebClient

from bot.slack.settings import SlackSettings

TIMEOUT = 10
"""Seconds that one Web API call may take."""


def wire_logger() -> logging.Logger:
    """Return the logger for Slack's own libraries, never below INFO: at DEBUG they log request bodies and tickets."""
    logger = logging.getLogger("bot.slack.wire")
    logger.setLevel(logging.INFO)
    return logger


def asking_client(settings: SlackSettings) -> WebClient:
    """Return a client for look-ups: a broken connection and a 429 are each tried once more."""
    return _client(settings, asking_retries())


def asking_retries() -> list[RetryHandler]:
    """Return what tries a look-up once more."""
    return [ConnectionErrorRetryHandler(max_retry_count=1), RateLimitErrorRetryHandler(max_retry_count=1)]


def posting_client(settings: SlackSettings) -> WebClient:
    """Return a client that never repeats a call by itself: the outbox decides when to try again."""
    return _client(settings, [])


def _client(settings: SlackSettings, retries: list[RetryHandler]) -> WebClient:
    return WebClient(
        token=settings.bot_token or None,
        base_url=settings.api_url,
        timeout=TIMEOUT,
        retry_handlers=retries,
        logger=wire_logger(),
    )
