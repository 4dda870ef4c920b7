"""Which language is spoken: what counts, in which order, and that every way to a person goes by it."""

from collections.abc import Iterator, Mapping

import pytest
from babel import Locale

from bot.slack.app import apologise
from bot.slack.clients import posting_client
from bot.slack.notifier import Notifier
from bot.slack.screens import SlackScreens
from bot.slack.settings import SlackSettings
from bot.slack.speech import English, Known, Speech, choose
from bot.slack.workspaces import alone
from bot.text.language import Language, language
from commands.reply import Composed, Page, Paragraph, Reply, Sheet, Tone
from services.model.audiences import ChannelLanguage, Kind, Link
from services.model.stores import Store
from services.model.text import say
from services.ports import Message, Request
from storage.memory import MemoryStorage
from tests.unit.slack_world import NOW, FakeClock, FakeStorage, SlackApi, no, ok


@pytest.mark.parametrize(
    ("known", "alone", "spoken"),
    [
        # person, channel, store
        (Known("ko-KR", "ja", "ja-JP"), True, "ko"),
        (Known("", "ja", "ko-KR"), True, "ko"),
        (Known("", "ja", ""), True, "en"),
        (Known("fr-FR", "", "ko-KR"), True, "en"),
        (Known(), True, "en"),
        (Known("ko-KR", "ja", "ko-KR"), False, "ja"),
        (Known("ja-JP", "", "ko-KR"), False, "ko"),
        (Known("ja-JP", "", ""), False, "en"),
        (Known("", "en", "ko-KR"), False, "en"),
        (Known("", "", "de"), False, "en"),
        (Known(), False, "en"),
    ],
)
def test_what_counts(known: Known, alone: bool, spoken: str) -> None:
    assert language(choose(known, alone=alone)).code == spoken


def speech(locales: Mapping[str, str] | None = None) -> Speech:
    storage = MemoryStorage()
    with storage.write() as tx:
        for store, locale in (("moon", "ko-KR"), ("quiz", "ja-JP"), ("sun", "ko")):
            tx.stores.put(Store(store, locale=locale))
            tx.links.put(Link(Kind.CHANNEL, f"C_{store}", store, "T1/U9", NOW))
        for person, stores in (("U1", ("moon",)), ("U2", ("moon", "sun")), ("U3", ("moon", "quiz"))):
            for store in stores:
                tx.links.put(Link(Kind.PERSON, f"T1/{person}", store, "T1/U9", NOW))
        tx.links.put(Link(Kind.WORKSPACE, "T2", "moon", "T1/U9", NOW))
        tx.languages.put(ChannelLanguage("C_quiz", "ko", "T1/U9", NOW))
        tx.languages.put(ChannelLanguage("C_staff", "ja", "T1/U9", NOW))
    return Speech(
        storage, lambda user: (locales or {}).get(user, ""), {"U1": "T1/U1", "U2": "T1/U2", "U3": "T1/U3"}.get
    )


@pytest.mark.parametrize(
    ("channel", "spoken"), [("C_moon", "ko"), ("C_quiz", "ko"), ("C_staff", "ja"), ("C1", "en"), ("", "en")]
)
def test_a_channel_is_spoken_to_in_its_own_language_else_its_stores(channel: str, spoken: str) -> None:
    assert speech({"U1": "ja-JP"}).in_channel(channel).code == spoken


@pytest.mark.parametrize(
    ("user", "channel", "spoken"),
    [
        ("U1", "", "ko"),
        ("U2", "", "ko"),  # both of their stores agree
        ("U3", "", "en"),  # theirs do not
        ("U9", "", "en"),
        ("U9", "C_quiz", "en"),  # a store that is not theirs
        ("U1", "C_quiz", "ko"),
        ("U3", "C_quiz", "ja"),
        ("U3", "C_moon", "ko"),
        ("U7", "C_moon", "ja"),
        ("U8", "C_moon", "en"),
    ],
)
def test_a_person_is_spoken_to_in_that_of_their_slack_else_their_stores(
    user: str, channel: str, spoken: str
) -> None:
    assert speech({"U7": "ja-JP", "U8": "en-GB"}).to_person(user, channel).code == spoken


