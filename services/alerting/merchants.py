"""What a merchant has to do, told in the channels of their store: what is theirs alone, and nothing else.

The channels of a store are those that are linked to it, and the alert channel of each workspace that is linked to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services import home
from services.alerting.decide import Facts
from services.model.alerts import Alert
from services.model.audiences import Kind
from services.model.findings import Finding, Owner, Verdict, worst_first
from services.model.text import Text, to_json
from services.model.workspaces import place, placed
from services.ports import Message, Transaction

ALERT, STEPS = "merchant_alert", "merchant_steps"
"""Kinds: an alert as its merchant sees it, which changes with it; and what somebody of the platform has sent, which stays."""
MOST_CERTIFICATES = 100
"""Certificates of one alert whose findings are gathered."""


def channels_of(tx: Transaction, store: str) -> tuple[str, ...]:
    """Return the channels of the store, each once, as `services.model.workspaces.placed` writes them."""
    links = tx.links.to(store)
    linked_ones = (link.who for link in links if link.kind is Kind.CHANNEL)
    chosen = (alert_channel(tx, link.who) for link in links if link.kind is Kind.WORKSPACE)
    return tuple(dict.fromkeys((*linked_ones, *(channel for channel in chosen if channel))))


def alert_channel(tx: Transaction, team: str) -> str:
    """Return the channel that was chosen for a workspace, as `placed` writes it; empty if there is none."""
    workspace = tx.workspaces.get(team)
    return placed(team, workspace.alert_channel) if workspace is not None and workspace.alert_channel else ""


def linked(tx: Transaction, channel: str, store: str) -> bool:
    """Tell whether the channel is one of the store's now."""
    if any(link.store == store for link in tx.links.of(Kind.CHANNEL, channel)):
        return True
    team, _ = place(channel)
    chosen = bool(team) and channel == alert_channel(tx, team)
    return chosen and any(link.store == store for link in tx.links.of(Kind.WORKSPACE, team))


def told(message: Message) -> Message:
    """Return a message for a channel of a store as one that is shown anew, and then hidden, once the channel is none any more."""
    team, _ = place(message.owed_to)
    links = (home.of_channel(message.owed_to), *((home.of_workspace(team),) if team else ()))
    return replace(message, follows=(*message.follows, *links))


def store_alone(facts: Facts) -> str:
    """Return the only store that an alert is about, if it is its merchant's move; empty if it is not, or there are several."""
    alert, members = facts.alert, facts.members
    if alert.owner is not Owner.MERCHANT or facts.tally.stores != 1 or not members:
        return ""
    return members[0].store


def put_alert(tx: Transaction, alert: Alert, store: str, now: datetime) -> None:
    """Tell of the alert in the store's channels, or edit what stands there."""
    for channel in channels_of(tx, store) if store and alert.said is not None else ():
        key, body = f"merchant:{alert.id}:{channel}", {"alert": alert.id, "store": store}
        message = replace(Message.in_channel(key, ALERT, channel, body, now), follows=(alert.id,))
        tx.outbox.put(told(message))


def changed(tx: Transaction, alert: Alert, now: datetime) -> None:
    """Let what merchants were told of the alert say how it is now: it is over, or about other stores as well."""
    if alert.owner is Owner.MERCHANT and alert.said is not None:
        tx.outbox.touch(alert.id, now)


def findings_for(
    tx: Transaction, certificates: Sequence[str], code: str = ""
) -> Mapping[str, tuple[Finding, ...]]:
    """Return by store what its merchant has to mend of these certificates, the worst first; ``code``: of this kind alone."""
    found: dict[str, tuple[Finding, ...]] = {}
    for one in tx.certificates.get_many(certificates[:MOST_CERTIFICATES]):
        saved = (*tx.certificates.findings(one.id), *((one.problem,) if one.problem is not None else ()))
        theirs = [f for f in saved if f.name in one.wanted and code in ("", f.code)]
        found[one.store] = worst_first(todo((*found.get(one.store, ()), *theirs)))
    return {store: some for store, some in found.items() if some}


def todo(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return those that are the merchant's to mend, each name's once."""
    mine = (f for f in findings if f.owner is Owner.MERCHANT and f.verdict in (Verdict.BLOCK, Verdict.WARN))
    return tuple({(f.code, f.name): f for f in mine}.values())


def put_steps(
    tx: Transaction, store: str, steps: Sequence[tuple[Text, Sequence[Text]]], request: str, now: datetime
) -> int:
    """Send what has to be done, (what was found, lines to copy) each, to the store's channels; return to how many.

    The same ``request`` again sends it once.
    """
    channels = channels_of(tx, store)
    body = {
        "store": store,
        "steps": [[to_json(found), [to_json(line) for line in lines]] for found, lines in steps],
    }
    for channel in channels:
        tx.outbox.put(Message.in_channel(f"steps:{request}:{store}:{channel}", STEPS, channel, body, now))
    return len(channels)
