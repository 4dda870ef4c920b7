"""The hand-over of a revision to the deploy targets: each for itself, so that one that fails keeps it from no other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.deployment import discretion
from services.issuance.causes import own
from services.issuance.move import Parts
from services.issuance.routing import target_turns
from services.model.certificates import Certificate, Placement, Revision
from services.model.errors import DeployError
from services.model.findings import Finding
from services.model.names import counts_as
from services.model.pacing import Breaker
from services.model.text import Item, Text, say
from services.ports import DeployTarget, Transaction
from services.renewal import breaker
from services.renewal.timing import fault_delay

TOGETHER = ", "
"""Stands between the targets of a finding that is about several."""
PATIENCE = 3
"""Tries within seconds before a certificate goes on without the targets that fail, if another one has it."""
OFTEN = 30
"""Tries at most a minute apart, before a target that lacks what others have is tried `RARELY`."""
RARELY = timedelta(minutes=15)
IN_PART = "deployed_in_part"
"""The happening in the history: some targets have it."""
DELIVERED = "delivered"
"""The happening in the history: the targets that lacked it have it now."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a target did not take a revision."""

    error: DeployError
    """As the merchant of the certificate reads it too: without names of other stores."""
    words: str
    """All that the target said, for the platform's own people."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a revision at the targets."""

    certificate: Certificate
    """With its placements as they are now."""
    held: tuple[str, ...]
    """The targets of app.yaml that have the revision, in their order."""
    failed: Mapping[str, Failure]
    """Target -> why it did not take the revision."""
    barred: Mapping[str, Breaker]
    """Target -> the breaker that says that it fails for others too, and that it is not this certificate's turn."""
    met: tuple[breaker.Met, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every target has the revision."""
        return not self.failed and not self.barred

    @property
    def owed(self) -> tuple[str, ...]:
        """The targets that lack it."""
        return (*self.failed, *self.barred)


def owed(
    targets: Sequence[DeployTarget], certificate: Certificate, revision: str
) -> tuple[DeployTarget, ...]:
    """Return the targets that were not given the revision last: one that failed, or that is new in app.yaml."""
    holders = certificate.holders(revision)
    return tuple(target for target in targets if target.name not in holders)


def still_theirs(parts: Parts, certificate: Certificate, revision: Revision) -> Revision:
    """Return the revision as it is for the certificate's own store: without the names that are another store's by now."""
    with parts.storage.read() as tx:
        names = tuple(name for name in revision.names if owner(tx, name) in (None, certificate.store))
    return replace(revision, names=names)


def owner(tx: Transaction, name: str) -> str | None:
    """Return the store that has the name; None for a name of nobody."""
    rows = (tx.stores.domain(one) for one in counts_as(name))
    return next((row.store for row in rows if row is not None), None)


def deliver(parts: Parts, certificate: Certificate, revision: Revision, key: str) -> Delivery:
    """Give the revision to each target that lacks it; ``key`` is its private key, PEM.

    A target that fails for several certificates is left to one of them at a time. A name that has become another store's is
    left to that store's own certificate.
    """
    theirs = still_theirs(parts, certificate, revision)
    lacking = owed(parts.targets, certificate, revision.id)
    barred, canary = target_turns(parts, certificate, tuple(target.name for target in lacking))
    failed: dict[str, Failure] = {}
    met: list[breaker.Met] = []
    placed = {one.target: one for one in certificate.placements}
    for target in lacking:
        if target.name in barred:
            continue
        thing = breaker.target_thing(target.name)
        try:
            if theirs.names:
                target.deploy(theirs, key)
        except DeployError as error:
            failed[target.name], detail = _read(parts, error, certificate)
            met.append(breaker.Met(thing, "deploy.failed", detail, canary=target.name in canary))
        else:
            placed[target.name] = Placement(target.name, revision.id, parts.clock())
            met.append(breaker.Met(thing))
    after = replace(certificate, placements=tuple(placed.values()))
    holders = after.holders(revision.id)
    held = tuple(target.name for target in parts.targets if target.name in holders)
    return Delivery(after, held, failed, barred, tuple(met))


def _read(parts: Parts, error: DeployError, certificate: Certificate) -> tuple[Failure, str]:
    """Return what a target said as its certificate's merchant may read it, and as all may who wait for the target."""
    words = str(error)
    with parts.storage.read() as tx:
        others = discretion.foreign(tx, words, certificate.store)
        anybodys = discretion.foreign(tx, words, None)
    told = DeployError(discretion.without(error.text, others))
    return Failure(told, words), breaker.discreet(discretion.bare(words, anybodys), certificate)


def undelivered(delivery: Delivery, name: str, now: datetime) -> Finding:
    """Return the finding that targets lack the certificate of ``name``: what they say, and where it is already."""
    if not delivery.failed:
        return _elsewhere(breaker.waiting(next(iter(delivery.barred.values())), name, now), delivery)
    error = next(iter(delivery.failed.values())).error
    remedy = (
        say(
            "On-call: mend the target; certdesk goes on trying it by itself, and what the other targets have is served there"
            " meanwhile."
        )
        if delivery.held
        else say(
            "On-call: mend the target; certdesk tries again within a minute, and the old certificate stays until then."
        )
    )
    said = own("deploy.failed", error, name, remedy, now, target=TOGETHER.join(sorted(delivery.failed)))
    reasons = [{"target": target, "error": why.words} for target, why in delivery.failed.items()]
    return _elsewhere(replace(said, evidence={**said.evidence, "found": reasons}), delivery)


def _elsewhere(finding: Finding, delivery: Delivery) -> Finding:
    """Return the finding with the targets that have the certificate already, if any."""
    if not delivery.held:
        return finding
    summary: Text = say(
        "{problem} These targets have the certificate already: {targets}.",
        problem=finding.summary,
        targets=delivery.held,
    )
    return replace(finding, summary=summary, evidence={**finding.evidence, "held": list(delivery.held)})


def again_at(parts: Parts, delivery: Delivery) -> datetime:
    """Return when a target that lacks the certificate is tried again: soon, later rarely, or when its breaker's turn comes."""
    now = parts.clock()
    if delivery.failed:
        faults = delivery.certificate.attempt.faults
        return now + (fault_delay(faults) if faults < OFTEN else RARELY)
    return min(breaker.returns_at(one, now, parts.chance()) for one in delivery.barred.values())


def names_of(delivery: Delivery) -> Item:
    """Return the targets for the history, and those that are still owed."""
    if delivery.whole:
        return TOGETHER.join(delivery.held) or "no target configured"
    return say("{targets}; not yet: {others}", targets=delivery.held, others=delivery.owed)
