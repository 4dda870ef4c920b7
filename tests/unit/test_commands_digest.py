"""The digest: at its local time, once, late rather than not at all, silent where there is nothing to say."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import messages
from commands.dispatch import dispatch
from commands.reply import Fields, Hint, Paragraph, Reply, Rows, Tone
from services.alerting import digest
from services.model.alerts import Severity
from services.model.lifecycle import State
from services.model.settings import Alerting
from services.ports import Message
from tests.desks import SUPPORT, Bench
from tests.unit.commands_world import DAY, POLICY, alert, desk_of, make_bench, only, put, sighting

NINE = datetime(2027, 2, 10, 9, 0, tzinfo=UTC)
"""A Wednesday."""
MINUTE = timedelta(minutes=1)


@pytest.fixture
def bench() -> Bench:
    made = make_bench()
    made.now = NINE
    return made


def edition(now: datetime, **policy: Any) -> str | None:
    found = digest.due(replace(POLICY, **policy), now)
    return None if found is None else found.key


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


# --- when ----------------------------------------------------------------------------------------------------------

TIMES = [
    ("2027-02-10T08:59:59+00:00", {}, None),
    ("2027-02-10T09:00:00+00:00", {}, "digest:daily:2027-02-10"),
    ("2027-02-10T20:59:59+00:00", {}, "digest:daily:2027-02-10"),
    ("2027-02-10T21:00:00+00:00", {}, None),
    # the weekly one takes the daily one's place
    ("2027-02-08T09:00:00+00:00", {}, "digest:weekly:2027-02-08"),
    ("2027-02-08T09:00:00+00:00", {"digest_weekly": "Tuesday"}, "digest:daily:2027-02-08"),
    ("2027-02-08T09:00:00+00:00", {"digest_weekly": ""}, "digest:daily:2027-02-08"),
    ("2027-02-08T09:00:00+00:00", {"digest_daily": ""}, "digest:weekly:2027-02-08"),
    ("2027-02-10T09:00:00+00:00", {"digest_daily": ""}, None),
    # late in the evening, found after midnight
    ("2027-02-11T03:00:00+00:00", {"digest_daily": "23:30"}, "digest:daily:2027-02-10"),
    # in Seoul the day has begun already
    ("2027-02-10T00:00:00+00:00", {"timezone": "Asia/Seoul"}, "digest:daily:2027-02-10"),
    ("2027-02-09T23:59:00+00:00", {"timezone": "Asia/Seoul"}, None),
    # in New York not yet
    ("2027-02-10T14:00:00+00:00", {"timezone": "America/New_York"}, "digest:daily:2027-02-10"),
    # the day of 23 hours (2027-03-14): 02:30 is left out, and comes as 03:30; nine is nine
    ("2027-03-14T07:29:00+00:00", {"timezone": "America/New_York", "digest_daily": "02:30"}, None),
    (
        "2027-03-14T07:30:00+00:00",
        {"timezone": "America/New_York", "digest_daily": "02:30"},
        "digest:daily:2027-03-14",
    ),
    ("2027-03-14T13:00:00+00:00", {"timezone": "America/New_York"}, "digest:daily:2027-03-14"),
    # the day of 25 hours (2027-11-07): 01:30 comes twice, the first time counts
    (
        "2027-11-07T05:30:00+00:00",
        {"timezone": "America/New_York", "digest_daily": "01:30"},
        "digest:daily:2027-11-07",
    ),
]


@pytest.mark.parametrize(("now", "policy", "key"), TIMES)
def test_a_digest_is_due_at_its_local_time(now: str, policy: dict[str, Any], key: str | None) -> None:
    assert edition(at(now), **policy) == key


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    st.sampled_from(["UTC", "Asia/Seoul", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]),
    st.sampled_from(["00:00", "02:30", "09:00", "23:59"]),
)
def test_the_time_of_a_digest_is_never_in_the_future_and_its_days_follow_each_other(
    now: datetime, zone: str, daily: str
) -> None:
    policy = Alerting(channel="C", timezone=zone, digest_daily=daily, digest_weekly="")
    found = digest.due(policy, now)
    if found is None:
        return
    assert found.since < found.at <= now < found.at + digest.LATE
    assert timedelta(hours=22) < found.at - found.since < timedelta(hours=26)
    before = digest.due(policy, found.since)
    assert before is not None
    assert before.at == found.since


# --- once ----------------------------------------------------------------------------------------------------------


def sent(bench: Bench, key: str = "digest:daily:2027-02-10") -> Message | None:
    with bench.storage.read() as tx:
        return tx.outbox.by_key(key)


def test_a_digest_is_put_once(bench: Bench) -> None:
    put(bench, alert(opened_at=NINE - 3 * MINUTE))
    desk = desk_of(bench)
    assert digest.owed(desk, NINE - MINUTE) is None
    assert not digest.put(desk, NINE - MINUTE)
    assert digest.owed(desk, NINE) == "digest:daily:2027-02-10"
    assert digest.put(desk, NINE)
    message = sent(bench)
    assert message is not None
    assert (message.kind, message.channel, message.version) == ("digest", "C_ALERTS", 1)
    assert bench.woken
    assert digest.owed(desk, NINE + MINUTE) is None
    assert not digest.put(desk, NINE + MINUTE)
    assert sent(bench) == message
    assert digest.owed(desk, NINE + DAY) == "digest:daily:2027-02-11"


def test_without_a_channel_there_is_no_digest(bench: Bench) -> None:
    put(bench, alert())
    assert digest.owed(desk_of(bench, channel=""), NINE) is None


def test_nothing_to_say_is_left_out_and_stays_left_out_for_the_day(bench: Bench) -> None:
    desk = desk_of(bench)
    assert not digest.put(desk, NINE)
    assert digest.owed(desk, NINE + MINUTE) is None
    put(bench, alert(opened_at=NINE + MINUTE))
    assert not digest.put(desk, NINE + 2 * MINUTE)
    assert sent(bench) is None
    assert digest.put(desk, NINE + DAY)


def test_nothing_to_say_is_said_if_so_set(bench: Bench) -> None:
    assert digest.put(desk_of(bench, digest_quiet=False), NINE)
    reply = shown(bench)
    assert reply.tone is Tone.GOOD
    assert reply.title.plain() == "The past day: no alerts"
    assert [part.text.plain() for part in only(reply, Paragraph)] == [
        "No certificate is due for renewal within 30 days."
    ]


def test_a_digest_that_another_process_has_put_meanwhile_is_not_put_again(bench: Bench) -> None:
    put(bench, alert())
    desk = desk_of(bench)

    class Racing:
        """The storage, in which somebody else is a moment faster."""

        def __getattr__(self, name: str) -> Any:
            if name == "write" and sent(bench) is None:
                assert digest.put(desk, NINE)
            return getattr(bench.storage, name)

    assert not digest.put(replace(desk, storage=Racing()), NINE)
    message = sent(bench)
    assert message is not None
    assert message.version == 1


# --- what ----------------------------------------------------------------------------------------------------------


def shown(bench: Bench, key: str = "digest:daily:2027-02-10") -> Reply:
    message = sent(bench, key)
    assert message is not None
    again = replace(message, body=json.loads(json.dumps(message.body)))  # as a database gives it back
    composed = messages.compose(desk_of(bench), again)
    assert composed.final
    return composed.reply


def everything(bench: Bench) -> None:
    """Make new, old and healed alerts, a certificate that needs support, a renewed one and one that will not be."""
    hour = timedelta(hours=1)
    put(bench, alert(opened_at=NINE - 3 * hour, members=412, most=412, severity=Severity.URGENT))
    old = {"opened_at": NINE - 3 * DAY, "earliest": NINE + 5 * DAY}
    put(bench, alert("dns.not_hosted", "a.test", id="alert_2", **old))
    put(bench, alert("dns.not_hosted", "b.test", id="alert_3", **(old | {"earliest": NINE + 3 * DAY})))
    put(bench, alert("ca.account", "ca", id="alert_4", **(old | {"earliest": None})))
    healed = {"opened_at": NINE - 5 * hour, "healed_at": NINE - 2 * hour}
    put(bench, alert("store.inactive", "moon", id="alert_5", **healed), 0)
    put(bench, alert("store.deleted", "sun", id="alert_6", opened_at=NINE - DAY, said=None))
    for name in ("shop.moon.test", "sun.test"):
        dispatch(f"add {name}", SUPPORT, bench.desk)
    bench.install("sun.test", not_before=NINE - hour, renew_at=NINE + DAY)
    bench.change("shop.moon.test", state=State.NEEDS_SUPPORT)
    certificate = bench.certificate("sun.test")
    with bench.storage.write() as tx:
        cause = alert("dns.caa_forbids", "sun.test")
        tx.alerts.put_sighting(sighting(cause, certificate=certificate.id, store="sun", name="sun.test"))


def test_a_digest_says_what_is_new_healed_open_and_to_come(bench: Bench) -> None:
    everything(bench)
    assert digest.put(desk_of(bench), NINE)
    reply = shown(bench)
    assert reply.tone is Tone.BAD
    assert reply.title.plain() == "The past day: 1 new, 1 healed, 4 open now"
    assert [part.text.plain() for part in only(reply, Paragraph)] == [
        "New:",
        "Healed:",
        "Open, by cause:",
        "Certificates that need a support agent: 1",
        "The one certificate that is due within 30 days will not renew.",
    ]
    lines = [f"{row.name} | {row.label} | {row.detail}" for part in only(reply, Rows) for row in part.rows]
    lame = "412 certificates: their zones are not served by ns1.platform.test"
    assert lines == [
        f"ns1.platform.test | Urgent | {lame}",
        "moon | after 3 hours | the store moon is inactive",
        f"ns1.platform.test | {lame} | whose move: the platform; 12 days left",
        "2 | their DNS left the platform | whose move: the merchant; 3 days left",
        "ca | the account at the CA ca is not usable | whose move: the certificate authority",
        "shop.moon.test | store moon | ",
        "1 certificate | because its CAA records forbid the CA | whose move: the merchant; 12 days left, first sun.test",
    ]
    [fields] = only(reply, Fields)
    assert [str(value) for _, value in fields.pairs] == [str(NINE - DAY), "1"]


def test_the_weekly_digest_speaks_of_the_week(bench: Bench) -> None:
    everything(bench)
    monday = NINE + 5 * DAY
    assert digest.put(desk_of(bench), monday)
    reply = shown(bench, "digest:weekly:2027-02-15")
    assert reply.title.plain() == "The past week: 1 new, 1 healed, 4 open now"
    assert only(reply, Fields)[0].pairs[0][1] == monday - 7 * DAY


def test_a_quiet_week_is_said_as_one(bench: Bench) -> None:
    monday = NINE + 5 * DAY
    assert digest.put(desk_of(bench, digest_quiet=False), monday)
    assert shown(bench, "digest:weekly:2027-02-15").title.plain() == "The past week: no alerts"


def test_long_lists_end_in_a_count(bench: Bench) -> None:
    for number in range(14):
        put(bench, alert("store.inactive", f"s{number}", id=f"alert_{number}", opened_at=NINE - MINUTE))
    assert digest.put(desk_of(bench), NINE)
    reply = shown(bench)
    assert reply.tone is Tone.WARN
    assert [part.text.plain() for part in only(reply, Hint)] == ["4 more are not shown here."]
    assert [len(part.rows) for part in only(reply, Rows)] == [10, 1]


@pytest.mark.parametrize("kind", ["support", "forecast"])
def test_a_certificate_that_needs_somebody_is_enough_for_a_digest(bench: Bench, kind: str) -> None:
    dispatch("add shop.moon.test", SUPPORT, bench.desk)
    bench.install("shop.moon.test", renew_at=NINE + DAY)
    if kind == "support":
        bench.change("shop.moon.test", state=State.NEEDS_SUPPORT)
    else:
        of = alert("dns.caa_forbids", "moon.test")
        with bench.storage.write() as tx:
            tx.alerts.put_sighting(sighting(of, certificate=bench.certificate("shop.moon.test").id))
    assert digest.put(desk_of(bench), NINE)
    assert shown(bench).tone is Tone.WARN


def test_a_fleet_too_large_to_count_has_no_number_of_renewals(bench: Bench) -> None:
    everything(bench)
    assert digest.put(desk_of(bench), NINE)
    message = sent(bench)
    assert message is not None
    body = {**message.body, "renewed": None}
    reply = messages.compose(desk_of(bench), replace(message, body=body)).reply
    assert len(only(reply, Fields)[0].pairs) == 1
