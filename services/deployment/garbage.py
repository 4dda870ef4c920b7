"""Old keys on deploy targets: what was replaced some time ago, and nobody would put back, is thrown away there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.deployment.delivering import owed
from services.deployment.rollback import candidate
from services.desk import Desk
from services.model.certificates import NOT_SERVED, Certificate, Revision
from services.model.errors import DeployError
from services.model.lifecycle import State
from services.ports import DeployTarget

log = structlog.get_logger()

MOST = 50
"""The newest revisions of a certificate that are looked at: what is older was thrown away before."""


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


def collect(desk: Desk, targets: Sequence[DeployTarget], certificate: str) -> int:
    """Have every target throw away what it need not keep of the certificate; return how many revisions were offered to them.

    Nothing is touched unless the certificate is installed on every target and nothing else is seen to be served. A target never
    throws away what a name there leads to, and one that fails is asked again the next time. Harmless when done twice at once.
    """
    now = desk.clock()
    with desk.storage.read() as tx:
        row = tx.certificates.get(certificate)
        if row is None or not _settled(row, targets):
            return 0
        if any(f.code == NOT_SERVED for f in tx.certificates.findings(row.id)):
            return 0
        revisions = tx.certificates.revisions(row.id)[:MOST]
        if len(revisions) < 2:  # as long as nothing was ever replaced
            return 0
        back = candidate(desk, tx, row, now)
    kept = {row.installed or "", row.next or ""} | ({back.id} if isinstance(back, Revision) else set())
    told = row.rolled_back
    facts = Facts(now, desk.renewing.keep, frozenset(kept), told.at if told is not None else None)
    gone = garbage(revisions, facts)
    for target in targets:
        _discard(target, gone)
    return len(gone)


def _settled(row: Certificate, targets: Sequence[DeployTarget]) -> bool:
    """Tell whether every target has what is installed, and nothing is on its way there."""
    if row.state is not State.INSTALLED or row.installed is None or row.unproved or row.revoked:
        return False
    return row.next is None and not owed(targets, row, row.installed)


def _discard(target: DeployTarget, revisions: Sequence[Revision]) -> None:
    for revision in revisions:
        try:
            target.discard(revision)
        except DeployError as error:
            log.warning("not thrown away", target=target.name, revision=revision.id, error=str(error))
            return
