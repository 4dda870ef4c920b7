"""certdesk notices what is wrong with itself: work that stands still, messages that stay, deafness and a wrong clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.alerting.causes import causes_of
from services.alerting.selfcheck import (
    CLOCK,
    DEAF,
    STEP_LATE,
    UNDELIVERED,
    WORKER_SILENT,
    Check,
    Facts,
    Queue,
    Refused,
    checks,
    findings,
)

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
WELL = Facts(
    now=NOW,
    watch_due=NOW - DAY,
    watch_every=DAY,
    step_due=NOW - STEP_LATE,
    last_heartbeat=NOW - WORKER_SILENT,
    queues={"slack": Queue(NOW - UNDELIVERED, 3, NOW - UNDELIVERED), "webhook": Queue()},
    socket_mode=True,
    deaf_since=NOW - DEAF,
    clocks={"the database": CLOCK, "letsencrypt": -CLOCK},
)


def bad(facts: Facts) -> list[Check]:
    return [check for check in checks(facts) if not check.ok]


def test_what_is_just_in_time_is_in_order() -> None:
    assert bad(WELL) == []
    assert len(checks(WELL)) == 9
    assert findings(checks(WELL), NOW) == ()


def test_a_new_installation_only_lacks_a_worker() -> None:
    [check] = bad(Facts(NOW))
    assert (check.thing, check.code, check.since) == ("workers", "certdesk.stalled", None)
    assert check.text.plain() == "No worker has run with this database yet."


CASES: list[tuple[str, str, str, dict[str, object]]] = [
    (
        "certdesk.stalled",
        "workers",
        "since 2027-02-10 14:00 UTC",
        {"last_heartbeat": NOW - WORKER_SILENT - SECOND},
    ),
    ("certdesk.stalled", "certificates", "no worker has taken it up", {"step_due": NOW - STEP_LATE - SECOND}),
    ("certdesk.stalled", "watch", "since 2027-02-09", {"watch_due": NOW - DAY - SECOND}),
    (
        "certdesk.undelivered",
        "messages to Slack",
        "do not leave",
        {"queues": {"slack": Queue(NOW - UNDELIVERED - SECOND)}},
    ),
    (
        "certdesk.undelivered",
        "messages to webhooks",
        "have failed since",
        {"queues": {"webhook": Queue(None, 1, NOW - UNDELIVERED - SECOND)}},
    ),
    (
        "certdesk.undelivered",
        "Slack's token",
        "Slack refuses certdesk's token (invalid_auth): nobody is answered",
        {"token": Refused("invalid_auth", NOW)},
    ),
    ("certdesk.deaf", "Socket Mode", "through Socket Mode since", {"deaf_since": NOW - DEAF - SECOND}),
    (
        "certdesk.clock",
        "clock against the database",
        "about 120 seconds behind that of the database",
        {"clocks": {"the database": timedelta(seconds=122)}},
    ),
    (
        "certdesk.clock",
        "clock against letsencrypt",
        "about 120 seconds ahead of that of letsencrypt",
        {"clocks": {"letsencrypt": timedelta(seconds=-118)}},
    ),
    (
        "certdesk.clock",
        "clock against another worker",
        "about 300 seconds behind",
        {"last_heartbeat": NOW + timedelta(minutes=5)},
    ),
]


@pytest.mark.parametrize(("code", "thing", "words", "changes"), CASES, ids=[case[1] for case in CASES])
def test_each_fault_is_one_finding(code: str, thing: str, words: str, changes: dict[str, object]) -> None:
    [check] = bad(replace(WELL, **changes))  # type: ignore[arg-type]
    assert (check.code, check.thing) == (code, thing)
    assert words in check.text.plain()
    assert check.remedy.plain().startswith("On-call: ")
    [finding] = findings((check,), NOW)
    [found] = causes_of(None, [finding])
    assert (found.cause.code, found.cause.thing) == (code, thing)
    assert found.blocks
    assert found.certain


def test_what_is_wrong_reads_the_same_a_minute_later() -> None:
    """Or the alert's message would be edited every minute."""
    facts = replace(WELL, clocks={"the database": timedelta(seconds=122)}, watch_due=NOW - 3 * DAY)
    later = replace(
        facts,
        now=NOW + timedelta(minutes=1),
        step_due=NOW,
        last_heartbeat=NOW,
        queues={},
        deaf_since=None,
        clocks={"the database": timedelta(seconds=121)},
    )
    assert [check.text for check in bad(facts)] == [check.text for check in bad(later)]


def test_without_socket_mode_nobody_can_tell_whether_slack_is_heard() -> None:
    deaf = replace(WELL, socket_mode=False, deaf_since=NOW - DAY)
    assert "certdesk.deaf" not in {check.code for check in checks(deaf)}


def test_a_watch_with_a_very_short_period_is_given_time() -> None:
    facts = replace(WELL, watch_every=SECOND, watch_due=NOW - timedelta(minutes=4))
    assert bad(facts) == []
    assert [check.thing for check in bad(replace(facts, watch_due=NOW - timedelta(minutes=6)))] == ["watch"]
