"""/ssl add --file: gets certificates for every name of a list, once it is confirmed or a second person has approved it."""

from collections.abc import Sequence
from pathlib import Path

from commands import confirming, views
from commands.caller import TERMINAL, Action
from commands.command import Arguments, Call, UsageError
from commands.job_proposals import adding_comes, begins, chosen_in, cost_rows, counted, done, kept, shown
from commands.proposable import Proposable, Question
from commands.reply import Fields, Hint, Outcome, Paragraph, Reply, Row, Rows, Tone
from commands.spans import number
from commands.uploads import Upload
from services import linking
from services.bulk import lists, plans
from services.bulk.kinds import ADD
from services.desk import Desk
from services.model.errors import CertdeskError
from services.model.proposals import Decider, Proposal
from services.model.text import Text, Value, say, say_n
from services.naming import registrable

FILE = "--file"


def run(call: Call, args: Arguments) -> Outcome:
    """Read the list, and ask; a line that is wrong is named, and then nothing of the list is done.

    In a terminal the list is the file that is named, and it begins at once; in Slack it is the newest one that the person
    has put into the channel. For staff another person approves it; a merchant confirms it, unless it means more
    certificates than one person may get alone.
    """
    terminal = call.caller.person == TERMINAL.person
    return _proposed(call, _read(args) if terminal else _fetched(call, args), args.store)


def handed_in(call: Call, file: str, store: str | None) -> Outcome:
    """Read the list with this id of Slack's, which was put into a modal, and ask by direct message.

    ``store`` is meant where a line names none. Raises CertdeskError if it cannot be had.
    """
    if not call.caller.limited and not linking.support_channel(call.desk.alerting):
        raise CertdeskError(
            say(
                "Another person has to approve a list, and certdesk knows no channel of support in which to ask them. Drop the"
                " list into a channel of yours, and type there: {command}",
                command=views.typed("add", FILE),
            )
        )
    upload = call.uploads.handed_in(call.channel, file, call.caller.person)
    return _proposed(call, upload, store, private=True)


def _proposed(call: Call, upload: Upload, store: str | None, *, private: bool = False) -> Outcome:
    found = lists.read(call.desk, upload.content, store, call.caller.changes)
    if found.bad:
        return _bad(upload.name, found)
    what = {"file": upload.name, "chosen": kept(found.chosen)}
    decider = Decider.SECOND
    if call.caller.limited:
        decider = confirming.decided_by(call.desk, len(_certificates(found.chosen)))
    return confirming.ask(
        call, PROPOSABLE, what, *(one.store for one in found.chosen), private=private, decider=decider
    )


def _read(args: Arguments) -> Upload:
    if args.words:
        raise UsageError(say("Give either names or {option}.", option=FILE))
    path = Path(args.values[FILE])
    try:
        with path.open("rb") as file:
            return Upload(path.name, file.read(lists.MOST_BYTES + 1))
    except OSError as error:
        raise CertdeskError(
            say("{file} cannot be read: {reason}.", file=str(path), reason=error.strerror or str(error))
        ) from None


def _fetched(call: Call, args: Arguments) -> Upload:
    if args.words:
        raise UsageError(
            say(
                "Give either names or {option}. In Slack it takes no file name: it takes the newest list that you have put into the channel.",
                option=FILE,
            )
        )
    upload = call.uploads.latest(call.channel, call.caller.person)
    if upload is None:
        raise CertdeskError(
            say(
                "There is no list of yours in this channel. Drop a text or CSV file with a name in each line (or"
                " store,name) into it, and type within an hour: {command}",
                command=views.typed("add", FILE),
            )
        )
    return upload


def _bad(name: str, found: lists.Read) -> Outcome:
    title = say_n(
        "{count:,} line of {file} is wrong, so nothing was done",
        "{count:,} lines of {file} are wrong, so nothing was done",
        count=len(found.bad),
        file=name,
    )
    rows = tuple(
        Row(views.clipped(one.given), Tone.BAD, say("Line {line}", line=one.line), one.reason)
        for one in found.bad[: views.MOST_ROWS]
    )
    again = Hint(say("Mend these lines, or take them out, and send the file again."))
    parts = (Rows(rows), *views.more(len(found.bad) - len(rows)), again)
    lines = [{"line": one.line, "given": one.given, "reason": one.reason.plain()} for one in found.bad]
    return Outcome(
        Reply(Tone.BAD, title, parts, private=True),
        exit_code=1,
        data={"error": title.plain(), "lines": lines},
    )


def _certificates(chosen: Sequence[plans.Chosen]) -> set[tuple[str, str]]:
    """Return the certificates that the names would be in, as (store, registrable domain)."""
    return {(one.store, registrable(one.name) or one.name) for one in chosen}


def _question(desk: Desk, proposal: Proposal) -> Question:
    chosen = chosen_in(proposal)
    title = say_n(
        "Get a certificate for {count:,} name from {file}?",
        "Get certificates for {count:,} names from {file}?",
        count=len(chosen),
        file=str(proposal.what["file"]),
    )
    certificates = _certificates(chosen)
    rows: tuple[tuple[Text, Value], ...] = (
        (say("Names"), number(len(chosen))),
        (say("Stores"), number(len(proposal.stores))),
        (say("Certificates"), number(len(certificates))),
        *cost_rows(desk, proposal, len(certificates)),
        (say("First of them"), views.shortened([one.name for one in chosen], 5)),
    )
    comes = adding_comes(proposal)
    return Question(title, (Fields(rows), Paragraph(comes)), say("Get them"))


PROPOSABLE = Proposable(
    name="add --file",
    right=Action.CHANGE,
    decider=Decider.SECOND,
    question=_question,
    perform=begins(ADD),
    outcome=done,
    subject=lambda proposal: counted(proposal.what["file"], proposal),
    progress=shown,
    danger=False,
)
