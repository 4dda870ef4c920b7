"""Check: the store trades. Certificates are issued and renewed for active stores only."""

from datetime import datetime

from services.checks.case import Case
from services.checks.rules import Report
from services.model.findings import Finding, Verdict
from services.model.stores import Store, StoreStatus
from services.model.text import Text, say

_STATUS: dict[StoreStatus, tuple[str, Text]] = {
    StoreStatus.INACTIVE: (
        "store.inactive",
        say("Make the store active again; certdesk then goes on by itself."),
    ),
    StoreStatus.DELETED: (
        "store.deleted",
        say("Restore the store, or add the domain to a store that exists."),
    ),
}


_WORDS = {StoreStatus.INACTIVE: say("inactive"), StoreStatus.DELETED: say("deleted")}


def check(case: Case) -> tuple[Finding, ...]:
    """Return what is wrong with the subject's store."""
    return decide(case.subject.name, case.subject.store, case.now)


def decide(name: str, store: Store | None, now: datetime) -> tuple[Finding, ...]:
    """Return a block if the store is inactive or deleted; a name without a store is another check's."""
    if store is None or store.status not in _STATUS:
        return ()
    code, remedy = _STATUS[store.status]
    summary = say(
        "The store {store} is {status}; no certificate is issued or renewed for {name}.",
        store=store.id,
        status=_WORDS[store.status],
        name=name,
    )
    found = Report(name, now).finding(
        code, Verdict.BLOCK, summary, remedy, store=store.id, status=store.status.value
    )
    return (found,)
