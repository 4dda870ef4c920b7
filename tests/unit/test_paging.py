"""A webhook is told what to do from the alert's state alone, and can prove who sent it."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.alerting.paging import SUMMARY, Action, action, body, headers, summary
from services.model.alerts import Alert, Severity
from services.model.findings import Finding, Owner, Verdict
from services.model.settings import Hook
from services.model.text import say

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
PAGER = Hook("pager", "pagerduty", "https://events.pagerduty.test/v2/enqueue", "r" * 32)
OWN = Hook("own", "json", "https://hooks.test/", "hush")
LEAD = Finding(
    "dns.lame",
    Verdict.BLOCK,
    "shop.moon.test",
    Owner.PLATFORM,
    say("{server} does not answer for {zone}.", server="ns1.platform.test", zone="moon.test"),
    say("Platform: start it."),
    NOW,
    {"hosts": ["ns1.platform.test"]},
)
ALERT = Alert(
    id="alert_1",
    key="dns.lame ns1.platform.test",
    code="dns.lame",
    thing="ns1.platform.test",
    owner=Owner.PLATFORM,
    wide=True,
    opened_at=NOW - timedelta(hours=2),
    severity=Severity.URGENT,
    lead=LEAD,
    members=412,
    most=420,
    earliest=NOW + timedelta(days=5),
    channels=("C1",),
)
ACKED = replace(ALERT, acked_by="T1/U1", acked_at=NOW, acked=Severity.URGENT)
GATHERED = replace(ALERT, key="store.inactive *", code="store.inactive", thing="*", wide=False)
HEALED = replace(ALERT, healed_at=NOW, members=0)


def document(hook: Hook, alert: Alert) -> Any:
    return json.loads(body(hook, alert))


@pytest.mark.parametrize(
    ("alert", "wanted"),
    [
        (ALERT, Action.TRIGGER),
        (ACKED, Action.ACKNOWLEDGE),
        (replace(ACKED, severity=Severity.WARNING), Action.ACKNOWLEDGE),
        (replace(ACKED, severity=Severity.CRITICAL), Action.TRIGGER),
        (HEALED, Action.RESOLVE),
        (replace(ACKED, healed_at=NOW), Action.RESOLVE),
    ],
)
def test_what_becomes_of_the_incident(alert: Alert, wanted: Action) -> None:
    assert action(alert) is wanted
    assert document(PAGER, alert)["event_action"] == wanted.value
    assert document(OWN, alert)["action"] == wanted.value


def test_pagerduty_is_told_in_the_form_of_its_events_api() -> None:
    event = document(PAGER, ALERT)
    assert (event["routing_key"], event["dedup_key"]) == ("r" * 32, "alert_1")
    payload = event["payload"]
    assert payload["summary"] == (
        "ns1.platform.test: ns1.platform.test does not answer for moon.test. Certificates: 412, of which the first"
        " expires 2027-02-15 14:03 UTC."
    )
    assert (payload["source"], payload["severity"]) == ("certdesk", "error")
    assert payload["timestamp"] == "2027-02-10T12:03:00Z"
    assert (payload["component"], payload["group"], payload["class"]) == (
        "ns1.platform.test",
        "platform",
        "dns.lame",
    )
    assert payload["custom_details"]["remedy"] == "Platform: start it."
    assert event["links"][0]["href"].endswith("channel=C1")


def test_every_state_of_one_alert_has_the_same_key() -> None:
    assert {document(PAGER, alert)["dedup_key"] for alert in (ALERT, ACKED, HEALED)} == {"alert_1"}
    assert {document(OWN, alert)["id"] for alert in (ALERT, ACKED, HEALED)} == {"alert_1"}


@pytest.mark.parametrize("severity", list(Severity))
def test_every_severity_has_pagerdutys_word(severity: Severity) -> None:
    found = document(PAGER, replace(ALERT, severity=severity))["payload"]["severity"]
    assert found in {"info", "warning", "error", "critical"}


def test_a_long_summary_is_cut_where_pagerduty_would_refuse_it() -> None:
    lead = replace(LEAD, summary=say("{words}", words="x" * 3000))
    found = document(PAGER, replace(ALERT, lead=lead))["payload"]["summary"]
    assert len(found) == SUMMARY
    assert found.endswith("…")


def test_the_own_form_says_what_an_alert_is() -> None:
    assert document(OWN, ALERT) == {
        "version": 1,
        "action": "trigger",
        "id": "alert_1",
        "code": "dns.lame",
        "thing": "ns1.platform.test",
        "owner": "platform",
        "severity": "urgent",
        "opened_at": "2027-02-10T12:03:00Z",
        "healed_at": None,
        "summary": summary(ALERT).plain(),
        "name": "shop.moon.test",
        "found": "ns1.platform.test does not answer for moon.test.",
        "remedy": "Platform: start it.",
        "evidence": {"hosts": ["ns1.platform.test"]},
        "certificates": 412,
        "most_certificates": 420,
        "failures": 0,
        "first_expiry": "2027-02-15T14:03:00Z",
        "next_attempt_at": None,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "snoozed_until": None,
        "alert_version": 1,
    }


def test_the_same_state_has_the_same_body() -> None:
    assert body(OWN, ALERT) == body(OWN, replace(ALERT, fence=9, stirred=4))
    assert b"hush" not in body(OWN, ALERT)


def test_the_signature_covers_time_and_body() -> None:
    content = body(OWN, ALERT)
    found = headers(OWN, content, "msg_1.2", NOW)
    stamp = str(int(NOW.timestamp()))
    expected = hmac.new(b"hush", stamp.encode() + b"." + content, hashlib.sha256).hexdigest()
    assert found["X-Certdesk-Timestamp"] == stamp
    assert found["X-Certdesk-Signature"] == f"v1={expected}"
    assert found["X-Certdesk-Delivery"] == "msg_1.2"
    later = headers(OWN, content, "msg_1.2", NOW + timedelta(seconds=1))
    assert later["X-Certdesk-Signature"] != found["X-Certdesk-Signature"]
    assert "X-Certdesk-Signature" not in headers(PAGER, content, "msg_1.2", NOW)


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        (
            HEALED,
            "Healed: ns1.platform.test, where a listed name server does not answer for the zone.",
        ),
        (replace(ALERT, members=1), "ns1.platform.test: ns1.platform.test does not answer for moon.test."),
        (
            replace(ALERT, lead=None, members=3, earliest=None),
            "ns1.platform.test: a listed name server does not answer for the zone. Certificates: 3.",
        ),
        (
            GATHERED,
            (
                "Many at once: the store is inactive. Certificates: 412, of which the first expires 2027-02-15 14:03 UTC."
                " For example: ns1.platform.test does not answer for moon.test."
            ),
        ),
        (
            replace(GATHERED, earliest=None, lead=None),
            "Many at once: the store is inactive. Certificates: 412.",
        ),
        (replace(GATHERED, healed_at=NOW), "Healed, at all of them: the store is inactive."),
    ],
)
def test_summaries(alert: Alert, said: str) -> None:
    assert summary(alert).plain() == said
