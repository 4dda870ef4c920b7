"""The names in a command: read, refused with the reason, and guessed at when they are nearly one of the caller's own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from commands import pasted, views
from commands.caller import TERMINAL
from commands.command import Call
from commands.reply import Hint, Outcome, Refused, Reply, Tone
from services import naming
from services.model import names
from services.model.errors import InvalidNameError
from services.model.findings import CODES, Finding, Verdict
from services.model.status import NameStatus
from services.model.text import Text, say
from services.ports import Transaction

MANY_STORES = 50
"""Of a caller with more stores than this, near names are only looked for in the store that the name may belong to."""
INVALID, NOT_YOURS, NONE_YET = "domain.invalid", "domain.not_added", "domain.no_certificate"


def read(word: str, call: Call) -> str | NameStatus:
    """Return the normalised name that ``word`` means, or the refusal of a word that cannot be one."""
    if pasted.page_of(word, call.desk.platform.admin_url) is not None:
        reason = say(
            "“{given}” is the page of a store, and a domain name is needed.", given=views.clipped(word)
        )
        return refused(word, reason, call)
    try:
        return naming.parse(word)
    except InvalidNameError as error:
        return refused(word, error.text, call, error.remedy or ALONE)


def read_all(words: Iterable[str], call: Call) -> tuple[str | NameStatus, ...]:
    """Return for each word its name or its refusal, in the order given; a name that is meant twice comes once."""
    found = (read(word, call) for word in words)
    return tuple({one if isinstance(one, str) else one.name: one for one in found}.values())


ALONE = say("Give the domain name alone, such as {example}.", example="shop.example.com")


def refused(given: str, reason: Text, call: Call, remedy: Text = ALONE) -> NameStatus:
    """Return the answer for a text that cannot be a domain name: domain.invalid, with the reason."""
    finding = _block(INVALID, given, reason, remedy, call)
    return NameStatus(given, None, "none", say("Not a domain name"), findings=(finding,))


def _block(code: str, name: str, summary: Text, remedy: Text, call: Call) -> Finding:
    return Finding(code, Verdict.BLOCK, name, CODES[code].owner, summary, remedy, call.desk.clock())


def explained(status: NameStatus, call: Call, store: str | None) -> NameStatus:
    """Return the status with what only the command knows: that --store was wrong, or that no certificate was asked for.

    Of a store that is not the caller's it says what it says of one that does not exist, and nothing of its names.
    """
    if status.certificate is None and not status.blocked:
        summary = say("There is no certificate for {name} yet.", name=views.shown(status.name))
        return replace(status, findings=(_block(NONE_YET, status.name, summary, _to_get(status.name), call),))
    if status.store is not None or store is None:
        return status
    wrong = _wrong_store(status.name, call, store)
    return replace(
        status, findings=tuple(replace(f, **wrong) if f.code == NOT_YOURS else f for f in status.findings)
    )


def _wrong_store(name: str, call: Call, store: str) -> Mapping[str, Any]:
    """Return what a finding says if the name is not to be had because of ``store``; nothing if that is not the cause."""
    with call.desk.storage.read() as tx:
        domains = [tx.stores.domain(one, call.caller.sees.stores) for one in names.counts_as(name)]
    owner = next((one.store for one in domains if one is not None), None)
    if not is_own_store(store, call):
        summary = say("There is no store {store} that you can see.", store=views.clipped(store))
        remedy = _right_store(name, owner, near_store(store, call))
        return {"summary": summary, "remedy": remedy, "evidence": {"store": store}}
    if owner is None:
        return {}
    summary = say("{name} belongs to the store {owner}, not to {store}.", name=name, owner=owner, store=store)
    remedy = say("Type {option} {owner}, or leave it out.", option="--store", owner=owner)
    if call.store == store:
        text = "In this channel commands mean the store {store}. For the other one, type {option} {owner}."
        remedy = say(text, store=store, option="--store", owner=owner)
    return {"summary": summary, "remedy": remedy, "evidence": {"store": store, "owner": owner}}


def _right_store(name: str, owner: str | None, meant: str | None) -> Text:
    """Return what to type in place of a store that is none of the caller's, of which ``owner`` has the name, if one does."""
    if owner is not None:
        return say("Type {option} {owner}, or leave it out.", option="--store", owner=owner)
    look = views.typed("status")
    if meant is not None:
        return say(
            "Did you mean the store {meant}? {name} has to be an added domain of it. To see all of your names, type: {command}",
            meant=meant,
            name=name,
            command=look,
        )
    return say(
        "Check the id of the store; {name} has to be an added domain of it. To see all of your names, type: {command}",
        name=name,
        command=look,
    )


def none_yet(name: str) -> Hint:
    """Return the line below a name of the caller's that has no certificate: how to get one."""
    return Hint(_to_get(name))


def _to_get(name: str) -> Text:
    return say("To get one, type: {command}", command=views.typed("add", name))


def refusal(status: NameStatus, call: Call, store: str | None = None, *, guess: bool = True) -> Refused:
    """Return why a name was not taken, with the name that was meant where one of the caller's own is nearly the same.

    ``status`` is `explained`, and so has a finding that blocks.
    """
    finding = next(finding for finding in status.findings if finding.blocks)
    part = views.problem(finding)
    if finding.code == INVALID:  # whoever typed it can mend it
        part = replace(part, owner=views.YOURS)
    if guess:
        part = replace(part, remedy=_helped(part.remedy, finding, call, store))
    return Refused(status.name, part)


