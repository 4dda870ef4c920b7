"""What the demo reads out of a Slack message is what certdesk wrote into it."""

from datetime import UTC, datetime

import pytest

from bot.demo.message import lines, readable
from bot.slack.render import MARKS, render
from commands.reply import Fields, Hint, Mark, Paragraph, Plan, Problem, Reply, Tone
from services.model.text import say

AT = datetime(2027, 2, 20, 23, 40, tzinfo=UTC)


def read(reply: Reply) -> list[str]:
    message = render(reply)
    return lines({"text": message.text, "blocks": message.blocks})


def test_a_finished_message_is_read_in_full() -> None:
    steps = ((say("check"), Mark.DONE), (say("CSR"), Mark.NOW), (say("order"), Mark.NEXT))
    pairs = ((say("Serial number"), "1ace2b2140f881ac"), (say("Valid until"), AT))
    parts = (Plan("shop.moon.test", steps), Fields(pairs), Hint(say("Look again.")))
    assert read(Reply(Tone.GOOD, say("Done for {name}", name="shop.moon.test"), parts)) == [
        "✅ Done for shop.moon.test",
        "shop.moon.test",
        f"{MARKS[Mark.DONE]} check → {MARKS[Mark.NOW]} CSR → {MARKS[Mark.NEXT]} order",
        "Serial number  1ace2b2140f881ac",
        "Valid until    2027-02-20 23:40 UTC",
        "Look again.",
    ]


def test_a_problem_is_read_with_its_remedy_and_whose_move_it_is() -> None:
    problem = Problem("dns.caa", say("It & <that>."), say("Change it."), say("the merchant"), blocks=True)
    assert read(Reply(Tone.BAD, say("Blocked"), (problem,)))[1:] == [
        "⛔ It & <that>.",
        "What to do: Change it.",
        "Whose move: the merchant · dns.caa",
    ]


def test_moments_within_a_sentence_read_in_utc() -> None:
    assert read(Reply(Tone.INFO, say("T"), (Paragraph(say("Until {at}.", at=AT)),)))[1:] == [
        "Until 2027-02-20 23:40 UTC."
    ]


def test_a_message_without_blocks_is_its_text() -> None:
    assert lines({"text": "It is `done`.\n\nReally."}) == ["It is done.", "Really."]


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("`*.moon.test`", "*.moon.test"),
        ("*`/ssl add NAME`*", "/ssl add NAME"),
        ("2 * 3 * 4 is *24*", "2 * 3 * 4 is 24"),
        ("&lt;!channel&gt; &amp;", "<!channel> &"),
    ],
)
def test_signs_of_formatting_are_not_read_aloud(marked: str, plain: str) -> None:
    assert readable(marked) == plain
