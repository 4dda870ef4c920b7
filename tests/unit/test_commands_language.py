"""/ssl language: who may choose for a channel, what is kept, and what is said."""

import pytest

from commands.caller import TERMINAL, Caller, Role
from commands.dispatch import dispatch
from commands.reply import Outcome
from services import linking
from services.model.audiences import Kind
from services.ports import Storage
from storage.memory import MemoryStorage
from tests.desks import MOON, STRANGER, SUPPORT, Bench
from tests.unit.approval_world import confirmed

ONCALL = Caller("T1/U_ONCALL", Role.ONCALL, None)


@pytest.fixture
def bench() -> Bench:
    made = Bench(MemoryStorage())
    for store in ("moon", "quiz"):
        made.store(store)
        linking.link(made.desk, Kind.CHANNEL, f"C_{store}", store, "T1/U_SUPPORT")
    return made


def ask(bench: Bench, words: str = "", caller: Caller = SUPPORT, channel: str = "C1") -> Outcome:
    return dispatch(f"language {words}".strip(), caller, bench.desk, channel)


def kept(storage: Storage, channel: str = "C1") -> str | None:
    with storage.read() as tx:
        found = tx.languages.of(channel)
    return found.language if found else None


@pytest.mark.parametrize("word", ["ko", "KO", "ko-KR", "ko_KR", "한국어"])
def test_a_language_is_chosen_by_code_locale_or_its_own_name(bench: Bench, word: str) -> None:
    outcome = ask(bench, word)
    assert outcome.exit_code == 0
    assert outcome.data == {"channel": "C1", "language": "ko"}
    assert outcome.reply.title.plain() == "In this channel certdesk speaks 한국어 from now on"
    assert kept(bench.storage) == "ko"


def test_a_choice_is_shown_replaced_and_taken_back(bench: Bench) -> None:
    assert ask(bench).reply.title.plain() == "No language is chosen for this channel"
    ask(bench, "ko")
    ask(bench, "ja")
    shown = ask(bench)
    assert shown.reply.title.plain() == "In this channel certdesk speaks 日本語"
    assert "U_SUPPORT" in str(shown.reply)
    assert ask(bench, "auto").data == {"channel": "C1", "language": None}
    assert kept(bench.storage) is None
    assert "nothing was changed" in ask(bench, "auto").reply.title.plain()


@pytest.mark.parametrize("word", ["fr", "k", "klingon", "../ko", "zh-TW"])
def test_an_unknown_language_is_refused_with_those_there_are(bench: Bench, word: str) -> None:
    outcome = ask(bench, word)
    assert outcome.exit_code == 2
    assert "ko (한국어)" in outcome.reply.title.plain()
    assert kept(bench.storage) is None


@pytest.mark.parametrize(("caller", "channel"), [(TERMINAL, ""), (SUPPORT, "D1"), (MOON, "D1")])
def test_a_language_belongs_to_a_channel(bench: Bench, caller: Caller, channel: str) -> None:
    assert ask(bench, "ko", caller, channel).exit_code == 2
    assert kept(bench.storage, channel) is None


def test_a_merchant_chooses_where_the_channel_is_their_stores(bench: Bench) -> None:
    assert ask(bench, "ko", MOON, "C_moon").exit_code == 0
    assert kept(bench.storage, "C_moon") == "ko"
    ask(bench, "ja", SUPPORT, "C_moon")
    assert "U_SUPPORT" not in str(ask(bench, "", MOON, "C_moon"))


@pytest.mark.parametrize("words", ["", "ko", "auto"])
@pytest.mark.parametrize("caller", [MOON, ONCALL, STRANGER])
def test_nobody_else_does_and_a_channel_of_another_store_is_like_any(
    bench: Bench, caller: Caller, words: str
) -> None:
    ask(bench, "ja", SUPPORT, "C_quiz")
    answers = [ask(bench, words, caller, channel) for channel in ("C1", "C_quiz")]
    assert [one.denied for one in answers] == [True, True]
    assert answers[0].reply == answers[1].reply
    assert kept(bench.storage, "C_quiz") == "ja"


@pytest.mark.parametrize("again", [False, True], ids=["another store", "no store between"])
def test_a_choice_ends_with_the_link_of_its_channel(bench: Bench, again: bool) -> None:
    ask(bench, "ja", MOON, "C_moon")
    if again:
        linking.unlink(bench.desk, Kind.CHANNEL, "C_moon", "moon")
    linked = linking.link(bench.desk, Kind.CHANNEL, "C_moon", "quiz", "T1/U_SUPPORT")
    assert kept(bench.storage, "C_moon") is None
    assert linked.language_dropped is not again
    ask(bench, "ko", SUPPORT, "C_moon")
    linking.link(bench.desk, Kind.CHANNEL, "C_moon", "quiz", "T1/U_SUPPORT")  # the link that there is
    assert kept(bench.storage, "C_moon") == "ko"


def test_who_links_a_channel_anew_is_told_that_its_language_is_taken_back(bench: Bench) -> None:
    linking.link(bench.desk, Kind.CHANNEL, "C0000001", "moon", "T1/U_SUPPORT")
    ask(bench, "ja", SUPPORT, "C0000001")
    asked = dispatch("link <#C0000001> quiz", SUPPORT, bench.desk)
    assert "a language that was chosen there is taken back" in str(asked.reply)
    said = str(confirmed(bench, asked).reply)
    assert "The language that was chosen there is taken back" in said
    again = confirmed(bench, dispatch("link <#C0000001> moon", SUPPORT, bench.desk))
    assert "taken back" not in str(again.reply)


def test_a_choice_for_a_channel_without_a_link_stays_when_it_gets_one(bench: Bench) -> None:
    ask(bench, "ja")
    linking.link(bench.desk, Kind.CHANNEL, "C1", "moon", "T1/U_SUPPORT")
    assert kept(bench.storage) == "ja"


def test_a_choice_is_kept_in_the_audit_trail(bench: Bench) -> None:
    deed = ask(bench, "ko").deed
    assert deed is not None
    assert (deed.action, deed.subject, deed.result) == ("language", "C1 ko", "done")
