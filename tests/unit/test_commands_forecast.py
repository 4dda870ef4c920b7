"""What will not renew: counted by cause, for the platform's people over all stores, for merchants over their own."""

from datetime import timedelta
from typing import Any

import pytest

from commands.dispatch import dispatch
from commands.reply import Hint, Rows, Tone
from services.alerting.forecast import foreseen
from services.model.alerts import Severity
from services.model.lifecycle import State
from tests.desks import MOON, NOW, STRANGER, SUPPORT, Bench
from tests.unit.commands_world import DAY, alert, desk_of, make_bench, only, sighting


@pytest.fixture
def bench() -> Bench:
    """Two certificates that are due in 60 days, one of each store."""
    made = make_bench()
    for name in ("shop.moon.test", "sun.test"):
        dispatch(f"add {name}", SUPPORT, made.desk)
        made.install(name, serial=name[:4])
    return made


def run(bench: Bench, text: str, caller: Any = SUPPORT) -> Any:
    return dispatch(text, caller, desk_of(bench), "C1")


def block(bench: Bench, name: str, code: str = "dns.not_hosted", **changes: Any) -> None:
    """Let the certificate of ``name`` suffer from a confirmed cause."""
    certificate = bench.certificate(name)
    held: dict[str, Any] = {
        "certificate": certificate.id,
        "store": certificate.store,
        "name": name,
        "deadline": certificate.not_after,
    }
    with bench.storage.write() as tx:
        tx.alerts.put_sighting(sighting(alert(code, name), **(held | changes)))


def test_what_is_not_due_yet_is_said(bench: Bench) -> None:
    outcome = run(bench, "forecast")
    assert (outcome.exit_code, outcome.reply.tone) == (0, Tone.GOOD)
    assert outcome.reply.title.plain() == "No certificate is due for renewal within 30 days"


def test_nothing_in_the_way_is_said(bench: Bench) -> None:
    outcome = run(bench, "forecast 90")
    assert outcome.reply.tone is Tone.GOOD
    assert outcome.reply.title.plain() == (
        "Nothing is in the way: certificates that will renew within 90 days: 2"
    )
    assert outcome.data["causes"] == []
    [hint] = outcome.reply.parts
    assert isinstance(hint, Hint)
    assert hint.text.plain() == (
        "A forecast is of what is installed. What waits for its first certificate, you see with: /ssl status"
    )


def test_what_will_not_renew_is_counted_by_cause_owner_and_margin(bench: Bench) -> None:
    block(bench, "shop.moon.test")
    outcome = run(bench, "forecast 90")
    assert outcome.reply.tone is Tone.WARN
    assert outcome.reply.private
    assert outcome.reply.title.plain() == "1 of 2 certificates that are due within 90 days will not renew"
    [rows] = only(outcome.reply, Rows)
    [row] = rows.rows
    assert (str(row.name), row.label.plain()) == ("1 certificate", "because its DNS left the platform")
    assert row.detail.plain() == "whose move: the merchant; 90 days left, first shop.moon.test"
    assert "/ssl status shop.moon.test" in only(outcome.reply, Hint)[-1].text.plain()
    assert outcome.data == {
        "days": 90,
        "until": "2027-05-11T14:03:00Z",
        "due": 2,
        "blocked": 1,
        "causes": [
            {
                "code": "dns.not_hosted",
                "owner": "merchant",
                "severity": "info",
                "certificates": 1,
                "earliest": "2027-05-11T14:03:00Z",
                "days_left": 90,
                "example": "shop.moon.test",
            }
        ],
    }


def test_one_certificate_and_one_day_are_said_as_such(bench: Bench) -> None:
    assert run(bench, "forecast 1").reply.title.plain().endswith("within 1 day")
    block(bench, "sun.test", "dns.lame", deadline=None)
    [rows] = only(run(bench, "forecast 397").reply, Rows)
    [row] = rows.rows
    assert row.label.plain() == "because its name servers do not serve its zone"
    assert row.detail.plain() == "whose move: the platform; such as sun.test"


