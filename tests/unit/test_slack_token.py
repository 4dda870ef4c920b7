"""A token that Slack does not take is noticed at the start: logged, shown on /health, and told by webhooks."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.slack.clients import posting_client
from bot.slack.settings import SlackSettings
from bot.slack.token import TokenWatch
from services.alerting.selfcheck import Refused
from tests.unit.slack_world import NOW, FakeClock, SlackApi, no, ok


@pytest.fixture
def api() -> Iterator[SlackApi]:
    made = SlackApi()
    yield made
    made.stop()


def watch(api: SlackApi) -> tuple[TokenWatch, FakeClock]:
    clock = FakeClock()
    return TokenWatch(posting_client(SlackSettings(api_url=api.url, bot_token="nonsense")), clock), clock


def looked(one: TokenWatch) -> list[tuple[str, str]]:
    """Let it look; return what it logs, with the level."""
    with capture_logs() as logs:
        one.look()
    return [(entry["event"], entry["log_level"]) for entry in logs if entry["event"].startswith("slack.")]


@pytest.mark.parametrize("code", ["invalid_auth", "not_authed", "token_revoked", "account_inactive"])
def test_a_refused_token_is_logged_once_and_known_until_it_is_taken(api: SlackApi, code: str) -> None:
    api.tell("auth.test", no(code), no(code), ok(team_id="T1", user_id="U_BOT"))
    one, clock = watch(api)
    assert looked(one) == [("slack.token_refused", "error")]
    clock.now += timedelta(minutes=5)
    assert looked(one) == []
    known = [one.refused]
    assert looked(one) == [("slack.token_taken", "info")]
    known.append(one.refused)
    assert known == [Refused(code, NOW), None]
    assert looked(one) == []


def test_an_outage_proves_nothing_of_the_token(api: SlackApi) -> None:
    api.tell("auth.test", no("invalid_auth"), no("internal_error"))
    one, _ = watch(api)
    looked(one)
    assert looked(one) == [("slack.token_not_asked", "info")]
    assert one.refused == Refused("invalid_auth", NOW)
