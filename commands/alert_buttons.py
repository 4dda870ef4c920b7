"""What can be clicked below an alert; what makes no sense as things stand is left out. Pure."""

from dataclasses import dataclass
from datetime import datetime

from commands import copying
from commands.reply import Button, Buttons, Menu, Part
from services.model.alerts import Alert, Severity
from services.model.findings import CODES, Owner
from services.model.text import say, say_n

CHECK, RENEW, ACKNOWLEDGE, SNOOZE = "alert.check", "alert.renew", "alert.ack", "alert.snooze"
HAND_OVER, LIST = "alert.hand_over", "alert.list"
RETRY_ONE, CHECK_ONE = "certificate.retry", "certificate.check"
CHOICES = (
    ("1d", say("1 day")),
    ("3d", say("3 days")),
    ("margin", say("until it gets graver")),
)
"""How long an alert can be snoozed: in the menu's value, and in words."""


def acknowledged(alert: Alert) -> bool:
    """Tell whether somebody acknowledged the alert as grave as it is now."""
    return alert.acked is not None and alert.severity <= alert.acked


def snoozed(alert: Alert, now: datetime) -> bool:
    """Tell whether the alert is to be quiet for now."""
    return alert.snoozed_until is not None and now < alert.snoozed_until


@dataclass(frozen=True, slots=True)
class Size:
    """How many certificates an alert is about."""

    count: int
    blocked: int
    """Those of them that cannot renew."""
    alone: int
    """So many one person may renew without another one's yes."""


def buttons(alert: Alert, now: datetime, size: Size, *, own: bool) -> tuple[Part, ...]:
    """Return the row of buttons of an open alert.

    ``own``: certdesk speaks of itself, so that there is no certificate to check, to renew or to hand over.
    """
    items = (
        *(() if own else _work(alert, size)),
        *(() if acknowledged(alert) else (Button(ACKNOWLEDGE, _value(alert), say("Acknowledge")),)),
        *(_snooze(alert) if _can_snooze(alert, now) else ()),
        *(() if own else _others(alert, size.count)),
    )
    return (Buttons(items),) if items else ()


def _value(alert: Alert) -> str:
    """Return what a click brings back: with an older version than the alert's it does nothing."""
    return f"{alert.id} {alert.version}"


def _work(alert: Alert, size: Size) -> tuple[Button, ...]:
    check = Button(CHECK, _value(alert), say("Check again"))
    if not size.blocked or (alert.code in CODES and CODES[alert.code].rule):
        return (check,)  # a rule of the business stops every try at once
    sure = None
    if size.count > size.alone:
        sure = say(
            "Ask for the renewal of {count:,} certificates? Another person of your role or above has to approve it.",
            count=size.count,
        )
    elif size.count > 1:
        sure = say_n(
            "Renew {count:,} certificate now?", "Renew {count:,} certificates now?", count=size.count
        )
    return check, Button(RENEW, _value(alert), say("Renew now"), "primary", sure)


def _can_snooze(alert: Alert, now: datetime) -> bool:
    quiet = acknowledged(alert) or snoozed(alert, now)
    return not quiet and alert.severity < Severity.CRITICAL


def _snooze(alert: Alert) -> tuple[Menu, ...]:
    options = tuple((f"{_value(alert)} {choice}", label) for choice, label in CHOICES)
    return (Menu(SNOOZE, say("Snooze"), options),)


def _others(alert: Alert, count: int) -> tuple[Button, ...]:
    sure = say("Hand this to support? They are told in their channel.")
    hand = (Button(HAND_OVER, _value(alert), say("Hand to support"), confirm=sure),)
    listed = (Button(LIST, _value(alert), say("List certificates")),)
    copy = (copying.button(copying.ALERT, _value(alert)),) if alert.owner is Owner.MERCHANT else ()
    return copy + (() if alert.handed_to else hand) + (listed if count > 1 else ())
