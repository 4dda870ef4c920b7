"""The use case behind /ssl add: names become wanted names of their store's certificates, durably."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from services import home
from services.desk import Desk
from services.model.certificates import Certificate, Happening
from services.model.errors import CertdeskError
from services.model.findings import CODES, Finding, Verdict, worst_first
from services.model.identity import new_id
from services.model.lifecycle import Event
from services.model.sight import Sight
from services.model.status import NameStatus
from services.model.text import say
from services.naming import registrable
from services.overview import describe, owned_subject, without_certificate
from services.ports import Subject, Transaction

TRIES = 100
"""Looks for the moment between two steps of a certificate that is being worked on, 50 ms apart."""


class BusyError(CertdeskError):
    """A certificate was being worked on all the time, so that the wish could not be written; nothing was changed."""


def add(
    desk: Desk,
    names: Sequence[str],
    *,
    store: str | None,
    visible: Sight,
    actor: str,
    tries: int = TRIES,
) -> tuple[NameStatus, ...]:
    """Make certificates for ``names``, or enlarge those that their registrable domains have; return each name's status.

    Names are normalised ones. Refused names have a blocking finding and no certificate; the others are accepted all
    the same. Idempotent: a name that is wanted already changes nothing. Raises BusyError if a certificate could not be
    changed in ``tries`` looks, 50 ms apart.
    """
    subjects, ruled = judge(desk, names, store=store, visible=visible)
    refused = {name: findings for name, findings in ruled.items() if _final(findings)}
    groups: dict[tuple[str, str], list[str]] = {}
    for name, subject in subjects.items():
        if name not in refused and subject.store is not None:
            groups.setdefault((subject.store.id, registrable(name) or name), []).append(name)
    for (owner, domain), some in groups.items():
        for name in _want(desk, tries, owner, domain, some, actor):
            refused[name] = (_too_many(desk, name),)
    desk.wake()
    return tuple(
        without_certificate(subject, refused[name])
        if name in refused and not has_one(subject)
        else _with(describe(desk, name, store=store, visible=visible), refused.get(name, ruled[name]))
        for name, subject in subjects.items()
    )


def judge(
    desk: Desk, names: Sequence[str], *, store: str | None, visible: Sight
) -> tuple[Mapping[str, Subject], Mapping[str, Sequence[Finding]]]:
    """Return what each name is, and what the rules say of it; nothing is changed."""
    with desk.storage.read() as tx:
        subjects = {name: owned_subject(tx, name, store, visible) for name in dict.fromkeys(names)}
    return subjects, {name: desk.checker.rules(subject) for name, subject in subjects.items()}


def _final(findings: Sequence[Finding]) -> bool:
    return any(map(refuses, findings))


def refuses(finding: Finding) -> bool:
    """Tell whether the finding refuses the name for good. A store that is inactive may come back: that only waits."""
    return finding.blocks and CODES[finding.code].rule and finding.code != "store.inactive"


def has_one(subject: Subject) -> bool:
    """Tell whether the name is in a certificate already, which stays what it is whatever is refused now."""
    return subject.certificate is not None and subject.name in subject.certificate.wanted


def _with(status: NameStatus, findings: Sequence[Finding]) -> NameStatus:
    """Return the status with what the rules say of the name now."""
    codes = {f.code for f in findings}
    return replace(
        status, findings=worst_first((*findings, *(f for f in status.findings if f.code not in codes)))
    )


def _too_many(desk: Desk, name: str) -> Finding:
    code = "policy.too_many_names"
    summary = say(
        "With {name} the certificate would have more than {most} names.",
        name=name,
        most=desk.issuing.max_names,
    )
    remedy = say("Use fewer sub-domains, or a wildcard certificate through dns-01.")
    return Finding(code, Verdict.BLOCK, name, CODES[code].owner, summary, remedy, desk.clock())


def _want(
    desk: Desk, tries: int, store: str, domain: str, names: Sequence[str], actor: str
) -> tuple[str, ...]:
    """Write the wish; return the names that did not fit into the certificate."""
    for _ in range(tries):
        with desk.storage.write() as tx:
            over = want(desk, tx, store, domain, names, actor)
        if over is not None:
            return over
        time.sleep(0.05)  # a worker holds the row for the length of a step
    raise BusyError(
        say(
            "The certificate of {domain} is being worked on. Nothing was changed; ask again in a minute.",
            domain=domain if domain in names else names[0],  # it may be another store's
        )
    )


def want(
    desk: Desk, tx: Transaction, store: str, domain: str, names: Sequence[str], actor: str
) -> tuple[str, ...] | None:
    """Make ``names`` wanted ones of the store's certificate for the registrable ``domain``, in this transaction.

    Return the names that did not fit, or None if the row is held by a worker: then nothing is written.
    """
    now = desk.clock()
    before = tx.certificates.of(store, domain)
    room = desk.issuing.max_names - (len(before.wanted) if before else 0)
    fresh = [name for name in names if before is None or name not in before.wanted]
    taken, over = fresh[: max(room, 0)], fresh[max(room, 0) :]
    if not taken:
        return tuple(over)
    if before is None:
        certificate = Certificate(
            new_id("cert"), store, domain, tuple(sorted(taken)), now, now, run_after=now
        )
        saved = tx.certificates.add(certificate)
        if saved:
            tx.watches.plan(certificate.id, now + desk.renewing.watch)
    else:
        certificate = enlarged(
            replace(before, wanted=tuple(sorted({*before.wanted, *taken})), updated_at=now)
        )
        saved = tx.certificates.ask(certificate)
    if not saved:
        return None
    tx.certificates.record(
        Happening(certificate.id, now, "added", actor, certificate.state.value, ", ".join(taken))
    )
    # nobody can follow yet what is new
    tx.outbox.touch(home.of_store(store) if before is None else certificate.id, now)
    return tuple(over)


def enlarged(certificate: Certificate) -> Certificate:
    """Return the certificate started anew if it rests; one that is under way is completed after it is installed."""
    now = certificate.updated_at
    if not certificate.resting:
        return certificate
    return replace(certificate.moved(Event.ASKED, now=now, run_after=now), retry_at=None)
