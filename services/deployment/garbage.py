"""Old keys on deploy targets: what was replaced some time ago or has expired unwanted, and nobody would put back, goes there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from services.deployment.delivering import owed, owner
from services.deployment.rollback import candidate
from services.desk import Desk
from services.model.certificates import NOT_SERVED, Certificate, Happening, Revision
from services.model.errors import DeployError
from services.model.lifecycle import State
from services.model.text import say
from services.ports import DeployTarget, Transaction

log = structlog.get_logger()

MOST = 50
"""The newest issued revisions of a certificate that are looked at: what is older was thrown away before."""
TAKEN_OFF = "taken_off"
"""The happening in the history: a name that nobody wants is served no more."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides which revisions a target need not keep."""

    now: datetime
    grace: timedelta
    """How long what was replaced is kept."""
    kept: frozenset[str]
    """Ids of what is installed, is on its way there, or can be rolled back to."""
    rolled_back_at: datetime | None = None
    """When what is installed was put back, in the place of newer ones; None: it was not."""


def garbage(revisions: Sequence[Revision], facts: Facts) -> tuple[Revision, ...]:
    """Return those of a certificate's ``revisions``, newest first, that no target need keep. Pure.

    One counts as replaced from when the next newer one was signed, or when an older one was put back in its place.
    What was never issued never lay on a target.
    """
    gone: list[Revision] = []
    replaced_at = facts.rolled_back_at
    for one in revisions:
        if one.chain is None or one.not_before is None:
            continue
        since = replaced_at
        replaced_at = one.not_before
        if one.id not in facts.kept and since is not None and facts.now >= since + facts.grace:
            gone.append(one)
    return tuple(gone)


def ended(
    revisions: Sequence[Revision], wanted: Collection[str], now: datetime, grace: timedelta
) -> tuple[str, ...]:
    """Return the names that are wanted no more and whose last certificate expired longer than ``grace`` ago, sorted. Pure."""
    ends: dict[str, datetime] = {}
    for one in revisions:
        if one.chain is not None and one.not_after is not None:
            for name in one.names:
                ends[name] = max(one.not_after, ends.get(name, one.not_after))
    return tuple(sorted(name for name, end in ends.items() if name not in wanted and now >= end + grace))


def collect(desk: Desk, targets: Sequence[DeployTarget], certificate: str) -> int:
    """Have every target throw away what it need not keep of the certificate; return how many revisions were offered to them.

    A name that is wanted no more is taken off first, once what is served for it has expired. Of what was replaced nothing is touched
    unless the certificate is installed on every target and nothing else is seen to be served. A target never throws away what a
    name there leads to, and one that fails is asked again the next time. Harmless when done twice at once.
    """
    now = desk.clock()
    with desk.storage.read() as tx:
        row = tx.certificates.get(certificate)
        if row is None or not row.resting:
            return 0
        revisions = [one for one in tx.certificates.revisions(row.id) if one.chain is not None][:MOST]
        gone = _replaced(desk, tx, row, revisions, targets)
    over = ended(revisions, row.wanted, now, desk.renewing.keep)
    serials = frozenset(one.serial for one in revisions if one.serial)
    for target in targets:
        for name in over:
            _take_off(desk, target, row, name, serials)
        _discard(target, gone)
    return len(gone)


def _replaced(
    desk: Desk,
    tx: Transaction,
    row: Certificate,
    revisions: Sequence[Revision],
    targets: Sequence[DeployTarget],
) -> tuple[Revision, ...]:
    """Return the certificate's revisions that no target need keep; of a retired one that is what has expired as well."""
    now, told = desk.clock(), row.rolled_back
    facts = Facts(now, desk.renewing.keep, frozenset(), told.at if told is not None else None)
    if row.state is State.RETIRED:  # what is served still a target keeps by itself
        over = [one for one in revisions if one.not_after is not None and now >= one.not_after + facts.grace]
        return (*over, *(one for one in garbage(revisions, facts) if one not in over))
    if not _settled(row, targets) or any(f.code == NOT_SERVED for f in tx.certificates.findings(row.id)):
        return ()
    if len(revisions) < 2:  # as long as nothing was ever replaced
        return ()
    back = candidate(desk, tx, row, now)
    kept = {row.installed or "", row.next or ""} | ({back.id} if isinstance(back, Revision) else set())
    return garbage(revisions, replace(facts, kept=frozenset(kept)))


def _settled(row: Certificate, targets: Sequence[DeployTarget]) -> bool:
    """Tell whether every target has what is installed, and nothing is on its way there."""
    if row.state is not State.INSTALLED or row.installed is None or row.unproved or row.revoked:
        return False
    return row.next is None and not owed(targets, row, row.installed)


def _take_off(
    desk: Desk, target: DeployTarget, row: Certificate, name: str, serials: Collection[str]
) -> None:
    """Have the target serve the name no more, if what it has for it is one of ours, and nobody wants the name meanwhile."""
    try:
        if target.current(name) not in serials or _wanted(desk, row.id, name):
            return
        target.remove(name)
    except DeployError as error:
        log.warning("not taken off", target=target.name, name=name, error=str(error))
        return
    now = desk.clock()
    details = say("{name} from {target}", name=name, target=target.name)
    with desk.storage.write() as tx:
        tx.certificates.record(Happening(row.id, now, TAKEN_OFF, state=row.state.value, details=details))


def _wanted(desk: Desk, certificate: str, name: str) -> bool:
    """Tell whether the certificate, or that of the store that has the name now, is for the name (again), or is being worked on."""
    with desk.storage.read() as tx:
        row = tx.certificates.get(certificate)
        if row is None or not row.resting or name in row.wanted:
            return True
        store = owner(tx, name)
        theirs = tx.certificates.of(store, row.domain) if store not in (None, row.store) else None
        return theirs is not None and name in theirs.wanted


def _discard(target: DeployTarget, revisions: Sequence[Revision]) -> None:
    for revision in revisions:
        try:
            target.discard(revision)
        except DeployError as error:
            log.warning("not thrown away", target=target.name, revision=revision.id, error=str(error))
            return
