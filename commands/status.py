"""/ssl status: one name in full, a store's names, or all of the caller's, worst first."""

import re
from dataclasses import replace

from commands import naming, recall_view, revocation_view, rollback_view, views
from commands.caller import TERMINAL, Action, Caller
from commands.command import Arguments, Call, Command, UsageError, arguments
from commands.endings import ending, still_live
from commands.following import followed_now
from commands.progress import plan
from commands.reply import Code, Fields, Hint, Outcome, Paragraph, Part, Reply, Rows, Tone
from services import overview
from services.model.certificates import Revision
from services.model.lifecycle import State
from services.model.status import NameStatus
from services.model.text import Text, say

_STORE = re.compile(r"[\w-]{1,64}")  # what the id of a store may look like, and no domain name does
MOST_LISTED = 1000
"""How many certificates a list for machines holds; a store or a name narrows it."""
MOST_COUNTED = 250
"""How many are looked at in Slack, where a few lines are shown: of more the number is not told."""
_UNCOUNTED = say(
    "Many more are not shown here: the Home tab of certdesk has all of them, with pages and a search."
)


def run(call: Call) -> Outcome:
    """Show NAME, or the names of STORE, or all of the caller's names."""
    args = arguments(call, flags=("--csr",), stores=True)
    if len(args.words) > 1:
        raise UsageError(
            say("This takes one name or one store, and {count} were given.", count=len(args.words))
        )
    if not args.words and "--csr" in args.flags:
        raise UsageError(say("--csr shows the CSR of one name, and the name is missing."))
    if not args.words:
        return _all(call, args.store)
    word = args.words[0]
    is_store = "." not in word and naming.is_own_store(word, call)
    return _all(call, word) if is_store else _one(call, args, word)


def _all(call: Call, store: str | None) -> Outcome:
    if store is not None and not naming.is_own_store(store, call):
        return naming.unknown_store(store, call, {"certificates": []})
    most = MOST_LISTED if call.caller == TERMINAL else MOST_COUNTED
    statuses = overview.listing(call.desk, store=store, visible_stores=call.caller.stores, limit=most)
    whole = len({status.certificate.id for status in statuses if status.certificate is not None}) < most
    data = {"certificates": [status.as_json() for status in statuses]}
    if not statuses:
        return Outcome(_nothing(store), data=data)
    rows = Rows(tuple(views.row(status) for status in statuses[: views.MOST_ROWS]))
    beyond = views.more(len(statuses) - views.MOST_ROWS) if whole else (Hint(_UNCOUNTED),)
    parts = (rows, *beyond, _look_closer(statuses[0].name))
    tone = views.status_tone(statuses[0])
    title = _title(len(statuses), store, call.caller, whole=whole)
    return Outcome(Reply(tone, title, parts, private=True), data=data)


def _title(count: int, store: str | None, caller: Caller, *, whole: bool) -> Text:
    if not whole:
        return say("The worst of a great many names")
    if store is None and caller.stores is None:
        return say("Names of all stores, worst first: {count}", count=count)
    if store is None:
        return say("Your names, worst first: {count}", count=count)
    return say("Names of the store {store}, worst first: {count}", store=store, count=count)


def _nothing(store: str | None) -> Reply:
    title = say("There are no certificates yet")
    if store is not None:
        title = say("The store {store} has no certificates yet", store=store)
    hint = Hint(say("To get one, type: {command}", command=views.typed("add", "shop.example.com")))
    return Reply(Tone.INFO, title, (hint,), private=True)


def _look_closer(name: str) -> Hint:
    return Hint(say("To see one name in full, type: {command}", command=views.typed("status", name)))


