"""No English leaks to a person: what is shown is a template that can be translated, or a value that is nobody's prose.

And Slack takes it in every language. Every message that the tests' worlds bring about is drawn in a language in which each template stands in brackets: a letter
outside of them would be English for everybody. And no value in a gap is a phrase of English: a sentence in a gap is a `Text`.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from babel import Locale

from bot.slack.limits import view_violations, violations
from bot.slack.render import render
from bot.slack.render_views import home, modal
from bot.text.language import Language, languages
from commands import live, messages, requests
from commands.dispatch import dispatch
from commands.progressing import progress
from commands.reply import Page, Reply, Sheet
from services.alerting import clicks, digest
from services.desk import Desk
from services.model.findings import CODES
from services.model.lifecycle import State
from services.model.text import Text
from services.ports import Request
from tests.desks import SUPPORT, finding
from tests.unit import test_commands_digest as digests
from tests.unit import test_commands_handover as handovers
from tests.unit.alert_world import DAY, World, found
from tests.unit.commands_world import desk_of, make_bench
from tests.unit.isolation_ways import CASES, IDS
from tests.unit.isolation_world import CALLERS, OWN, PEOPLE, UNKNOWN, Given, Seen, _look_home, filled, world
from tests.unit.pseudo import texts


class _Bracketed(dict[str, tuple[str, ...]]):
    """Any template in brackets: that all of them are in the catalogues is held by tests/architecture/test_catalogues.py."""

    def get(self, template: str, _default: Any = None) -> tuple[str, ...]:
        return (f"⟦{template.rpartition(chr(0))[2]}⟧",)


ANY = Language("any", "Any", Locale("en"), _Bracketed())
Shown = Reply | Sheet | Page

_VALUES = re.compile(r"`[^`]*`|```.*?```|<[^>]*>|&\w+;", re.DOTALL)
"""Code spans, preformatted blocks, mentions and date tokens: values."""
_PROSE = re.compile(r"\b[a-z]{3,} [a-z]{2,} ?[a-z]*\b")
"""What is a phrase: two words in small letters side by side."""
_OUTSIDE: Mapping[str, str] = {
    "command": "as it is typed",
    "usage": "as it is typed",
    "example": "as it is typed",
    "commands": "as they are typed",
    "given": "what somebody has typed",
    "word": "what somebody has typed",
    "detail": "a CA's, a server's or a tool's own words",
    "said": "a server's own words, where they are no known ones",
}
"""Gaps that hold words of others, or of a command."""


def strings(piece: Any, gap: str = "") -> Iterator[tuple[str, str]]:
    """Yield (gap, string) for every string that a message shows beside its templates."""
    if isinstance(piece, Text):
        for name, value in piece.values:
            yield from strings(value, name)
    elif isinstance(piece, str):
        yield gap, piece
    elif isinstance(piece, tuple | list):
        for value in piece:
            yield from strings(value, gap)
    elif dataclasses.is_dataclass(piece):
        for field in dataclasses.fields(piece):
            if field.name not in _NEVER_SHOWN:
                yield from strings(getattr(piece, field.name), field.name)


_NEVER_SHOWN = frozenset(
    {"memory", "action", "value", "options", "chosen", "id", "style", "tone", "code", "groups"}
)


def drawn(shown: Shown) -> list[str]:
    """Return all texts that Slack is sent."""
    if isinstance(shown, Reply):
        rendered = render(shown, language=ANY)
        return [rendered.text, *texts(rendered.blocks)]
    view = modal(shown, language=ANY) if isinstance(shown, Sheet) else home(shown, language=ANY)
    return list(texts(view))


def refused(shown: Shown, language: Language) -> list[str]:
    """Return why Slack would not take it in a language: what is too long for its place."""
    if isinstance(shown, Reply):
        rendered = render(shown, language=language)
        return violations(rendered.text, rendered.blocks)
    view = modal(shown, language=language) if isinstance(shown, Sheet) else home(shown, language=language)
    return view_violations(view)


def _is_prose(text: str) -> bool:
    """Tell whether a value reads like English; a command as it is typed does not count."""
    return bool(_PROSE.search(text)) and not text.startswith("/ssl ")


def leaks(shown: Shown) -> list[str]:
    """Return what of a message is English for everybody."""
    beside = [(gap, text) for gap, text in strings(shown) if text]
    found = [f"{gap}: {text}" for gap, text in beside if gap not in _OUTSIDE and _is_prose(text)]
    found += [f"{language.code}: {line}" for language in languages() for line in refused(shown, language)]
    for text in drawn(shown):
        bare = _VALUES.sub("", text)
        while bare != (bare := re.sub(r"⟦[^⟦⟧]*⟧", "", bare)):
            pass
        bare = re.sub(r"⟦.*", "", bare, flags=re.DOTALL)  # cut short: its bracket never closes
        for _, value in sorted(beside, key=lambda pair: -len(pair[1])):
            bare = bare.replace(value, "")
        if any(char.isalpha() for char in bare.replace("certdesk", "").replace("\N{INFORMATION SOURCE}", "")):
            found.append(f"{bare.strip()!r} in {text!r}")
    return found


def owed(desk: Desk) -> Iterator[Shown]:
    """Yield what is owed to Slack, in messages and in modals, as it would be shown now."""
    later = desk.clock() + 365 * DAY
    with desk.storage.write() as tx:
        waiting = [*tx.outbox.claim(later, DAY, 1000), *tx.outbox.claim(later, DAY, 1000, via=live.VIA)]
    for message in waiting:
        shown = live.compose(desk, message).sheet if message.via == live.VIA else None
        yield shown or messages.compose(desk, message).reply


@pytest.mark.parametrize(("kind", "given"), [(kind, given) for kind, _, given in CASES], ids=IDS)
def test_no_command_click_or_sheet_leaks(kind: str, given: Given) -> None:
    for caller in (CALLERS["support"], CALLERS["merchant"], CALLERS["nobody"]):
        for store in (OWN, UNKNOWN):
            bench = world()
            desk = desk_of(bench)
            sent = filled(store, bench, given)
            view = "V1" if sent.form else ""
            request = Request(
                "r",
                "once",
                "T1",
                "U1",
                "C1",
                sent.text,
                bench.now,
                kind=kind,
                trigger="t",
                view=view,
                form=sent.form,
            )
            with bench.storage.write() as tx:
                assert tx.requests.add(request)
                [claimed] = tx.requests.claim(bench.now, DAY, 10)
            screens = Seen()
            requests.perform(desk, claimed, caller, PEOPLE, screens, rooms=screens)
            _look_home(desk, caller, screens)
            for shown in (*screens.shown, *owed(desk)):
                assert leaks(shown) == []


@pytest.mark.parametrize("margin", [18 * DAY, -DAY])
@pytest.mark.parametrize("code", sorted(CODES))
def test_no_alert_leaks(code: str, margin: timedelta) -> None:
    known = World()
    for name in ("moon", "sun"):
        known.confirm(known.install(name, margin), found(code, f"{name}.test"))
    known.tend()
    for message in known.outbox():
        assert leaks(messages.compose(known.desk, message).reply) == []
    with known.storage.read() as tx:
        listed = tx.alerts.listing()
    for alert in listed:
        clicks.acknowledge(known.desk, alert.id, alert.version, "T0MOON/U0ONCALL")
    for name in ("moon", "sun"):
        known.see(known.certificate(f"cert_{name}"))
    known.run(2 * DAY)
    for message in known.outbox():
        assert leaks(messages.compose(known.desk, message).reply) == []


def test_no_digest_leaks() -> None:
    bench = make_bench()
    digests.everything(bench)
    assert digest.put(desk_of(bench), digests.NINE)
    assert leaks(digests.shown(bench)) == []


def test_no_hand_over_leaks() -> None:
    bench = make_bench()
    dispatch("add shop.moon.test www.moon.test", SUPPORT, bench.desk)
    handovers.hand_over(bench)
    for kind in ("handover", "timeline"):
        assert leaks(handovers.composed(bench, kind).reply) == []


@pytest.mark.parametrize("verb", ["add", "renew"])
@pytest.mark.parametrize("state", State)
def test_no_progress_leaks(state: State, verb: str) -> None:
    bench = make_bench()
    dispatch("add shop.moon.test www.moon.test", SUPPORT, bench.desk)
    blocked = finding("dns.not_hosted", "shop.moon.test")
    certificate = bench.change("shop.moon.test", [blocked], state=state, problem=blocked, failures=3)
    shown = progress(bench.desk, verb, certificate.wanted, (certificate.id,))
    assert leaks(shown.reply) == []
