"""Proposals for tests: asked by a command as a worker does it, clicked as somebody clicks, and read back."""

from collections.abc import Callable, Mapping
from typing import Any

from commands import messages, requests
from commands.caller import Caller
from commands.command import strange
from commands.reply import Button, Buttons, Composed, Hint, Outcome, Paragraph, Reply
from commands.reply_json import reply_from_json
from services.desk import Desk
from services.model.proposals import Proposal
from services.ports import Message, Request
from tests.desks import SUPPORT, Bench
from tests.unit.commands_world import DAY, desk_of

Known = Callable[[str, str], Caller]


def ask(bench: Bench, text: str, caller: Caller = SUPPORT, desk: Desk | None = None, **more: Any) -> str:
    """Type the command as a worker sees it; return the id of the proposal that it became."""
    request = sent(bench, text, caller, "command", desk, **more)
    return f"prop_{request.id}"


def click(
    bench: Bench,
    action: str,
    proposal: str,
    caller: Caller = SUPPORT,
    desk: Desk | None = None,
    known: Known = strange,
) -> Reply | None:
    """Click as a worker sees it; return what the clicker alone was told, None if nothing."""
    request = sent(bench, f"{action} {proposal}", caller, "click", desk, known=known)
    with bench.storage.read() as tx:
        message = tx.outbox.by_key(f"request:{request.id}")
    return None if message is None else reply_from_json(message.body)


def sent(
    bench: Bench,
    text: str,
    caller: Caller,
    kind: str,
    desk: Desk | None = None,
    form: Mapping[str, Any] | None = None,
    **more: Any,
) -> Request:
    bench.woken += 1
    number = bench.woken
    id_, filled = f"req_{number}", dict(form or {})
    request = Request(id_, f"{number} {text}", "T1", "U1", "C1", text, bench.now, kind=kind, form=filled)
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, DAY, 10)
    requests.perform(desk or desk_of(bench), claimed, caller, {"U0000NEW": "T9/U0000NEW"}.get, **more)
    return request


def audited(bench: Bench) -> tuple[str, str, str, str]:
    """Return the newest row of the audit trail: who, what, to what, and the result."""
    with bench.storage.read() as tx:
        row = tx.audit.last()
    assert row is not None
    return row.actor, row.action, row.subject, row.result


def proposal(bench: Bench, id_: str) -> Proposal:
    with bench.storage.read() as tx:
        found = tx.proposals.get(id_)
    assert found is not None
    return found


def message(bench: Bench, key: str) -> Message:
    with bench.storage.read() as tx:
        found = tx.outbox.by_key(key)
    assert found is not None
    return found


def composed(bench: Bench, id_: str) -> Composed:
    """Return what the message of the proposal says now, where it was asked."""
    return messages.compose(desk_of(bench), message(bench, f"approval:{id_}"))


def buttons(reply: Reply) -> dict[str, Button]:
    items = [item for part in reply.parts if isinstance(part, Buttons) for item in part.items]
    return {item.action: item for item in items if isinstance(item, Button)}


def confirmed(bench: Bench, outcome: Outcome, caller: Caller = SUPPORT) -> Outcome:
    """Confirm what the command asked; the outcome says what came of it, as its message does."""
    assert outcome.proposal, outcome.reply
    assert click(bench, "approval.confirm", outcome.proposal, caller) is None
    body = {"proposal": outcome.proposal}
    owed = Message("m", "k", "approval", "C1", "U1", private=True, body=body, created_at=bench.now)
    return Outcome(messages.compose(desk_of(bench), owed).reply)


def said(reply: Reply) -> str:
    """Return the title, and the sentences below it, as they read in English."""
    texts = [part.text.plain() for part in reply.parts if isinstance(part, Paragraph | Hint)]
    return "\n".join((reply.title.plain(), *texts))