def test_the_language_of_a_workspaces_stores_tells_nobody_there_of_them() -> None:
    assert speech().in_channel("T2/C1").code == "ko"
    assert speech().to_person("T2/U9", "T2/C1").code == "en"


def test_an_apology_is_in_the_language_of_who_asked() -> None:
    english = apologise(RuntimeError()).body
    assert "certdesk could not take this in" in english
    assert "error id" in apologise(RuntimeError(), language("fr")).body


# --- every way to a reader goes by it -------------------------------------------------------------------------------

PRIVATE_KOREAN = Language(
    "ko", "한국어", Locale("ko"), {"{name} is blocked": ("개인 {name}",), "Names": ("이름",)}
)
PUBLIC_JAPANESE = Language("ja", "日本語", Locale("ja"), {"{name} is blocked": ("全員 {name}",)})


class Two(English):
    """Speaks Korean to persons, Japanese in channels, and keeps whom it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def to_person(self, user: str, channel: str = "") -> Language:
        self.asked.append(f"{user} in {channel}" if channel else user)
        return PRIVATE_KOREAN

    def in_channel(self, channel: str) -> Language:
        self.asked.append(channel)
        return PUBLIC_JAPANESE


@pytest.fixture
def api() -> Iterator[SlackApi]:
    made = SlackApi()
    for method in ("chat.postMessage", "chat.update", "views.open", "views.publish"):
        made.tell(method, ok(ts="1700000000.000100", channel="C1"))
    made.tell("chat.postEphemeral", ok(message_ts="1700000000.000200"))
    made.tell("conversations.open", ok(channel={"id": "D1"}))
    yield made
    made.stop()


BLOCKED = Composed(Reply(Tone.WARN, say("{name} is blocked", name="x")), final=True)


def delivered(
    api: SlackApi, channel: str = "C1", *, private: bool = False, user: str = "U1"
) -> tuple[str, list[str]]:
    """Return the text that Slack was sent last, and who was asked for."""
    speech, storage = Two(), FakeStorage()
    client = posting_client(SlackSettings(api_url=api.url, bot_token="xoxb-1"))
    notifier = Notifier(alone(client), storage.port, lambda _message: BLOCKED, FakeClock(), speech=speech)
    message = Message("msg_1", "m", "reply", channel, user, private, body={}, created_at=NOW)
    storage.outbox.put(message)
    notifier.deliver(message)
    return str(api.calls[-1][1]["text"]), speech.asked


def test_what_all_see_is_in_the_language_of_the_channel(api: SlackApi) -> None:
    assert delivered(api) == ("⚠️ 全員 x", ["C1"])


def test_what_one_person_sees_is_in_theirs(api: SlackApi) -> None:
    assert delivered(api, private=True) == ("⚠️ 개인 x", ["U1 in C1"])
    assert delivered(api, "D7") == ("⚠️ 개인 x", ["U1 in D7"])


def test_what_is_for_nobody_is_in_that_of_the_channel_even_if_it_is_hidden(api: SlackApi) -> None:
    assert delivered(api, user="")[1] == ["C1"]


def test_who_is_told_directly_because_a_channel_is_closed_is_told_in_theirs(api: SlackApi) -> None:
    api.tell("chat.postMessage", no("not_in_channel"), ok(ts="1700000000.000100", channel="D1"))
    text, asked = delivered(api)
    assert asked == ["C1", "U1 in C1"]
    assert text.startswith("⚠️ 개인 x")


def test_a_modal_and_the_home_tab_are_in_the_language_of_who_looks(api: SlackApi) -> None:
    speech = Two()
    client = posting_client(SlackSettings(api_url=api.url, bot_token="xoxb-1"))
    screens = SlackScreens(alone(client), speech=speech)
    request = Request("req_1", "d", "T1", "U1", "C1", "", NOW, trigger="t")
    parts = (Paragraph(say("Names")),)
    assert screens.sheet(request, Sheet("s", say("Names"), parts))
    assert screens.page(request, Page(parts))
    assert speech.asked == ["U1 in C1", "U1"]
    assert all("이름" in str(body["view"]) or "\\uc774" in str(body["view"]) for _, body in api.calls)
