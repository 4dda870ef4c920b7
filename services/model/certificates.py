"""A store's certificate for one registrable domain, and its revisions: one revision for each key and CSR."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.model.audit import ITSELF
from services.model.findings import REVOKED, Finding
from services.model.lifecycle import RESTING, Event, State, after
from services.model.text import NOTHING, Item, Text


@dataclass(frozen=True, slots=True)
class Window:
    """The renewal window the CA suggests (RFC 9773 §4.2); both ends are aware UTC moments."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far the present attempt has come with CAs and challenge types; it begins anew with each attempt."""

    ca: str = ""
    """Name of the CA in use, empty before the first order."""
    challenge: str = ""
    """Challenge type in use, such as http-01; empty before the first order."""
    tried: tuple[str, ...] = ()
    """What has failed in this attempt: ``CA challenge-type`` pairs, and plain CA names that were not to be had."""
    polls: int = 0
    """Looks at the CA in the present state: the next one comes a little later each time."""
    faults: int = 0
    """Failures in a row of certdesk's own or of the network in the present state."""
    started_at: datetime | None = None
    """When the present wait for the CA or the name servers began; it begins anew with each order and each answer."""
    names: tuple[str, ...] = ()
    """The names of the attempt: those of the wanted ones that the checks let through."""
    considered: tuple[str, ...] = ()
    """The names that were wanted when the attempt began: later ones have not had their chance yet."""
    refused: tuple[str, ...] = ()
    """Names that the CA refused, in this attempt and those before: left out as long as others can go on without them."""
    answers: tuple[tuple[str, str, str], ...] = ()
    """(name, token, challenge URL) of answers that are put up, and have to be taken down again."""
    before: tuple[tuple[str, str], ...] = ()
    """(finding code, name) of what stood against the attempt before this one; empty for the first."""
    leftovers: tuple[tuple[str, str, str, str], ...] = ()
    """(CA, challenge type, name, token) of answers to former challenges that could not be taken down yet."""


