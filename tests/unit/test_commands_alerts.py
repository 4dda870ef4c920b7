"""Alerts as people read them: the message by severity and size, its buttons, its thread, and the list on demand."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from babel import Locale

from bot.text.language import Language
from commands import messages
from commands.alert_words import CLAUSES, clause, noun
from commands.dispatch import dispatch
from commands.reply import Fields, Hint, Mention, Menu, Paragraph, Problem, Reply, Rows, Tone
from commands.spans import margin, number, span
from services.alerting.clicks import CHOICES
from services.model.alerts import Severity, collective_key
from services.model.findings import CODES
from services.model.text import say, to_json
from tests.desks import MOON, NOW, STRANGER, SUPPORT, Bench, finding
from tests.unit.commands_world import DAY, alert, clickable, desk_of, make_bench, only, owed, put

_S = Severity


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def composed(bench: Bench, *, ts: str | None = "1.2", channel: str = "C_ALERTS", **policy: Any) -> Reply:
    message = owed("alert", {"alert": "alert_1"}, ts=ts, channel=channel)
    return messages.compose(desk_of(bench, **policy), message).reply


def fields(reply: Reply) -> dict[str, str]:
    """Return the fields of a reply as plain text."""
    pairs = [pair for part in only(reply, Fields) for pair in part.pairs]
    return {
        str(label): value if isinstance(value, str) else say("{v}", v=value).plain() for label, value in pairs
    }


# --- words ---------------------------------------------------------------------------------------------------------


def test_every_code_has_a_clause_for_one_and_for_many() -> None:
    assert set(CLAUSES) == set(CODES)
    for code in CODES:
        for many in (True, False):
            said = clause(code, "thing.test", many=many, wide=True).plain()
            assert said
            assert said[0] != " "
            assert "{" not in said
            assert clause(code, many=many).plain()


@pytest.mark.parametrize(
    ("code", "thing", "wide", "said"),
    [
        ("store.inactive", "moon", False, "the store moon"),
        ("store.inactive", "*", False, "several stores"),
        ("dns.lame", "ns1.platform.test", True, "ns1.platform.test"),
        ("dns.lame", "moon.test", False, "the servers of moon.test"),
        ("dns.lame", "*", True, "several domains"),
        ("ca.unavailable", "letsencrypt", True, "the CA letsencrypt"),
        ("ca.rate_limited", "CA", True, "the CA"),
        ("ca.paused", "moon.test", False, "moon.test"),
        ("deploy.not_served", "edge", True, "the edge"),
        ("domain.expired", "*", False, "several domains"),
        ("certdesk.clock", "certdesk", True, "certdesk"),
    ],
)
def test_what_is_broken_is_a_noun(code: str, thing: str, wide: bool, said: str) -> None:
    assert noun(code, thing, wide=wide).plain() == said


def test_an_alias_of_the_platforms_that_points_elsewhere_is_named() -> None:
    assert clause("dns.wrong_address", "edge.platform.test", wide=True).plain() == (
        "edge.platform.test points elsewhere"
    )
    assert clause("dns.wrong_address", "moon.test").plain() == "they point elsewhere"
    assert clause("new.code", "x").plain() == "new.code"


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(days=12, hours=3), "12 days"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(seconds=-5), "less than a minute"),
    ],
)
def test_lengths_of_time(length: timedelta, said: str) -> None:
    assert span(length).plain() == said


def test_margins_and_numbers() -> None:
    assert margin(NOW + 5 * DAY, NOW).plain() == "5 days left"
    assert margin(NOW, NOW).plain() == "expired less than a minute ago"
    assert number(4210).plain() == "4,210"
    assert Language("de", "Deutsch", Locale("de")).plain(number(4210)) == "4.210"


# --- the message ---------------------------------------------------------------------------------------------------


def test_a_warning_of_one_certificate_says_all_there_is_to_know(bench: Bench) -> None:
    put(bench, alert())
    reply = composed(bench)
    assert reply.tone is Tone.WARN
    assert reply.title.plain() == (
        "Warning: shop0.test cannot renew: its zone is not served by ns1.platform.test"
    )
    [problem] = only(reply, Problem)
    assert (problem.code, problem.owner.plain()) == ("dns.lame", "the platform")
    assert fields(reply) == {
        "Since": "2027-02-10 11:03 UTC",
        "Found now": "ns1.platform.test REFUSED",
        "Required": "ns1.platform.test, ns2.platform.test",
        "Margin": "12 days left: 2027-02-22 14:03 UTC",
        "Failed attempts in a row": "2",
        "Next try or look by itself": "2027-02-10 15:03 UTC",
    }
    assert not only(reply, Rows)
    assert not only(reply, Mention)


def test_a_group_is_counted_with_its_stores_and_the_first_of_them_to_expire(bench: Bench) -> None:
    put(bench, alert(severity=_S.URGENT), 412)
    reply = composed(bench)
    assert reply.tone is Tone.BAD
    assert reply.title.plain() == (
        "Urgent: 412 certificates of 412 stores cannot renew: their zones are not served by ns1.platform.test"
    )
    assert fields(reply)["Certificates"] == "412, of 412 stores"
    assert fields(reply)["Margin"] == "12 days left for the first of them: 2027-02-22 14:03 UTC"
    [rows] = only(reply, Rows)
    assert [row.name for row in rows.rows] == ["shop0.test", "shop1.test", "shop2.test"]
    assert "For example, this was found at shop0.test:" in [p.text.plain() for p in only(reply, Paragraph)]


TITLES = [
    (
        {},
        {"store": "moon"},
        2,
        "2 certificates cannot renew: their zones are not served by ns1.platform.test",
    ),
    ({}, {"blocks": False}, 1, "shop0.test: its zone is not served by ns1.platform.test"),
    ({}, {"blocks": False}, 2, "2 certificates of 2 stores: their zones are not served by ns1.platform.test"),
    (
        {"earliest": None},
        {"deadline": None},
        1,
        "shop0.test cannot get its certificate: its zone is not served",
    ),
    ({"earliest": None}, {"deadline": None}, 2, "2 certificates of 2 stores cannot be issued: "),
    ({}, {"deadline": NOW - DAY}, 1, "shop0.test has expired and cannot renew: "),
    ({}, {"deadline": NOW - DAY}, 2, "2 certificates of 2 stores cannot renew, and some have expired: "),
]


@pytest.mark.parametrize(("changes", "member", "count", "said"), TITLES)
def test_the_title_says_who_suffers_and_from_what(
    bench: Bench, changes: dict[str, Any], member: dict[str, Any], count: int, said: str
) -> None:
    put(bench, alert(**changes), count, **member)
    assert said in composed(bench).title.plain()


def test_a_registration_that_has_ended_is_no_certificate_that_has(bench: Bench) -> None:
    put(bench, alert("domain.expired", "moon.test"), 1, deadline=NOW - DAY)
    reply = composed(bench)
    assert reply.title.plain() == "Warning: shop0.test cannot renew: its registration has expired"
    assert fields(reply)["Margin"].startswith("expired 24 hours ago")


def test_what_is_issued_and_not_served_was_renewed(bench: Bench) -> None:
    put(bench, alert("deploy.not_served", "edge"), 3)
    assert composed(bench).title.plain() == (
        "Warning: 3 certificates of 3 stores: they are not served by the edge"
    )


def test_many_causes_gathered_in_one_alert_are_said_as_many(bench: Bench) -> None:
    key = collective_key("dns.not_hosted")
    put(bench, alert("dns.not_hosted", "*", key=key, lead=None), 30)
    reply = composed(bench)
    assert reply.title.plain() == (
        "Warning: 30 certificates of 30 stores cannot renew: their DNS left the platform"
    )
    assert not only(reply, Problem)


EVIDENCE = [
    ({"found": {"a": ["1", "2"], "b": None}}, "a: 1 2, b: "),
    ({"found": "NXDOMAIN"}, "NXDOMAIN"),
    ({"found": []}, "none"),
    ({"found": [["a", 1], {"x": "y", "z": ""}]}, "a 1, y"),
    ({"found": [str(n) for n in range(9)]}, "0, 1, 2, 3, 4, 5, +3"),
]


@pytest.mark.parametrize(("evidence", "said"), EVIDENCE)
def test_evidence_of_any_shape_can_be_read(bench: Bench, evidence: dict[str, Any], said: str) -> None:
    lead = replace(finding("dns.no_address", "a.test"), evidence=evidence | {"wrong": [], "required": None})
    put(bench, alert(lead=lead))
    shown = fields(composed(bench))
    assert shown["Found now"] == said
    assert "Wrong" not in shown
    assert "Required" not in shown


def test_what_is_wrong_is_not_said_twice(bench: Bench) -> None:
    lead = replace(
        finding("dns.wrong_address", "a.test"),
        evidence={"found": ["192.0.2.9"], "wrong": ["192.0.2.9"], "required": ["203.0.113.10"]},
    )
    put(bench, alert(lead=lead))
    shown = fields(composed(bench))
    assert "Wrong" not in shown
    assert shown["Required"] == "203.0.113.10"


def test_a_certificate_that_only_a_person_starts_again_says_so(bench: Bench) -> None:
    put(bench, alert(next_attempt=None))
    assert fields(composed(bench))["Next try or look by itself"] == "none: certdesk waits for a person"


def test_an_alert_whose_members_went_a_moment_ago_is_still_shown(bench: Bench) -> None:
    put(bench, alert(), 0)
    assert composed(bench).title.plain().startswith("Warning: shop0.test: its zone")
    put(bench, alert("dns.lame", "ns2.platform.test", id="alert_2", lead=None), 0)
    message = owed("alert", {"alert": "alert_2"})
    assert "ns2.platform.test" in messages.compose(desk_of(bench), message).reply.title.plain()


def test_a_healed_alert_turns_green_is_final_and_has_no_buttons(bench: Bench) -> None:
    put(bench, alert(healed_at=NOW, most=412, severity=_S.CRITICAL), 0)
    shown = messages.compose(desk_of(bench), owed("alert", {"alert": "alert_1"}))
    assert shown.final
    assert shown.reply.tone is Tone.GOOD
    assert shown.reply.title.plain() == (
        "Healed: what was wrong with ns1.platform.test is gone, after 3 hours; nothing to do"
    )
    assert fields(shown.reply)["Certificates, at the most"] == "412"
    assert not clickable(shown.reply)
    assert not only(shown.reply, Mention)


def test_an_alert_that_is_not_there_any_more_ends_its_message(bench: Bench) -> None:
    shown = messages.compose(desk_of(bench), owed("alert", {"alert": "alert_9"}))
    assert shown.final
    assert shown.reply.title.plain() == "certdesk no longer knows this alert"


# --- whom it calls -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "ts", "groups"),
    [
        (_S.WARNING, None, []),
        (_S.URGENT, None, ["S0ONCALL"]),
        (_S.CRITICAL, None, ["S0ONCALL", "S0BOSS"]),
        (_S.CRITICAL, "1.2", []),
    ],
)
def test_the_first_post_calls_people_and_no_edit_does(
    bench: Bench, severity: Severity, ts: str | None, groups: list[str]
) -> None:
    put(bench, alert(severity=severity))
    reply = composed(bench, ts=ts)
    assert [group for part in only(reply, Mention) for group in part.groups] == groups
    assert isinstance(reply.parts[0], Mention) is bool(groups)


def test_nobody_is_called_without_groups_after_an_acknowledgement_or_in_the_channel_of_support(
    bench: Bench,
) -> None:
    put(bench, alert(severity=_S.URGENT, handed_to="T1/U2", channels=("C_ALERTS", "C_SUPPORT")))
    assert only(composed(bench, ts=None), Mention)
    assert not only(composed(bench, ts=None, channel="C_SUPPORT"), Mention)
    assert not only(composed(bench, ts=None, oncall_group=""), Mention)
    put(bench, alert("store.deleted", "sun", id="alert_2", severity=_S.URGENT, acked=_S.URGENT))
    message = owed("alert", {"alert": "alert_2"})
    assert not only(messages.compose(desk_of(bench), message).reply, Mention)


# --- its buttons ---------------------------------------------------------------------------------------------------

CHECK, RENEW, ACK = "alert.check", "alert.renew", "alert.ack"
SNOOZE, HAND, LIST = "alert.snooze", "alert.hand_over", "alert.list"
COPY = "alert.copy"
BUTTONS = [
    ({}, {}, 1, {CHECK, RENEW, ACK, SNOOZE, HAND}),
    ({}, {}, 2, {CHECK, RENEW, ACK, SNOOZE, HAND, LIST}),
    ({"acked": _S.WARNING, "acked_by": "T1/U1"}, {}, 1, {CHECK, RENEW, HAND}),
    ({"acked": _S.WARNING, "severity": _S.URGENT}, {}, 1, {CHECK, RENEW, ACK, SNOOZE, HAND}),
    ({"severity": _S.CRITICAL}, {}, 1, {CHECK, RENEW, ACK, HAND}),
    ({"snoozed_until": NOW + DAY, "snoozed_by": "T1/U1"}, {}, 1, {CHECK, RENEW, ACK, HAND}),
    ({"snoozed_until": NOW - DAY, "snoozed_by": "T1/U1"}, {}, 1, {CHECK, RENEW, ACK, SNOOZE, HAND}),
    ({}, {"blocks": False}, 1, {CHECK, ACK, SNOOZE, HAND}),
    ({"handed_to": "T1/U1"}, {}, 1, {CHECK, RENEW, ACK, SNOOZE}),
    (
        {"code": "store.inactive"},
        {},
        1,
        {CHECK, ACK, SNOOZE, HAND, COPY},
    ),  # a rule: to try would only be refused
    ({"code": "certdesk.stalled"}, {}, 1, {ACK, SNOOZE}),
    ({"code": "certdesk.stalled", "acked": _S.WARNING}, {}, 1, set()),
]


@pytest.mark.parametrize(("changes", "member", "count", "actions"), BUTTONS)
def test_buttons_that_make_no_sense_now_are_left_out(
    bench: Bench, changes: dict[str, Any], member: dict[str, Any], count: int, actions: set[str]
) -> None:
    put(bench, alert(**changes), count, **member)
    assert set(clickable(composed(bench))) == actions


def test_every_button_carries_the_alert_and_its_version(bench: Bench) -> None:
    put(bench, alert(), 2)
    for item in clickable(composed(bench)).values():
        values = [value for value, _ in item.options] if isinstance(item, Menu) else [item.value]
        assert all(value.split()[:2] == ["alert_1", "4"] for value in values)
        assert all(len(value) <= 150 for value in values)
    snooze = clickable(composed(bench))[SNOOZE]
    assert isinstance(snooze, Menu)
    assert [value.split()[2] for value, _ in snooze.options] == list(CHOICES)


def test_what_people_made_of_it_is_shown(bench: Bench) -> None:
    put(
        bench,
        alert(acked=_S.WARNING, acked_by="T1/U1", acked_at=NOW, snoozed_by="T1/U2", snoozed_until=NOW + DAY, handed_to="T1/U3"),
    )  # fmt: skip
    assert [part.text.plain() for part in only(composed(bench), Hint)] == [
        "Acknowledged by U1 at 2027-02-10 14:03 UTC: quiet until it gets graver.",
        "Snoozed by U2 until 2027-02-11 14:03 UTC, or until it gets graver.",
        "Handed to support by U3.",
    ]


def test_since_when_it_lasts_is_one_moment_before_and_after_it_healed(bench: Bench) -> None:
    made = put(bench, alert(), 1, first_seen=NOW - DAY)
    before = fields(composed(bench))["Since"]
    put(bench, replace(made, id="alert_2", key="dns.lame other", healed_at=NOW), 0)
    healed = messages.compose(desk_of(bench), owed("alert", {"alert": "alert_2"})).reply
    assert fields(healed)["From"] == before


def test_what_certdesk_finds_about_itself_counts_no_certificates(bench: Bench) -> None:
    put(bench, alert("certdesk.stalled", "certdesk"), 1, certificate="certdesk", deadline=None)
    reply = composed(bench)
    assert reply.title.plain() == "Warning: certificates are not looked at in time"
    assert set(fields(reply)) == {"Since"}
    healed = replace(alert("certdesk.clock", "certdesk", id="alert_2"), healed_at=NOW)
    put(bench, healed, 0)
    shown = messages.compose(desk_of(bench), owed("alert", {"alert": "alert_2"})).reply
    assert shown.title.plain() == "Healed: what was wrong with certdesk is gone, after 3 hours; nothing to do"
    assert "Certificates, at the most" not in fields(shown)


# --- its thread ----------------------------------------------------------------------------------------------------


def test_a_line_of_the_thread_says_what_happened_and_calls_people(bench: Bench) -> None:
    body = {"text": to_json(say("This is urgent now.")), "tone": "bad", "mention": ["S0ONCALL"]}
    shown = messages.compose(desk_of(bench), owed("alert_note", body))
    assert shown.final
    assert (shown.reply.tone, shown.reply.title.plain()) == (Tone.BAD, "This is urgent now.")
    assert [part.groups for part in only(shown.reply, Mention)] == [("S0ONCALL",)]


@pytest.mark.parametrize("tone", [tone.value for tone in Tone])
def test_a_long_line_stands_below_a_short_title(bench: Bench, tone: str) -> None:
    body = {"text": to_json(say("It lasts. {fix}", fix="x" * 200)), "tone": tone}
    reply = messages.compose(desk_of(bench), owed("alert_note", body)).reply
    assert len(reply.title.plain()) < 60
    assert "xxx" in only(reply, Paragraph)[0].text.plain()
    assert not only(reply, Mention)


# --- the list on demand --------------------------------------------------------------------------------------------


def run(bench: Bench, text: str, caller: Any = SUPPORT) -> Any:
    return dispatch(text, caller, desk_of(bench), "C1")


def test_open_alerts_are_listed_the_gravest_first(bench: Bench) -> None:
    put(bench, alert(acked=_S.WARNING, acked_by="T1/U1"))
    put(bench, alert("store.inactive", "moon", id="alert_2", severity=_S.CRITICAL))
    put(bench, alert("dns.not_hosted", "a.test", id="alert_3", snoozed_until=NOW + DAY, snoozed_by="T1/U1"))
    put(
        bench,
        alert("dns.caa_forbids", "b.test", id="alert_4", handed_to="T1/U1", earliest=None),
        deadline=None,
    )
    outcome = run(bench, "alerts")
    assert outcome.reply.private
    assert outcome.reply.tone is Tone.BAD
    assert outcome.reply.title.plain() == "Open alerts, the gravest first: 4"
    [rows] = only(outcome.reply, Rows)
    assert [row.name for row in rows.rows] == ["1", "2", "3", "4"]
    assert [row.detail.plain() for row in rows.rows] == [
        "12 days left",
        "12 days left (acknowledged by U1)",
        "12 days left (snoozed until 2027-02-11 14:03 UTC)",
        "handed to support by U1",
    ]
    listed = outcome.data["alerts"]
    assert [one["id"] for one in listed] == ["alert_2", "alert_1", "alert_3", "alert_4"]
    assert listed[1]["finding"]["code"] == "dns.lame"
    assert listed[1] | {"finding": None} == {
        "id": "alert_1",
        "code": "dns.lame",
        "thing": "ns1.platform.test",
        "owner": "platform",
        "severity": "warning",
        "title": "Warning: shop0.test cannot renew: its zone is not served by ns1.platform.test",
        "opened_at": "2027-02-10T11:03:00Z",
        "healed_at": None,
        "members": 1,
        "stores": 1,
        "blocked": 1,
        "earliest": "2027-02-22T14:03:00Z",
        "acknowledged_by": "T1/U1",
        "snoozed_until": None,
        "handed_to": None,
        "finding": None,
    }


def test_without_alerts_the_list_says_so(bench: Bench) -> None:
    outcome = run(bench, "alerts")
    assert outcome.reply.tone is Tone.GOOD
    assert outcome.data == {"alerts": []}


@pytest.mark.parametrize("given", ["1", "alert_1"])
def test_the_members_of_one_alert_are_listed_by_its_number_or_id(bench: Bench, given: str) -> None:
    put(bench, alert(), 25)
    outcome = run(bench, f"alerts {given}")
    [rows] = only(outcome.reply, Rows)
    assert len(rows.rows) == 20
    said = [part.text.plain() for part in only(outcome.reply, Hint)]
    assert said[0] == "5 more are not shown here."
    assert said[-1].endswith(": alert_1")
    [problem] = only(outcome.reply, Problem)
    assert (problem.owner.plain(), bool(problem.remedy.plain())) == ("the platform", True)
    assert len(outcome.data["certificates"]) == 25
    assert outcome.data["certificates"][0] == {
        "name": "shop0.test",
        "store": "store0",
        "blocks": True,
        "since": "2027-02-10T11:03:00Z",
        "deadline": "2027-02-22T14:03:00Z",
    }


def test_members_say_what_is_left_of_them(bench: Bench) -> None:
    put(bench, alert(), 1, deadline=NOW - DAY)
    [rows] = only(run(bench, "alerts 1").reply, Rows)
    assert (rows.rows[0].tone, rows.rows[0].detail.plain()[:20]) == (Tone.BAD, "expired 24 hours ago")
    put(bench, alert("dns.lame", "ns2.test", id="alert_2"), 1, deadline=None, blocks=False)
    [rows] = only(run(bench, "alerts alert_2").reply, Rows)
    assert (rows.rows[0].tone, rows.rows[0].detail.plain()) == (Tone.INFO, "nothing is installed yet")


def test_a_healed_alert_and_one_of_certdesk_itself_can_be_looked_at(bench: Bench) -> None:
    put(bench, alert(healed_at=NOW), 0)
    reply = run(bench, "alerts alert_1").reply
    assert reply.tone is Tone.GOOD
    assert reply.private
    put(bench, alert("certdesk.clock", "certdesk", id="alert_2"), 0)
    assert "/ssl status" not in str([p.text.plain() for p in only(run(bench, "alerts alert_2").reply, Hint)])


@pytest.mark.parametrize("given", ["0", "2", "alert_9", "²", "9" * 30])
def test_an_alert_that_is_not_there_is_said(bench: Bench, given: str) -> None:
    put(bench, alert())
    outcome = run(bench, f"alerts {given}")
    assert outcome.exit_code == 1
    assert "There is no alert" in outcome.data["error"]


def test_two_alerts_at_once_are_one_too_many(bench: Bench) -> None:
    assert run(bench, "alerts 1 2").exit_code == 2


@pytest.mark.parametrize("caller", [MOON, STRANGER])
def test_alerts_are_for_the_platforms_own_people(bench: Bench, caller: Any) -> None:
    put(bench, alert())
    outcome = run(bench, "alerts", caller)
    assert outcome.exit_code == 1
    assert "ns1" not in str(outcome)
    assert "alerts" not in [one["name"] for one in run(bench, "help", caller).data["commands"]]
    assert "/ssl alerts" not in str(run(bench, "help alerts", caller).reply)
    assert "alerts" not in str(run(bench, "frobnicate", caller).reply.parts)