def _one(call: Call, args: Arguments, word: str) -> Outcome:
    name = naming.read(word, call)
    if isinstance(name, NameStatus):
        return _neither(call, word) if _STORE.fullmatch(word) else naming.refuse(call, name)
    status = overview.describe(call.desk, name, store=args.store, visible=call.caller.sees)
    if status.store is None:
        return naming.refuse(call, status, args.store)
    parts, data = _described(call, status), status.as_json()
    if certificate := status.certificate:
        with call.desk.storage.read() as tx:
            revocations = tx.revocations.of(certificate.id)
            recall = tx.recalls.get(certificate.installed or "")
            plan = tx.jobs.get(recall.job) if recall is not None and recall.job else None
        parts += revocation_view.told(revocations)
        parts += recall_view.told(certificate, recall, plan, call.desk.clock())
        parts += rollback_view.told(certificate, call.desk.clock(), views.shown(status.name))
        if certificate.rolled_back is not None:
            data |= {"rollback": rollback_view.as_json(certificate.rolled_back)}
        if revocations:
            data |= {"revocations": [revocation_view.as_json(one) for one in revocations]}
    if "--csr" in args.flags:
        newest = _newest(call, status)
        parts, data = parts + _csr(newest), data | {"csr": newest.csr if newest else None}
    title = say("{name}: {label}", name=views.shown(status.name), label=status.label)
    reply = Reply(views.status_tone(status), title, parts, private=call.caller.limited)
    return Outcome(reply, data=data)


def _neither(call: Call, word: str) -> Outcome:
    """Return the answer to a word that is no store of the caller's and cannot be a name."""
    given = views.clipped(word)
    reason = say(
        "There is no store {given} that you can see, and no domain name is a single word.", given=given
    )
    remedy = say(
        "To list all names that you can see, type: {command}. Give a name in whole, such as {example}.",
        command=views.typed("status"),
        example="shop.example.com",
    )
    if (meant := naming.near_store(word, call)) is not None:
        remedy = say("Did you mean the store {store}? If not: {remedy}", store=meant, remedy=remedy)
    title = say("No such store or name: {given}", given=given)
    return naming.refuse(call, naming.refused(word, reason, call, remedy), title=title)


def _described(call: Call, status: NameStatus) -> tuple[Part, ...]:
    store = Fields(((say("Store"), views.known(status.store)),))
    certificate = status.certificate
    if certificate is None:
        removed = _still_there(status)
        return (store, *removed, *(views.problems(status.findings) or (naming.none_yet(status.name),)))
    with call.desk.storage.read() as tx:
        one = replace(followed_now(tx, certificate, (status.name,)), findings=status.findings)
    steps = () if certificate.state is State.INSTALLED else (plan(certificate, views.shown(status.name)),)
    live = () if certificate.resting else still_live(certificate)
    warnings = (
        *_ahead(status),
        *views.problems(finding for finding in status.findings if not finding.blocks),
    )
    told = ending(one)
    if told and isinstance(told[0], Fields):  # what is installed: the store stands with it
        store, told = Fields(store.pairs + told[0].pairs), told[1:]
    return (store, *steps, *told, *live, *warnings)


def _still_there(status: NameStatus) -> tuple[Part, ...]:
    """Return how long a name without a certificate of its own is still in what is installed; nothing if it is in none."""
    if status.not_after is None:
        return ()
    return (Paragraph(views.leaves((status.name,), status.next_attempt_at, status.not_after)),)


def _ahead(status: NameStatus) -> tuple[Part, ...]:
    """Return what will be in the way of the renewal of what is installed; nothing if it will go well."""
    if status.state != State.INSTALLED or status.certificate is None:
        return ()
    told = status.certificate.problem  # how it is served stands with what is installed
    blockers = tuple(f for f in status.findings if f.blocks and (told is None or f.code != told.code))
    if not blockers:
        return ()
    text = say(
        "As things stand, it will not renew. certdesk goes on looking, and renews it by itself once the cause is fixed."
    )
    return (Paragraph(text), *views.problems(blockers))


def _newest(call: Call, status: NameStatus) -> Revision | None:
    """Return the newest revision, whose CSR is what the CA is, or was last, asked for; None before the first."""
    if status.certificate is None:
        return None
    with call.desk.storage.read() as tx:
        return next(iter(tx.certificates.revisions(status.certificate.id)), None)


def _csr(newest: Revision | None) -> tuple[Part, ...]:
    if newest is None:
        return (Paragraph(say("There is no CSR yet: it is made once the checks have passed.")),)
    label = say("CSR of {at} for {names}", at=newest.created_at, names=newest.names)
    return (Paragraph(label), Code(newest.csr))


COMMAND = Command(
    name="status",
    action=Action.LOOK,
    summary=say("Show where certificates stand: of a name, of a store, or all of yours"),
    usage="/ssl status [NAME [--csr] [--store STORE] | STORE]",
    example="/ssl status shop.example.com",
    run=run,
)