NOT_SERVED = "deploy.not_served"
UNPROVED = frozenset({"deploy.failed", NOT_SERVED})
"""Problems of what is installed: a target lacks it, or the edge was seen to serve something else."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Which revision certdesk has put on a deploy target."""

    target: str
    """The target's name in app.yaml."""
    revision: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rollback:
    """That an earlier revision was put back by persons, and how long nothing replaces it by itself."""

    revision: str
    """Id of the revision that was put back."""
    serial: str
    """Serial number of the one that it was put in the place of, lower-case hex."""
    at: datetime
    until: datetime
    """From when on renewal is certdesk's own again; not after ``at``: it was never held up."""
    person: str
    """Who asked: TEAM/USER, or ``terminal``."""
    approved_by: str = ""
    """The second person; empty: none was needed."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The row that the work queue is made of: what is wanted, what is installed, and where the work stands."""

    id: str
    store: str
    domain: str
    """The registrable domain: one certificate for each of a store's."""
    wanted: tuple[str, ...]
    """Every name that the certificate should have, sorted; what is broken stays wanted."""
    created_at: datetime
    updated_at: datetime
    state: State = State.CHECKING
    run_after: datetime | None = None
    """When the next step is due; None means that only a person or evidence starts it."""
    fence: int = 0
    """Grows with each claim: a save with an older one is refused."""
    lease_until: datetime | None = None
    installed: str | None = None
    """Id of the revision that is live."""
    next: str | None = None
    """Id of the revision that the present attempt works on."""
    attempt: Attempt = Attempt()
    stopped_at: State | None = None
    """The state in which the last attempt stopped, for the progress display."""
    failures: int = 0
    """Failed attempts in a row, for the back-off."""
    strikes: int = 0
    """Failed issuances in a row for a reason that is the merchant's; three hand over to support."""
    problem: Finding | None = None
    """Why the last attempt failed or is blocked."""
    asked: bool = False
    """A person asked for this attempt."""
    serial: str | None = None
    """Serial number of the installed revision, lower-case hex without separators."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    renew_at: datetime | None = None
    """The moment of renewal, drawn once from `window` and kept while the window is unchanged."""
    window: Window | None = None
    ari_after: datetime | None = None
    """When the CA's suggestion is to be asked for again."""
    retry_at: datetime | None = None
    """When a failed attempt is tried again at the latest; `run_after` may lie before it, to look for a fix."""
    compared: Text = NOTHING
    """How the last failure differs from the one before it: what is right now, what is still wrong."""
    revocation: Finding | None = None
    """What is wrong as long as a revocation is not over: what is installed is revoked, or the CA does not revoke."""
    placements: tuple[Placement, ...] = ()
    """What each target was given last. Empty for what was installed before certdesk kept it: it is given once more."""

    @property
    def unproved(self) -> bool:
        """Whether something is installed that a target lacks, or that the edge was seen not to serve."""
        problem = self.problem
        return self.state is State.INSTALLED and problem is not None and problem.code in UNPROVED

    def holders(self, revision: str) -> frozenset[str]:
        """Return the names of the targets that were given the revision with this id last."""
        return frozenset(one.target for one in self.placements if one.revision == revision)

    rollback: Rollback | None = None
    """The roll-back that is under way, or that what is installed comes from."""

    @property
    def rolling_back(self) -> bool:
        """Whether what is being deployed is an earlier revision that was installed before."""
        return self.rollback is not None and self.rollback.revision == self.next

    @property
    def rolled_back(self) -> Rollback | None:
        """The roll-back that the installed revision comes from, or None."""
        told = self.rollback
        return told if told is not None and told.revision == self.installed else None

    def held(self, now: datetime) -> bool:
        """Tell whether persons have put back what is installed, and certdesk does not replace it by itself yet."""
        told = self.rolled_back
        return told is not None and now < told.until

    def rollback_over(self, now: datetime) -> Rollback | None:
        """Return what stays to be said of a roll-back once a person wants something else installed: it holds nothing up."""
        told = self.rollback
        return replace(told, until=min(told.until, now)) if told is not None else None

    @property
    def name(self) -> str:
        """What it is called to people: its domain where that is one of its names, else the first of these.

        The domain of a store's one sub-domain may be another store's. One that is retired has no other name.
        """
        return self.domain if self.domain in self.wanted or not self.wanted else self.wanted[0]

    @property
    def resting(self) -> bool:
        """Whether nothing is under way."""
        return self.state in RESTING

    @property
    def revoked(self) -> bool:
        """Whether the installed revision is revoked, or is being revoked with nothing in its place."""
        told = self.revocation
        return told is not None and told.code == REVOKED and told.evidence.get("serial") == self.serial

    @property
    def place(self) -> tuple[int, datetime, str]:
        """Its place in listings, worst first: what needs somebody, what is under way, what is installed; by expiry.

        What is retired stands behind all that is looked at (`services.model.fleet`).
        """
        if self.state is State.RETIRED:
            return 3, self.not_after or datetime.min.replace(tzinfo=UTC), self.domain
        well = (
            self.state is State.INSTALLED
            and self.problem is None
            and self.retry_at is None
            and not self.revoked
        )
        group = 2 if well else 0 if self.resting else 1
        return group, self.not_after or datetime.min.replace(tzinfo=UTC), self.domain

    def moved(self, event: Event, *, now: datetime, run_after: datetime | None) -> "Certificate":
        """Return the certificate after ``event``. Raises UndefinedTransitionError for an event its state does not know."""
        state = after(self.state, event)
        attempt = replace(self.attempt, polls=0, faults=0)
        return replace(self, state=state, attempt=attempt, run_after=run_after, updated_at=now)


@dataclass(frozen=True, slots=True)
class Revision:
    """One key, one CSR, and what the CA made of them. The private key is sealed; see `services.ports.Vault`."""

    id: str
    certificate: str
    names: tuple[str, ...]
    csr: str
    """The certification request, PEM."""
    sealed_key: bytes
    """The private key (PKCS#8 PEM), sealed by the vault for the binding `key_binding`."""
    created_at: datetime
    key_type: str = "ec-p256"
    ca: str = ""
    order_url: str | None = None
    finalize_url: str | None = None
    authorizations: tuple[str, ...] = ()
    """URLs of the order's authorizations."""
    certificate_url: str | None = None
    chain: str | None = None
    """The certificate and its chain as PEM, leaf first (RFC 8555 §7.4.2)."""
    serial: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None

    @property
    def key_binding(self) -> str:
        """What the sealed key is bound to, so that a sealed key moved to another row cannot be opened."""
        return f"revision:{self.id}:key"


@dataclass(frozen=True, slots=True)
class Happening:
    """One row of a certificate's history."""

    certificate: str
    at: datetime
    what: str
    """The event's stable name, such as ``order_placed`` or ``asked``."""
    actor: str = ITSELF
    """Who did it: ``certdesk``, ``terminal``, or a Slack person as TEAM/USER."""
    state: str = ""
    """The state it led to."""
    details: Item = ""
    """What a reader of the history wants to know: an order URL, or a sentence of what happened."""
