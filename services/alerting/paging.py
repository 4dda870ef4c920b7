"""What outgoing webhooks are told of an alert: PagerDuty's Events API v2, and a signed JSON form of our own. Pure."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.model.alerts import Alert, Severity, collective_key
from services.model.clock import rfc3339
from services.model.findings import CODES, Finding
from services.model.settings import Hook
from services.model.text import Text, Value, say

SUMMARY = 1024
"""Characters that PagerDuty takes as the summary of an event."""
_SOURCE = "certdesk"
_GRADES: Mapping[Severity, str] = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.URGENT: "error",
    Severity.CRITICAL: "critical",
}
"""PagerDuty's word for each severity."""


class Action(StrEnum):
    """What becomes of the incident at the other side."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


def action(alert: Alert) -> Action:
    """Return what the alert's state means: an acknowledgement counts until the severity rises above it."""
    if not alert.open:
        return Action.RESOLVE
    acknowledged = alert.acked is not None and alert.severity <= alert.acked
    return Action.ACKNOWLEDGE if acknowledged else Action.TRIGGER


def body(hook: Hook, alert: Alert) -> bytes:
    """Return what is posted to ``hook``: JSON in UTF-8, the same for the same state of the alert."""
    document = _FORMS[hook.kind](hook, alert)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def headers(hook: Hook, content: bytes, delivery: str, now: datetime) -> Mapping[str, str]:
    """Return the headers that go with ``content``; ``delivery`` is the same each time the same state is sent again.

    For the kind json: X-Certdesk-Timestamp in Unix seconds and X-Certdesk-Signature as `signature` has it.
    """
    plain = {"Content-Type": "application/json", "User-Agent": "certdesk"}
    if hook.kind != "json":
        return plain
    stamp = str(int(now.timestamp()))
    return {
        **plain,
        "X-Certdesk-Delivery": delivery,
        "X-Certdesk-Timestamp": stamp,
        "X-Certdesk-Signature": signature(hook.secret, stamp, content),
    }


def signature(secret: str, stamp: str, content: bytes) -> str:
    """Return ``v1=`` and the lower-case hex of HMAC-SHA256(secret, stamp + "." + content)."""
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + content, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def summary(alert: Alert) -> Text:
    """Return what is wrong, where and how widely, in one sentence or two."""
    gathered = alert.key == collective_key(alert.code)
    if not alert.open:
        template = "Healed, at all of them: {meaning}." if gathered else "Healed: {thing}, where {meaning}."
        return say(template, thing=alert.thing, meaning=_meaning(alert))
    if gathered:
        return _gathered(alert)
    said = alert.lead.summary if alert.lead is not None else say("{meaning}.", meaning=_meaning(alert))
    if alert.members < 2:
        return say("{thing}: {said}", thing=alert.thing, said=said)
    if alert.earliest is None:
        return say(
            "{thing}: {said} Certificates: {count}.", thing=alert.thing, said=said, count=alert.members
        )
    return say(
        "{thing}: {said} Certificates: {count}, of which the first expires {when}.",
        thing=alert.thing,
        said=said,
        count=alert.members,
        when=alert.earliest,
    )


def _gathered(alert: Alert) -> Text:
    """Return the same for an alert that gathers many causes of one code: the count, and an example."""
    counted = say("{count}", count=alert.members)
    if alert.earliest is not None:
        counted = say("{count}, of which the first expires {when}", count=alert.members, when=alert.earliest)
    template = "Many at once: {meaning}. Certificates: {counted}."
    if alert.lead is None:
        return say(template, meaning=_meaning(alert), counted=counted)
    template = "Many at once: {meaning}. Certificates: {counted}. For example: {example}"
    return say(template, meaning=_meaning(alert), counted=counted, example=alert.lead.summary)


def _meaning(alert: Alert) -> Value:
    return CODES[alert.code].meaning.said() if alert.code in CODES else alert.code


def _pagerduty(hook: Hook, alert: Alert) -> dict[str, Any]:
    """Return an event (developer.pagerduty.com, Events API v2); the alert's id ties those of one incident together."""
    return {
        "routing_key": hook.secret,
        "event_action": action(alert).value,
        "dedup_key": alert.id,
        "client": "certdesk",
        "payload": {
            "summary": _short(summary(alert).plain(), SUMMARY),
            "source": _SOURCE,
            "severity": _GRADES[alert.severity],
            "timestamp": rfc3339(alert.opened_at),
            "component": alert.thing,
            "group": alert.owner.value,
            "class": alert.code,
            "custom_details": _details(alert),
        },
        "links": [
            {
                "href": f"https://slack.com/app_redirect?channel={channel}",
                "text": "The alert's channel in Slack",
            }
            for channel in alert.channels
        ],
    }


def _json(_: Hook, alert: Alert) -> dict[str, Any]:
    """Return our own form; docs/alerts.md describes each key."""
    return {
        "version": 1,
        "action": action(alert).value,
        "id": alert.id,
        "code": alert.code,
        "thing": alert.thing,
        "owner": alert.owner.value,
        "severity": alert.severity.name.lower(),
        "opened_at": rfc3339(alert.opened_at),
        "healed_at": rfc3339(alert.healed_at),
        "summary": summary(alert).plain(),
        **_details(alert),
    }


def _details(alert: Alert) -> dict[str, Any]:
    return {
        **_found(alert.lead),
        "certificates": alert.members,
        "most_certificates": alert.most,
        "failures": alert.failures,
        "first_expiry": rfc3339(alert.earliest),
        "next_attempt_at": rfc3339(alert.next_attempt),
        "acknowledged_by": alert.acked_by or None,
        "acknowledged_at": rfc3339(alert.acked_at),
        "snoozed_until": rfc3339(alert.snoozed_until),
        "alert_version": alert.version,
    }


def _found(lead: Finding | None) -> dict[str, Any]:
    if lead is None:
        return {"name": None, "found": None, "remedy": None, "evidence": {}}
    found = lead.as_json()
    return {
        "name": found["name"],
        "found": found["summary"],
        "remedy": found["remedy"],
        "evidence": found["evidence"],
    }


_FORMS: Mapping[str, Callable[[Hook, Alert], dict[str, Any]]] = {"pagerduty": _pagerduty, "json": _json}
"""Each kind of webhook and its document; a new one is a function and a line."""


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
