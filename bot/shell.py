"""`certdesk ssl …`: the commands of Slack in a terminal, for when Slack is down, for scripts and for the demo."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from bot import logs, terminal, wiring
from bot.config import load
from bot.text.language import ENGLISH, Language, languages
from commands import requests, scan_view
from commands.attachment import Attachment
from commands.caller import TERMINAL
from commands.reply import Fields, Outcome, Paragraph, Part
from services.model.errors import CertdeskError
from services.model.text import say
from services.scanning import sites

TIMEOUT = 600.0
"""Seconds that --wait waits if --timeout does not say otherwise."""


class UsageError(CertdeskError):
    """An option of the terminal is used wrongly."""


def run_ssl(arguments: tuple[str, ...]) -> int:
    """Do one command and print its answer; return the exit code: 0 done, 1 failed or blocked, 2 usage."""
    try:
        words, given = options(arguments)
    except UsageError as error:
        print(f"certdesk: {error}", file=sys.stderr)  # noqa: T201 - the terminal is where this belongs
        return 2
    loaded = load()
    logs.set_up(loaded.config.log.model_copy(update={"level": "error"}))
    application = wiring.build(loaded)
    try:
        outcome = _with_options(requests.typed(application.desk, words, TERMINAL))
        if outcome.verb == scan_view.VERB:
            if not given.as_json:
                terminal.show(outcome, language=given.language)
            outcome = scanned(application, outcome)
        elif given.wait and outcome.follows:
            from bot.waiting import Follower  # noqa: PLC0415 - workers and web are loaded only by those who wait

            follower = Follower(application, outcome, given.seconds)
            if not given.as_json:
                terminal.follow(follower, language=given.language)
                return follower.outcome.exit_code
            for _ in follower:
                pass
            outcome = follower.outcome
        if given.files is not None:
            outcome = written(outcome, given.files, given.language)
        terminal.show(outcome, json=given.as_json, language=given.language)
        return outcome.exit_code
    finally:
        application.close()


def written(outcome: Outcome, folder: Path, language: Language) -> Outcome:
    """Write the files that belong to the answer into ``folder``, and return it with a line for each in its place."""
    parts: list[Part] = []
    failed = False
    for part in outcome.reply.parts:
        if not isinstance(part, Attachment):
            parts.append(part)
            continue
        from bot.attachments import made  # noqa: PLC0415 - what draws is loaded by those alone who want a file

        path = folder / part.kind
        try:
            path.write_bytes(made(part, language).content)
            parts.append(Paragraph(say("Written: {path}", path=str(path))))
        except OSError as error:
            failed = True
            why = error.strerror or str(error)
            parts.append(
                Paragraph(
                    say("{path} could not be written: {why}. Nothing else changed.", path=str(path), why=why)
                )
            )
    code = 1 if failed else outcome.exit_code
    return replace(outcome, reply=replace(outcome.reply, parts=tuple(parts)), exit_code=code)


def scanned(application: wiring.Application, outcome: Outcome) -> Outcome:
    """Make the scan that was asked for here and now, whoever else has begun it, and return what it found; 1 if it found anything."""
    [name] = outcome.names
    with application.storage.write() as tx:
        site = tx.scans.seize(name, application.clock(), sites.LEASE)
    if site is None:
        return outcome
    site = application.sites.scan(site)
    reply = scan_view.found(site, private=False)
    if site.scan is None:
        return Outcome(reply, exit_code=1)
    files = scan_view.attached(site.scan)
    return Outcome(
        replace(reply, parts=(*reply.parts, *files)),
        exit_code=1 if site.scan.count else 0,
        data=site.scan.as_json(),
    )


OPTIONS = (
    ("--json", say("print the answer for machines")),
    ("--wait", say("follow add and renew to the end")),
    ("--timeout SECONDS", say("how long --wait waits; 600 unless given")),
    ("--files FOLDER", say("write the files that belong to the answer into this folder")),
    ("--lang CODE", say("in which language it answers, such as ko or ja; English unless given")),
)
"""What the terminal adds to every command."""


def _with_options(outcome: Outcome) -> Outcome:
    """Return the outcome; a help has the terminal's own options besides."""
    data = outcome.data or {}
    if "commands" not in data:
        return outcome
    pairs = tuple((say("{option}", option=option), what) for option, what in OPTIONS)
    parts = (*outcome.reply.parts, Paragraph(say("In a terminal, with any of them:")), Fields(pairs))
    listed = [{"option": option, "summary": what.plain()} for option, what in OPTIONS]
    return replace(outcome, reply=replace(outcome.reply, parts=parts), data={**data, "options": listed})


@dataclass(slots=True)
class Given:
    """The terminal's own options."""

    as_json: bool = False
    wait: bool = False
    seconds: float = TIMEOUT
    language: Language = ENGLISH
    files: Path | None = None


def options(arguments: tuple[str, ...]) -> tuple[tuple[str, ...], Given]:
    """Split the terminal's own options from the command's words. Raises UsageError."""
    words: list[str] = []
    given = Given()
    rest = iter(arguments)
    for word in rest:
        if word == "--":  # behind it are names
            words += [word, *rest]
        elif word == "--json":
            given.as_json = True
        elif word == "--wait":
            given.wait = True
        elif word == "--timeout":
            given.seconds = _seconds(next(rest, ""))
        elif word == "--files":
            given.files = _folder(next(rest, ""))
        elif word == "--lang":
            given.language = _language(next(rest, ""))
        else:
            words.append(word)
    return tuple(words), given


def _language(code: str) -> Language:
    known = {each.code: each for each in languages()}
    if code not in known:
        raise UsageError(say("--lang needs one of {known}.", known=tuple(known)))
    return known[code]


def _folder(path: str) -> Path:
    if not path or not Path(path).is_dir():
        raise UsageError(say("--files needs a folder that there is, such as --files ."))
    return Path(path)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(say("--timeout needs a number of seconds, such as --timeout 600.")) from None
