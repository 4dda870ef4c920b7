"""A certificate as a whole, as a list of many shows it: its label, what is in its way, and what a person can do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.desk import Desk
from services.issuance.preflight import evidence_of_change
from services.model.certificates import Certificate
from services.model.findings import Finding, Verdict, worst_first
from services.model.fleet import Excerpt
from services.model.lifecycle import State
from services.model.status import NameStatus
from services.model.text import Text
from services.overview import CANNOT_RENEW, LABELS, LASTING, label, next_attempt
from services.ports import Transaction
from services.renewal import asking


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a certificate stands."""

    certificate: Certificate
    label: Text
    findings: tuple[Finding, ...] = ()
    """What is not right, worst first: of all its names, and of the last attempt."""

    @property
    def blocked(self) -> bool:
        """Whether something is in the way of its issuance or its renewal."""
        return any(finding.blocks for finding in self.findings)

    @property
    def well(self) -> bool:
        """Whether it is installed, and nothing has to be done about it."""
        return self.certificate.state is State.INSTALLED and not self.findings

    @property
    def next_at(self) -> datetime | None:
        """When certdesk goes on with it by itself: the renewal, the next try or the next step; None: a person does."""
        return next_attempt(self.certificate)


def standings(tx: Transaction, excerpt: Excerpt, now: datetime) -> tuple[Standing, ...]:
    """Return where the certificates of a page stand."""
    shown = excerpt.certificates
    found = tx.certificates.findings_of([one.id for one in shown])
    return tuple(standing(one, found.get(one.id, ()), now) for one in shown)


def standing(certificate: Certificate, found: Sequence[Finding], now: datetime) -> Standing:
    """Return where a certificate stands, by its row and what the last look at it found. Pure."""
    problem = certificate.problem
    told = () if problem is None or certificate.state is State.CHECKING else (problem,)
    codes = {one.code for one in told}
    wrong = [one for one in found if one.verdict in {Verdict.BLOCK, Verdict.WARN} and one.code not in codes]
    findings = worst_first((*told, *wrong))
    text = label(certificate, now)
    ahead = text == LABELS[State.INSTALLED] and any(finding.blocks for finding in findings)
    return Standing(certificate, CANNOT_RENEW if ahead else text, findings)


def look_now(desk: Desk, certificate: Certificate, person: str) -> None:
    """Look at a certificate now because ``person`` (TEAM/USER) has changed something.

    What waits is tried again at once: it goes to the CA if the checks see nothing in the way any more. What is
    installed is only looked at. What is under way goes on as it is. Raises BusyError if a worker holds it all the time.
    """
    if certificate.state is not State.INSTALLED:
        asking.renew_one(desk, certificate, person)
        return
    with desk.storage.write() as tx:
        tx.watches.plan(certificate.id, desk.clock())
    desk.wake()


def look_again(desk: Desk, checked: NameStatus) -> bool:
    """Have the watch look at an installed certificate now if a check of one of its names has read something else than is known.

    The certificate itself stays as it is, and nothing is spent. Return whether that is so. What the watch finds is saved,
    shown wherever the certificate is, and told by alerts: a person who has checked need not wait a day for it.
    """
    certificate = checked.certificate
    if certificate is None or certificate.state is not State.INSTALLED:
        return False
    seen = tuple(finding for finding in checked.findings if finding.code not in LASTING)
    with desk.storage.read() as tx:
        known = [one for one in tx.certificates.findings(certificate.id) if one.name == checked.name]
    if not evidence_of_change(known, {checked.name: seen}):
        return False
    with desk.storage.write() as tx:
        tx.watches.plan(certificate.id, desk.clock())
    desk.wake()
    return True


def renew_now(desk: Desk, certificate: Certificate, person: str) -> None:
    """Start a renewal now, or join the one that is under way. Raises BusyError as above."""
    asking.renew_one(desk, certificate, person)
