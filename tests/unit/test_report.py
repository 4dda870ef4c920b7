"""The report: its figures, its words, its picture in three languages, and that it shows nobody what is not theirs."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bot import shell
from bot.attachments import KINDS, made
from bot.attachments.svg import nice
from bot.text.language import ENGLISH, Language, languages
from commands.alert_words import clause
from commands.attachment import Attachment
from commands.caller import Caller
from commands.dispatch import dispatch
from commands.reply import Outcome, Paragraph, Tone
from services.model.certificates import Happening
from services.model.fleet import WEEK
from services.model.lifecycle import State
from services.model.text import say
from tests.desks import MOON, NOW, STRANGER, SUPPORT, Bench
from tests.unit.commands_world import DAY, alert, desk_of, make_bench, sighting

LANGUAGES = pytest.mark.parametrize("language", languages(), ids=lambda one: one.code)


@pytest.fixture
def bench() -> Bench:
    """Two certificates of two stores, one of which cannot renew; five attempts have ended lately."""
    made_bench = make_bench()
    for name in ("shop.moon.test", "sun.test"):
        dispatch(f"add {name}", SUPPORT, made_bench.desk)
        made_bench.install(name, serial=name[:4])
    moon, sun = (made_bench.certificate(name) for name in ("shop.moon.test", "sun.test"))
    with made_bench.storage.write() as tx:
        held: dict[str, Any] = {
            "certificate": sun.id,
            "store": sun.store,
            "name": "sun.test",
            "deadline": sun.not_after,
        }
        tx.alerts.put_sighting(sighting(alert("dns.not_hosted", "sun.test"), **held))
        for certificate, what, ago in (
            (moon, "verified", DAY),
            (moon, "attempt_failed", 2 * DAY),
            (sun, "verified", 90 * DAY),
            (sun, "attempt_failed", 92 * DAY),  # before the thirteen weeks
        ):
            tx.certificates.record(Happening(certificate.id, NOW - ago, what))
    return made_bench


def ask(bench: Bench, text: str = "report", caller: Caller = SUPPORT) -> Outcome:
    return dispatch(text, caller, desk_of(bench), "C1")


def attachments(outcome: Outcome) -> list[Attachment]:
    return [part for part in outcome.reply.parts if isinstance(part, Attachment)]


def figures(outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.data is not None
    return outcome.data


def test_the_figures_are_those_of_the_fleet(bench: Bench) -> None:
    found = figures(ask(bench))
    ends = [sum(week[key] for key in ("well", "under_way", "needs_somebody")) for week in found["weeks"]]
    assert (sum(ends), sum(found["expired"].values()), sum(found["later"].values())) == (2, 0, 0)
    assert [(week["installed"], week["failed"]) for week in found["past"]] == [(1, 0), *[(0, 0)] * 11, (1, 1)]
    assert [(one["code"], one["certificates"]) for one in found["blockers"]] == [("dns.not_hosted", 1)]
    assert found["weeks"][0]["begins"] == found["at"]


def test_a_merchant_sees_their_own_store_in_private(bench: Bench) -> None:
    outcome = ask(bench, caller=MOON)
    found = figures(outcome)
    assert sum(week["well"] for week in found["weeks"]) == 1
    assert found["blockers"] == []
    assert sum(week["failed"] + week["installed"] for week in found["past"]) == 2
    assert outcome.reply.private
    assert not ask(bench).reply.private
    assert ask(bench).staff_only


def test_another_store_is_as_empty_as_one_that_there_is_not(bench: Bench) -> None:
    theirs, nobodys = (ask(bench, f"report --store {store}", MOON) for store in ("sun", "nowhere"))
    assert theirs == nobodys
    assert not attachments(theirs)


def test_who_is_nobody_gets_no_report(bench: Bench) -> None:
    outcome = ask(bench, caller=STRANGER)
    assert (outcome.denied, attachments(outcome)) == (True, [])


def test_staff_may_look_at_one_store(bench: Bench) -> None:
    assert figures(ask(bench, "report --store sun"))["blockers"][0]["code"] == "dns.not_hosted"
    assert figures(ask(bench, "report --store moon"))["blockers"] == []


def test_an_empty_fleet_has_no_picture() -> None:
    outcome = ask(make_bench())
    assert "no certificates to report" in outcome.reply.title.plain()
    assert outcome.reply.parts == ()


def test_what_has_expired_is_bad_and_what_needs_somebody_is_counted(bench: Bench) -> None:
    assert ask(bench).reply.tone is Tone.WARN
    sun = bench.certificate("sun.test")
    with bench.storage.write() as tx:
        claimed = tx.certificates.claim_one(sun.id, NOW, timedelta(minutes=1))
        assert claimed is not None
        tx.certificates.save(replace(claimed, state=State.FAILED, not_after=NOW - DAY), None)
    outcome = ask(bench)
    assert outcome.reply.tone is Tone.BAD
    assert outcome.reply.title.plain() == "2 certificates, and somebody has to act for 1"
    assert figures(outcome)["expired"] == {"needs_somebody": 1, "under_way": 0, "well": 0}


def test_the_title_tells_of_what_is_foreseen_before_it_is_stuck(bench: Bench) -> None:
    """The watch sees long before a renewal is due what is in its way; the certificate itself is well until then."""
    outcome = ask(bench)
    assert outcome.reply.title.plain() == "2 certificates, and as things stand 1 will not renew"
    assert sum(week["needs_somebody"] for week in figures(outcome)["weeks"]) == 0
    of_moon = ask(bench, "report --store moon").reply
    assert (of_moon.tone, of_moon.title.plain()) == (
        Tone.GOOD,
        "1 certificate, and nobody has to do anything",
    )


def test_the_words_say_what_the_picture_shows(bench: Bench) -> None:
    said = [part.text.plain() for part in ask(bench).reply.parts if isinstance(part, Paragraph)]
    assert said[0] == "Expired: 0. They end within 7 days: 0; in 13 weeks: 2; later: 0."
    assert said[1] == "In the last 13 weeks: issued or renewed 2, failed attempts 1."


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("report", ["report.png"]),
        ("report --csv", ["report.csv"]),
        ("report --svg --png", ["report.png", "report.svg"]),
    ],
)
def test_which_files_there_are_is_chosen(bench: Bench, text: str, kinds: list[str]) -> None:
    assert [one.kind for one in attachments(ask(bench, text))] == kinds


def test_a_name_is_no_word_of_it(bench: Bench) -> None:
    outcome = ask(bench, "report shop.moon.test")
    assert outcome.exit_code == 2
    assert "--store STORE" in outcome.reply.title.plain()


# --- the files


def facts(bench: Bench) -> Mapping[str, Any]:
    return attachments(ask(bench))[0].facts


@LANGUAGES
def test_the_picture_is_sound_svg_in_every_language(bench: Bench, language: Language) -> None:
    drawn = made(Attachment("report.svg", facts(bench)), language)
    root = ET.fromstring(drawn.content)  # noqa: S314 - our own drawing
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    texts = ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert language.plain(KINDS["report.svg"].title) in texts
    for piece in root.iter():
        assert 0 <= float(piece.attrib.get("x", 0)) <= width
        assert 0 <= float(piece.attrib.get("y", 0)) <= height
    assert language is ENGLISH or not {"expired", "later", "all other causes"} & set(texts)


@LANGUAGES
def test_the_picture_has_all_characters_of_the_language(bench: Bench, language: Language) -> None:
    """A drawing without its words is another picture, so the font has drawn them."""
    drawn = made(Attachment("report.png", facts(bench)), language)
    assert drawn.content.startswith(b"\x89PNG")
    assert drawn.name == "report.png"
    assert drawn.alt
    assert len(drawn.alt) <= 1000
    assert f"{language.plain(clause('dns.not_hosted'))}: 1" in drawn.alt  # in words, and not by its code
    others = [made(Attachment("report.png", facts(bench)), one) for one in languages() if one is not language]
    assert drawn.content not in [other.content for other in others]


def test_the_alternative_text_stays_within_what_slack_takes(bench: Bench) -> None:
    large = dict(facts(bench))
    large["weeks"] = [week | {"well": 10**15} for week in large["weeks"]]
    large["past"] = [week | {"installed": 10**15, "failed": 10**15} for week in large["past"]]
    large["blockers"] = [{"code": f"code.{'x' * 60}{n}", "certificates": 10**15} for n in range(20)]
    assert len(made(Attachment("report.png", large), ENGLISH).alt) <= 1000


def test_the_table_has_a_line_for_each_count(bench: Bench) -> None:
    written = made(Attachment("report.csv", facts(bench)), ENGLISH)
    rows = list(csv.DictReader(io.StringIO(written.content.decode())))
    assert len(rows) == 15 * 3 + 13 * 2 + 1
    assert sum(int(row["certificates"]) for row in rows if row["what"] == "ends") == 2
    assert rows[-1] == {"what": "blockers", "week_begins": "", "which": "dns.not_hosted", "certificates": "1"}
    assert written.alt == ""


@pytest.mark.parametrize("most", [0, 1, 3, 4, 5, 7, 99, 100, 101, 999, 8830, 10**6, 10**6 + 1])
def test_a_scale_is_round_and_holds_everything(most: int) -> None:
    top, steps = nice(most)
    assert max(most, 1) <= top <= max(4 * most, 1)
    assert top % steps == 0


# --- in a terminal


def test_a_terminal_writes_the_files_into_a_folder(bench: Bench, tmp_path: Path) -> None:
    outcome = shell.written(ask(bench, "report --csv --png"), tmp_path, ENGLISH)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.csv", "report.png"]
    assert not attachments(outcome)
    assert Paragraph(say("Written: {path}", path=str(tmp_path / "report.csv"))) in outcome.reply.parts


def test_a_file_that_cannot_be_written_is_said(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "report.png").mkdir()
    outcome = shell.written(ask(bench), tmp_path, ENGLISH)
    assert outcome.exit_code == 1
    assert any("could not be written" in str(part) for part in outcome.reply.parts)


def test_the_folder_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(shell.UsageError, match="--files needs a folder"):
        shell.options(("report", "--files", str(tmp_path / "none")))
    assert shell.options(("report", "--files", str(tmp_path)))[1].files == tmp_path


def test_weeks_are_seven_days_from_now(bench: Bench) -> None:
    begins = [week["begins"] for week in figures(ask(bench))["weeks"]]
    assert len(begins) == 13
    assert begins[1] == (NOW + WEEK).strftime("%Y-%m-%dT%H:%M:%SZ")