def refusals(statuses: Sequence[NameStatus], call: Call, store: str | None) -> tuple[Refused, ...]:
    """Return why each name was not taken; near names are looked for only as far as an answer shows them."""
    looked = tuple(refusal(status, call, store) for status in statuses[: views.MOST_PROBLEMS])
    return looked + tuple(refusal(status, call, guess=False) for status in statuses[views.MOST_PROBLEMS :])


def refuse(call: Call, status: NameStatus, store: str | None = None, *, title: Text | None = None) -> Outcome:
    """Return the answer to a question about one name that cannot be one, or is not one of the caller's: exit code 1."""
    status = explained(status, call, store)
    title = title or _refusal_title(status)
    reply = Reply(Tone.WARN, title, (refusal(status, call, store).problem,), private=True)
    return Outcome(reply, exit_code=1, data=status.as_json())


def _refusal_title(status: NameStatus) -> Text:
    evidence = {key: value for finding in status.findings for key, value in finding.evidence.items()}
    if any(finding.code == INVALID for finding in status.findings):
        return say("This is not a domain name")
    if "owner" in evidence:
        return say("{name} belongs to another store", name=views.shown(status.name))
    if "store" in evidence:
        return say("No such store: {store}", store=views.clipped(evidence["store"]))
    return say("No such name: {name}", name=views.shown(status.name))


def is_own_store(store: str, call: Call) -> bool:
    """Tell whether there is a store of this id and it is the caller's."""
    if not call.caller.sees(store):
        return False
    with call.desk.storage.read() as tx:
        return tx.stores.get(store) is not None


def unknown_store(store: str, call: Call, data: Mapping[str, Any]) -> Outcome:
    """Return the answer for a store that is not the caller's: the same whether it exists or not."""
    title = say("There is no store {store} that you can see", store=views.clipped(store))
    meant = near_store(store, call)
    guess = (Hint(say("Did you mean the store {store}?", store=meant)),) if meant is not None else ()
    hint = Hint(say("To see all of your names, type: {command}", command=views.typed("status")))
    return Outcome(Reply(Tone.WARN, title, (*guess, hint), private=True), exit_code=1, data=data)


def near_store(given: str, call: Call) -> str | None:
    """Return the caller's own store whose id is most like ``given``, or None. Says nothing of anybody else's stores."""
    mine = call.caller.sees.stores
    with call.desk.storage.read() as tx:
        own = _few(tx, call) if mine is None else set(mine)
    return next(iter(get_close_matches(given.casefold(), sorted(own - {given}), n=1)), None)


_NEEDS_DNS = "A wildcard needs the dns-01 challenge, which is not set up here: ask for each name by itself. And for any name: {remedy}"


def _helped(remedy: Text, finding: Finding, call: Call, store: str | None) -> Text:
    """Return the remedy of a refusal, after a better guess at what went wrong if there is one."""
    if finding.code != NOT_YOURS or finding.evidence:  # with evidence it is the store that was wrong
        return remedy
    if call.caller.person == TERMINAL.person:  # who runs certdesk need not wait for the platform's registry
        command = f"certdesk domains add {store or 'STORE'} {finding.name}"
        remedy = say("{remedy} On this machine you add it with: {command}", remedy=remedy, command=command)
    if names.is_wildcard(finding.name):
        return remedy if call.desk.wildcards else say(_NEEDS_DNS, remedy=remedy)
    meant = near(finding.name, call, store)
    if meant is not None:
        return say("Did you mean {name}? If not: {remedy}", name=meant, remedy=remedy)
    if scripts := naming.mixed_scripts(finding.name):
        return say(
            "The name mixes letters of several scripts ({scripts}), some of which look the same: type it anew"
            " instead of pasting it. If it is meant so: {remedy}",
            scripts=scripts,
            remedy=remedy,
        )
    return remedy


def near(name: str, call: Call, store: str | None = None) -> str | None:
    """Return the caller's own name that is most like ``name``, or None. Says nothing of anybody else's names."""
    with call.desk.storage.read() as tx:
        own = {domain.name for one in _searched(tx, name, call, store) for domain in tx.stores.domains(one)}
    return next(iter(get_close_matches(name, sorted(own - {name}), n=1, cutoff=0.8)), None)


def _searched(tx: Transaction, name: str, call: Call, store: str | None) -> set[str]:
    """Return the stores of the caller in which a near name may be."""
    if store is not None:
        return {store} if call.caller.sees(store) else set()
    mine = call.caller.stores
    if mine is not None and len(mine) <= MANY_STORES:
        return set(mine)
    mine = call.caller.sees.stores
    relatives = [tx.stores.domain(prefix + one, mine) for one in names.climb(name) for prefix in ("", "www.")]
    related = {domain.store for domain in relatives if domain is not None}
    return related or _few(tx, call)


def _few(tx: Transaction, call: Call) -> set[str]:
    """Return all stores of the caller if they are few."""
    every = [store.id for store in tx.stores.all() if call.caller.sees(store.id)]
    return set(every) if len(every) <= MANY_STORES else set()