def test_the_worst_margin_sets_the_tone(bench: Bench) -> None:
    block(bench, "shop.moon.test", "ca.rate_limited", deadline=NOW + timedelta(hours=30))
    block(bench, "sun.test", "ca.rate_limited", deadline=None)
    outcome = run(bench, "forecast 397")
    assert outcome.reply.tone is Tone.BAD
    [rows] = only(outcome.reply, Rows)
    [row] = rows.rows  # one cause is one line, whatever the margins
    assert (str(row.name), row.tone) == ("2 certificates", Tone.BAD)
    assert row.label.plain() == "because a rate limit of the CA is reached"
    assert row.detail.plain() == (
        "whose move: the certificate authority; 30 hours left, first shop.moon.test; 1 critical, 1 with more time"
    )
    assert {one["days_left"] for one in outcome.data["causes"]} == {1, None}
    assert {one["severity"] for one in outcome.data["causes"]} == {"critical", "info"}


def test_of_causes_of_as_many_certificates_the_graver_stands_first(bench: Bench) -> None:
    block(bench, "shop.moon.test", "ca.rate_limited", deadline=NOW + timedelta(days=20))
    block(bench, "sun.test", "store.inactive", deadline=NOW + timedelta(hours=30))
    [rows] = only(run(bench, "forecast 397").reply, Rows)
    assert [row.tone for row in rows.rows] == [Tone.BAD, Tone.WARN]


def test_merchants_are_told_of_their_own_stores_alone(bench: Bench) -> None:
    block(bench, "sun.test")
    outcome = run(bench, "forecast 90", MOON)
    assert outcome.reply.title.plain().endswith("within 90 days: 1")
    assert "sun" not in str(outcome)
    block(bench, "shop.moon.test")
    assert run(bench, "forecast 90", MOON).reply.title.plain() == (
        "The one certificate that is due within 90 days will not renew"
    )
    [rows] = only(run(bench, "forecast 90", MOON).reply, Rows)
    assert rows.rows[0].detail.plain().startswith("whose move: yours;")
    assert run(bench, "forecast", STRANGER).exit_code == 1


def test_what_is_not_confirmed_does_not_block_or_is_not_installed_does_not_count(bench: Bench) -> None:
    block(bench, "sun.test", confirmed=False)
    block(bench, "shop.moon.test", blocks=False)
    dispatch("add shop.sun.test", SUPPORT, bench.desk)
    assert run(bench, "forecast 90").data["blocked"] == 0


@pytest.mark.parametrize("given", ["0", "398", "-", "x", "1.5", "²", "9" * 40])
def test_days_are_a_number_in_reason(bench: Bench, given: str) -> None:
    outcome = run(bench, f"forecast -- {given}")
    assert outcome.exit_code == 2
    assert "from 1 to 397" in outcome.data["error"]


def test_one_number_is_enough_and_options_there_are_none(bench: Bench) -> None:
    assert run(bench, "forecast 1 2").exit_code == 2
    assert run(bench, "forecast --store moon").exit_code == 2


def test_a_use_case_refuses_days_that_are_out_of_range(bench: Bench) -> None:
    desk = desk_of(bench)
    with bench.storage.read() as tx, pytest.raises(ValueError, match="398"):
        foreseen(tx, desk.alerting, NOW, 398)


def test_a_long_forecast_counts_the_causes_that_it_does_not_show(bench: Bench) -> None:
    codes = [
        f"{family}.{kind}"
        for family, kinds in {
            "dns": (
                "lame",
                "servfail",
                "nxdomain",
                "no_address",
                "wrong_address",
                "wrong_ipv6",
                "caa_forbids",
            ),
            "access": ("unreachable", "refused", "wrong_server", "forbidden", "redirect_loop"),
            "ca": ("paused", "unavailable", "caa", "unauthorized", "account"),
            "store": ("inactive", "deleted"),
            "domain": ("expired", "on_hold"),
            "deploy": ("failed", "not_served"),
        }.items()
        for kind in kinds
    ]
    for code in codes:
        made = f"{code.replace('.', '-').replace('_', '-')}.test"
        bench.store(code, made)
        dispatch(f"add {made}", SUPPORT, bench.desk)
        bench.install(made, serial=code, renew_at=NOW + DAY, state=State.INSTALLED)
        block(bench, made, code)
    outcome = run(bench, "forecast")
    assert len(only(outcome.reply, Rows)[0].rows) == 20
    assert f"{len(codes) - 20} more are not shown here." in only(outcome.reply, Hint)[0].text.plain()
    assert len(outcome.data["causes"]) == len(codes)
    assert all(one["severity"] == Severity.INFO.name.lower() for one in outcome.data["causes"])
