"""Check: the registration of the name's registrable domain is alive: not expired, not about to, and not on hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services import naming
from services.checks.case import Case
from services.checks.rules import Report
from services.checks.world import Registration
from services.model.clock import rfc3339
from services.model.findings import Finding, Owner, Verdict
from services.model.text import Phrase, Text, say

SOON = timedelta(days=30)
"""How long before its end a registration is spoken of."""
GRACE = "auto renew period"
"""The registry has renewed by itself, and the registrar may still take that back (RFC 3915 §3.1)."""
REDEMPTION = "redemption period"
DELETION = "pending delete"
CLIENT_HOLD, SERVER_HOLD = "client hold", "server hold"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered."""

    name: str
    registration: Registration | None
    """None: registrations are not looked at, or the name lies in no registrable domain."""


def check(case: Case) -> tuple[Finding, ...]:
    """Return what is wrong with the registration."""
    return decide(gather(case), case.now)


def gather(case: Case) -> Facts:
    """Look the registrable domain up; nothing below it is registered."""
    registrations, domain = case.world.registrations, naming.registrable(case.base)
    if registrations is None or domain is None:
        return Facts(case.subject.name, None)
    return Facts(case.subject.name, registrations.look_up(domain))


def decide(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Return an expired registration alone, for a hold is then its consequence; else a hold, and an end that is near.

    What the registry does not tell is unknown and blocks nothing; names that nobody registers have no such trouble.
    """
    found = facts.registration
    if found is None or found.error == "unregistered":
        return ()
    judge = _Judge(Report(facts.name, now), found, now)
    if found.error:
        return (judge.unknown(),)
    if judge.lost or judge.ended:
        return (judge.expired(),)
    if found.statuses & {CLIENT_HOLD, SERVER_HOLD}:
        return (judge.on_hold(), *judge.expiring())
    return judge.expiring() or (() if found.expires_at else (judge.unknown(),))


class _Judge:
    """Puts the findings of one registration together."""

    def __init__(self, report: Report, found: Registration, now: datetime) -> None:
        self._report, self._found, self._now = report, found, now
        self.lost = bool(found.statuses & {REDEMPTION, DELETION})
        past = found.expires_at is not None and found.expires_at <= now
        self.ended = past and GRACE not in found.statuses

    def expired(self) -> Finding:
        template, remedy = _EXPIRED[self._stage()]
        return self._finding("domain.expired", Verdict.BLOCK, template, remedy)

    def _stage(self) -> str:
        """Tell how far a lost registration is: in redemption registries set pending delete as well (RFC 3915 §3.1)."""
        if REDEMPTION in self._found.statuses:
            return "redemption"
        if DELETION in self._found.statuses:
            return "deletion"
        return "held" if self._found.statuses & {CLIENT_HOLD, SERVER_HOLD} else "past"

    def on_hold(self) -> Finding:
        by = SERVER_HOLD if SERVER_HOLD in self._found.statuses else CLIENT_HOLD
        return self._finding("domain.on_hold", Verdict.BLOCK, *_HELD[by])

    def expiring(self) -> tuple[Finding, ...]:
        end = self._found.expires_at
        if GRACE in self._found.statuses:
            words = _GRACE_DATED if end else _GRACE_BARE
        elif end is not None and end - self._now <= SOON:
            words = _ENDS
        else:
            return ()
        return (self._finding("domain.expiring", Verdict.WARN, *words),)

    def unknown(self) -> Finding:
        why, next_step = _UNKNOWN.get(self._found.error or "no_date", _UNKNOWN["failed"])
        summary = say(
            "When the registration of {domain} ends is not known: {why}.",
            domain=self._found.domain,
            why=why.said(top=self._found.domain.rpartition(".")[2]),
        )
        remedy = next_step.said(domain=self._found.domain)
        owner = Owner.PLATFORM if next_step is _PLATFORM else None
        return self._report.finding(
            "domain.expired", Verdict.UNKNOWN, summary, remedy, owner=owner, **self._evidence()
        )

    def _finding(self, code: str, verdict: Verdict, summary: Phrase, remedy: Phrase) -> Finding:
        values = {"domain": self._found.domain, "registrar": self._registrar(), "end": self._found.expires_at}
        gaps = {key: value for key, value in values.items() if value is not None}
        return self._report.finding(
            code, verdict, summary.said(**gaps), remedy.said(**gaps), **self._evidence()
        )

    def _registrar(self) -> Text | str:
        name = self._found.registrar
        return say("its registrar {name}", name=name) if name else say("its registrar")

    def _evidence(self) -> Mapping[str, Any]:
        found = self._found
        end, registrars_end = found.expires_at, found.registrar_expires_at
        given = {
            "domain": found.domain,
            "statuses": found.statuses,
            "expires": rfc3339(end) if end else None,
            "registrar_expires": rfc3339(registrars_end) if registrars_end else None,
            "days_left": (end - self._now).days if end else None,
            "registrar": found.registrar or None,
            "source": found.source or None,
            "error": found.error or None,
        }
        return {key: value for key, value in given.items() if value is not None}


_EXPIRED: Mapping[str, tuple[Phrase, Phrase]] = {
    "past": (
        Phrase("The registration of {domain} expired on {end}."),
        Phrase(
            "Renew {domain} at {registrar}; certdesk goes on by itself as soon as the registry shows the new date."
        ),
    ),
    "held": (
        Phrase(
            "The registration of {domain} expired on {end}, and the domain has been taken out of DNS (on hold)."
        ),
        Phrase(
            "Renew {domain} at {registrar}, and see that the hold is lifted with it; certdesk goes on by itself as soon as the registry shows both."
        ),
    ),
    "redemption": (
        Phrase(
            "The registration of {domain} has expired, and the domain is being deleted: it is in its redemption period."
        ),
        Phrase(
            "Ask {registrar} at once to restore {domain}; the redemption period is usually 30 days, and a fee is due. Nobody else can register it before it ends; after it the domain is lost."
        ),
    ),
    "deletion": (
        Phrase(
            "The registration of {domain} has expired, and the domain is about to be deleted (pending delete)."
        ),
        Phrase(
            "It can no longer be renewed: the registry deletes {domain}, usually within 5 days, and then anybody can register it. Register it again at that moment, or remove {domain} from the store and use another domain."
        ),
    ),
}
"""How an expired registration is told, by how far gone it is."""

_HELD: Mapping[str, tuple[Phrase, Phrase]] = {
    CLIENT_HOLD: (
        Phrase("The registrar has put {domain} on hold (client hold), which takes it out of DNS."),
        Phrase(
            "Ask {registrar} why {domain} is on hold and have it lifted; often an e-mail address has to be confirmed or a bill to be paid. certdesk goes on by itself after that."
        ),
    ),
    SERVER_HOLD: (
        Phrase("The registry has put {domain} on hold (server hold), which takes it out of DNS."),
        Phrase(
            "Ask {registrar} to find out at the registry why {domain} is on hold (a dispute, abuse, or missing proof of who owns it) and to have it lifted. certdesk goes on by itself after that."
        ),
    ),
}

_ENDS = (
    Phrase("The registration of {domain} ends on {end}."),
    Phrase("Renew {domain} at {registrar} before then, or switch on automatic renewal there."),
)
_GRACE_REMEDY = Phrase(
    "Make sure at {registrar} that the renewal of {domain} is paid; nothing else needs to be done if it is."
)
_GRACE_DATED = (
    Phrase(
        "The registry has renewed {domain} by itself, and the registrar can still take that back (auto renew period); the registry's date is {end}."
    ),
    _GRACE_REMEDY,
)
_GRACE_BARE = (
    Phrase(
        "The registry has renewed {domain} by itself, and the registrar can still take that back (auto renew period)."
    ),
    _GRACE_REMEDY,
)

_LATER = Phrase("Nothing needs to be done: certdesk asks again by itself.")
_OWN = Phrase("Nothing needs to be done here; the registrar of {domain} shows the date.")
_PLATFORM = Phrase(
    "Nothing is wrong with {domain}; the platform's engineers check that this machine may connect to the RDAP server, or name another in rdap.servers of app.yaml."
)
_UNKNOWN: Mapping[str, tuple[Phrase, Phrase]] = {
    # error -> (why, what next)
    "no_rdap": (Phrase("there is no RDAP server for names under {top}"), _OWN),
    "no_date": (Phrase("the registry publishes no date"), _OWN),
    "not_found": (
        Phrase("the registry knows no such domain"),
        Phrase(
            "If DNS of {domain} works, nothing needs to be done; else check the spelling and whether {domain} is registered."
        ),
    ),
    "forbidden": (Phrase("the registry does not let us ask"), _OWN),
    "limited": (Phrase("the registry's server has had too many questions"), _LATER),
    "busy": (Phrase("too many questions to the registry's server are under way"), _LATER),
    "failed": (Phrase("the registry's server answered with an error"), _LATER),
    "timeout": (Phrase("the registry's server did not answer in time"), _LATER),
    "no_list": (Phrase("the list of the registries' servers could not be read"), _PLATFORM),
    "refused": (Phrase("the registry's server refuses connections"), _LATER),
    "unreachable": (Phrase("the registry's server cannot be reached"), _LATER),
    "tls": (Phrase("the certificate of the registry's server cannot be trusted"), _PLATFORM),
    "not_public": (Phrase("the registry's server has no public address"), _PLATFORM),
    "redirected": (
        Phrase("the registry's server leads elsewhere, where certdesk does not follow"),
        _PLATFORM,
    ),
    "malformed": (Phrase("the registry's server gave no usable answer"), _LATER),
}
"""Why nothing is known, and what that means for the reader: calm, for nothing is wrong as far as is known."""
