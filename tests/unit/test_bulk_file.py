"""/ssl add --file: every line is judged before anything is done; then each name is added once, as a job."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.clients import asking_client
from bot.slack.limits import violations
from bot.slack.render import render
from bot.slack.settings import SlackSettings
from bot.slack.uploads import SlackUploads, ours
from bot.slack.workspaces import alone
from commands import messages
from commands.caller import TERMINAL, Caller, Doubt, Role
from commands.dispatch import dispatch
from commands.reply import Composed, Fields, Reply, Row, Rows
from commands.uploads import Upload
from services.bulk import lists, steps
from services.bulk.plans import MOST, Chosen
from services.model.errors import CertdeskError
from services.model.jobs import Counts, JobState
from services.model.lifecycle import State
from services.model.proposals import Decider
from services.model.settings import Approving, CaSettings
from services.model.sight import EVERY
from services.model.text import say
from services.renewal import budget
from tests.desks import MOON, SUPPORT, Bench, finding
from tests.questions import Counted
from tests.unit.approval_world import ask, click, composed, message, proposal, said
from tests.unit.commands_world import desk_of, make_bench, only
from tests.unit.slack_world import Answer, FakeClock, SlackApi, no, ok

SECOND = Caller("T1/U_SECOND", Role.SUPPORT, None)
LIST = "store,name\nmoon,shop.moon.test\n,www.moon.test\n\n# more\nsun,sun.test\n"


class Dropped:
    """One list in one channel."""

    def __init__(self, text: str = LIST) -> None:
        self.upload = Upload("names.csv", text.encode())

    def latest(self, channel: str, _person: str) -> Upload | None:
        return self.upload if channel == "C1" else None

    def handed_in(self, _channel: str, file: str, _person: str) -> Upload:
        if file != "F1":
            raise CertdeskError(say("There is no such file."))
        return self.upload


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def shown(reply: Reply) -> str:
    drawn = render(reply)
    assert not violations(drawn.text, drawn.blocks)
    return said(reply)


def known(person: str, _workspace: str = "") -> Caller:
    return {SUPPORT.person: SUPPORT, MOON.person: MOON}.get(person, Caller(person, Role.NOBODY))


# --- the list ------------------------------------------------------------------------------------------------------


def read(bench: Bench, text: str | bytes, store: str | None = None, caller: Caller = SUPPORT) -> lists.Read:
    content = text.encode() if isinstance(text, str) else text
    return lists.read(bench.desk, content, store, caller.changes)


@pytest.mark.parametrize(
    "text",
    [
        "shop.moon.test\nsun.test",
        "name\r\nshop.moon.test\r\nsun.test\r\n",
        "\ufeffdomain\nSHOP.moon.test.\nhttps://sun.test/x\nsun.test\n",
        "store,name\nmoon,shop.moon.test\nsun,sun.test\n",
        "moon , shop.moon.test\n\n# a remark\n,sun.test",
        '"moon","shop.moon.test"\nsun.test\n',
    ],
)
def test_the_forms_of_a_list(bench: Bench, text: str) -> None:
    found = read(bench, text)
    assert found == lists.Read((Chosen("", "moon", "shop.moon.test"), Chosen("", "sun", "sun.test")), ())


def test_each_line_that_is_wrong_is_named(bench: Bench) -> None:
    text = "shop.moon.test\nnot a name\nother.test\nsun,shop.moon.test\na,b,c\nmoon.shops.test\n"
    found = read(bench, text)
    assert [(one.line, one.given) for one in found.bad] == [
        (2, "not a name"),
        (3, "other.test"),
        (4, "sun,shop.moon.test"),
        (5, "a,b,c"),
        (6, "moon.shops.test"),
    ]


@pytest.mark.parametrize("content", [b"", b"name\n", b"\xff\xfe\x00", b"a" * (lists.MOST_BYTES + 1)])
def test_what_is_no_list_is_refused(bench: Bench, content: bytes) -> None:
    with pytest.raises(CertdeskError, match="Nothing was done"):
        read(bench, content)


def test_too_many_names_are_refused_before_any_is_looked_up(bench: Bench) -> None:
    text = "\n".join(f"n{number}.moon.test" for number in range(MOST + 1))
    counted = Counted(bench.storage)
    with pytest.raises(CertdeskError, match="more than 2000 names"):
        lists.read(replace(bench.desk, storage=counted.port), text.encode(), None, EVERY)
    assert counted.asked == []


def test_what_several_lines_say_is_judged_once(bench: Bench) -> None:
    found = read(bench, "shop.moon.test\nother.test\n" * MOST)
    assert [one.name for one in found.chosen] == ["shop.moon.test"]
    assert [(one.line, one.given) for one in found.bad] == [(2, "other.test")]


@given(content=st.binary(max_size=200))
def test_no_file_brings_a_worker_down(content: bytes) -> None:
    with contextlib.suppress(CertdeskError):
        found = read(make_bench(), content)
        assert found.chosen or found.bad


def test_another_stores_name_looks_like_one_of_nobodys(bench: Bench) -> None:
    other, none = (read(bench, name, caller=MOON).bad for name in ("sun.test", "dus.test"))
    assert str(other).replace("sun", "dus") == str(none)


# --- the command ---------------------------------------------------------------------------------------------------


def test_a_list_with_a_wrong_line_does_nothing(bench: Bench) -> None:
    outcome = dispatch(
        "add --file", SUPPORT, desk_of(bench), "C1", uploads=Dropped("shop.moon.test\nother.test\n")
    )
    assert (outcome.exit_code, outcome.proposal) == (1, "")
    assert "1 line of names.csv is wrong, so nothing was done" in shown(outcome.reply)
    [rows] = only(outcome.reply, Rows)
    assert [(row.name, row.label.plain()) for row in rows.rows if isinstance(row, Row)] == [
        ("other.test", "Line 2")
    ]
    assert not bench.certificates()


def test_without_a_list_it_says_how_to_hand_one_in(bench: Bench) -> None:
    outcome = dispatch("add --file", SUPPORT, desk_of(bench), "C2", uploads=Dropped())
    assert outcome.exit_code == 1
    assert "There is no list of yours in this channel." in outcome.reply.title.plain()
    assert dispatch("add --file", SUPPORT, desk_of(bench), "C1").exit_code == 1
    assert dispatch("add --file names.csv", SUPPORT, desk_of(bench), "C1", uploads=Dropped()).exit_code == 2
    assert dispatch(["add", "--file"], TERMINAL, desk_of(bench)).exit_code == 2
    assert dispatch(["add", "--file", "/no/such/file"], TERMINAL, desk_of(bench)).exit_code == 1


def step(bench: Bench) -> None:
    with bench.storage.write() as tx:
        [held] = tx.jobs.claim(bench.now, timedelta(seconds=30), 1)
    steps.step(desk_of(bench), held)


def job(bench: Bench, asked: str) -> tuple[Any, Counts]:
    with bench.storage.read() as tx:
        found = tx.jobs.get(asked.replace("prop_", "job_"))
        assert found is not None
        return found, tx.jobs.counts(found.id)


def test_for_staff_a_second_person_approves_and_then_each_name_is_added(bench: Bench) -> None:
    asked = ask(bench, "add --file", uploads=Dropped())
    assert proposal(bench, asked).decider is Decider.SECOND
    question = shown(composed(bench, asked).reply)
    assert "Get certificates for 3 names from names.csv?" in question
    assert "Nothing is begun yet. Once it is approved, 5 names are at work at a time" in question
    assert not bench.certificates()
    told = click(bench, "approval.approve", asked, SUPPORT, known=known)
    assert told is not None
    assert click(bench, "approval.approve", asked, SECOND, known=known) is None
    step(bench)
    assert job(bench, asked)[1] == Counts(begun=3)
    assert sorted(row.wanted for row in bench.certificates()) == [
        ("shop.moon.test", "www.moon.test"),
        ("sun.test",),
    ]
    bench.now += timedelta(seconds=10)
    bench.install("sun.test", serial="01")
    bench.change(
        "shop.moon.test", state=State.FAILED, problem=finding("dns.lame", "shop.moon.test"), run_after=None
    )
    step(bench)
    found, counts = job(bench, asked)
    assert (found.state, counts) == (JobState.DONE, Counts(done=1, failed=2))
    last = composed(bench, asked).reply
    assert "Finished, 1 of 3 done: certificates for names from names.csv" in shown(last)
    [rows] = only(last, Rows)
    assert "dns.lame" not in shown(last)  # what was in the way is said in words
    assert {row.detail.plain() for row in rows.rows} == {
        "a listed name server does not answer for the zone; whose move: the platform"
    }


def test_a_merchant_confirms_their_own(bench: Bench) -> None:
    asked = ask(bench, "add --file", MOON, uploads=Dropped("shop.moon.test\n"))
    assert proposal(bench, asked).decider is Decider.SELF
    question = shown(composed(bench, asked).reply)
    assert "Nothing is begun yet. Once it is confirmed, 5 names are at work at a time" in question
    assert click(bench, "approval.confirm", asked, MOON) is None
    step(bench)
    assert [row.wanted for row in bench.certificates()] == [("shop.moon.test",)]
    with bench.storage.read() as tx:
        assert tx.certificates.history(bench.certificates()[0].id)[0].actor == MOON.person


@pytest.mark.parametrize("hours", [0, 2, 3])
@pytest.mark.parametrize("alone", [0, 10])
def test_a_merchants_question_does_not_tell_what_others_have_left_of_the_limit(
    bench: Bench, alone: int, hours: int
) -> None:
    le = CaSettings("le", "https://ca.test", limits={"orders": (300, timedelta(hours=3))})
    desk = replace(desk_of(bench), limits=(le,), approving=Approving(alone=alone))
    [bucket] = [one for one in budget.order_buckets(le.name, le, "", ()) if one.kind == "orders"]
    with bench.storage.write() as tx:
        tx.budgets.hold(bucket.key, bench.now + timedelta(hours=hours))
    asked = ask(bench, "add --file", MOON, desk, uploads=Dropped("shop.moon.test\nwww.moon.test\n"))
    assert proposal(bench, asked).decider is (Decider.SELF if alone else Decider.SECOND)
    reply = messages.compose(desk, message(bench, f"approval:{asked}")).reply
    pairs = [(label.plain(), str(value)) for fields in only(reply, Fields) for label, value in fields.pairs]
    assert ("Cost at the CA", "1 order at the most") in pairs
    assert ("Takes at least", "1 minute") in pairs
    clicker = MOON if alone else SUPPORT
    answer = "approval.confirm" if alone else "approval.approve"
    assert click(bench, answer, asked, clicker, known=known) is None
    bars = [
        messages.compose(one, message(bench, f"approval:{asked}")).reply
        for one in (desk, replace(desk, limits=()))
    ]
    assert bars[0] == bars[1]  # nor does its end, while it does not wait


def test_who_may_change_all_its_stores_steers_it_and_nobody_else(bench: Bench) -> None:
    dropped = Dropped("shop.moon.test\nwww.moon.test\n")
    asked = ask(bench, "add --file", MOON, uploads=dropped)
    assert click(bench, "approval.confirm", asked, MOON, known=known) is None
    id_ = asked.replace("prop_", "job_")
    other = Caller("T1/U_SUN", Role.MERCHANT, frozenset({"sun"}))
    assert click(bench, "bulk.pause", id_, other) == click(bench, "bulk.pause", "job_0", other)
    assert job(bench, asked)[0].state is JobState.RUNNING
    turned = {"pause": JobState.PAUSED, "resume": JobState.RUNNING, "cancel": JobState.CANCELLED}
    for action, after in turned.items():
        assert click(bench, f"bulk.{action}", id_, MOON) is None
        assert job(bench, asked)[0].state is after


def test_a_bar_is_shown_no_more_to_who_no_longer_sees_its_stores(bench: Bench) -> None:
    asked = ask(bench, "add --file", MOON, uploads=Dropped("shop.moon.test\n"))
    assert click(bench, "approval.confirm", asked, MOON) is None
    owed = message(bench, f"approval:{asked}")
    assert owed.private

    def seen_by(caller: Caller) -> Composed:
        return messages.compose(desk_of(bench), owed, lambda _, _workspace: caller)

    assert "names.csv" in shown(seen_by(MOON).reply)
    assert not seen_by(MOON).final
    for lost in (Caller(MOON.person, Role.MERCHANT, frozenset({"sun"})), Caller(MOON.person, Role.NOBODY)):
        assert (
            shown(seen_by(lost).reply)
            == "This is about a store that you no longer see, and is not shown here any more"
        )
        assert seen_by(lost).final
    with pytest.raises(
        CertdeskError, match="Slack does not say who"
    ):  # it is tried again, and nothing is ended
        seen_by(Caller(MOON.person, Role.NOBODY, doubt=Doubt.PERSON))


def test_what_others_decide_is_shown_to_them_whoever_has_asked(bench: Bench) -> None:
    asked = ask(bench, "add --file", uploads=Dropped())
    owed = message(bench, f"approval:{asked}:deciders")
    found = messages.compose(desk_of(bench), owed, lambda person, _workspace: Caller(person, Role.NOBODY))
    assert "Get certificates for 3 names from names.csv?" in shown(found.reply)


def test_what_is_installed_already_is_left_alone_and_a_name_that_was_left_out_is_told(bench: Bench) -> None:
    dispatch("add shop.moon.test www.moon.test", SUPPORT, bench.desk)
    bench.install("shop.moon.test", "shop.moon.test", retry_at=bench.now + timedelta(hours=2))
    asked = ask(bench, "add --file", MOON, uploads=Dropped("shop.moon.test\nwww.moon.test\n"))
    click(bench, "approval.confirm", asked, MOON)
    step(bench)
    assert job(bench, asked)[1] == Counts(skipped=1, begun=1)
    bench.now += timedelta(seconds=10)
    step(bench)
    assert job(bench, asked)[1] == Counts(skipped=1, failed=1)


def test_in_a_terminal_the_file_is_named_and_it_begins_at_once(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text(LIST)
    outcome = dispatch(["add", "--file", str(path)], TERMINAL, desk_of(bench))
    assert outcome.exit_code == 0
    step(bench)
    assert len(bench.certificates()) == 2


# --- Slack ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def api() -> Iterator[SlackApi]:
    made = SlackApi()
    yield made
    made.stop()


def uploads(api: SlackApi) -> SlackUploads:
    settings = SlackSettings(bot_token="xoxb-1", api_url=api.url)
    return SlackUploads(alone(asking_client(settings)), api.url, FakeClock())


def test_the_newest_list_of_the_person_is_fetched(api: SlackApi) -> None:
    def file(name: str, created: int, **more: object) -> dict[str, Any]:
        return {
            "name": name,
            "created": created,
            "user": "U1",
            "filetype": "csv",
            "url_private": f"{api.url}f",
        } | more

    files = [
        file("old.csv", 1),
        file("new.csv", 3),
        file("not.png", 9, filetype="png"),
        file("hers.csv", 8, user="U2"),
        file("elsewhere.csv", 9, is_external=True),
    ]
    api.tell("files.list", ok(files=files), ok(files=[]))
    api.tell("f", (200, {"Content-Type": "text/csv"}, LIST))
    made = uploads(api)
    assert made.latest("C1", "T1/U1") == Upload("new.csv", LIST.encode())
    assert api.asked("files.list")[0]["channel"] == "C1"
    assert made.latest("C1", "T1/U1") is None


def info(api: SlackApi, **more: object) -> Answer:
    held = {"id": "F1", "name": "new.csv", "user": "U1", "filetype": "text", "url_private": f"{api.url}f"}
    return ok(file=held | more)


def test_a_file_of_a_modal_is_asked_for_by_its_id_and_fetched(api: SlackApi) -> None:
    api.tell("files.info", info(api))
    api.tell("f", (200, {"Content-Type": "text/plain"}, LIST))
    assert uploads(api).handed_in("", "F1", "T9/U1") == Upload("new.csv", LIST.encode())
    assert api.asked("files.info") == [{"file": "F1"}]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"user": "U2"}, "file_not_found"),
        ({"is_external": True}, "that Slack keeps"),
        ({"filetype": "png"}, "no text or CSV file"),
        ({"url_private": "https://example.test/f"}, "url_not_allowed"),
    ],
)
def test_a_file_of_a_modal_that_is_no_list_of_theirs_is_not_fetched(
    api: SlackApi, more: dict[str, object], told: str
) -> None:
    api.tell("files.info", info(api, **more))
    with pytest.raises(CertdeskError, match=told):
        uploads(api).handed_in("", "F1", "T9/U1")
    assert "f" not in api.methods


@pytest.mark.parametrize("answer", [no("file_not_found"), no("missing_scope"), ok()])
def test_a_file_of_a_modal_that_slack_does_not_give_is_said(api: SlackApi, answer: Any) -> None:
    api.tell("files.info", answer)
    with pytest.raises(CertdeskError, match="files:read"):
        uploads(api).handed_in("", "F1", "T9/U1")


@pytest.mark.parametrize("answer", [no("missing_scope"), no("ratelimited", 500)])
def test_what_slack_does_not_give_is_said(api: SlackApi, answer: Any) -> None:
    api.tell("files.list", answer)
    with pytest.raises(CertdeskError, match="files:read"):
        uploads(api).latest("C1", "T1/U1")


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("https://files.slack.com/files-pri/T1-F1/names.csv", True),
        ("https://slack.com/x", True),
        ("http://files.slack.com/x", False),
        ("https://files.slack.com.example.test/x", False),
        ("https://evilslack.com/x", False),
        ("https://files.slack.com:8443/x", False),
        ("https://files.slack.com@example.test/x", False),
        ("https://example.test\\.slack.com/x", False),
        ("https://example.test\\@files.slack.com/x", False),
        ("https://token@files.slack.com/x", False),
        ("https://files.slack.com\t.example.test/x", False),
        ("https://slack.com:99999/x", False),
        ("https://FILES.slack.com/x", True),
        ("http://127.0.0.1:3100/files/x", True),
        ("http://127.0.0.1:3101/files/x", False),
        ("", False),
        ("http://[", False),
    ],
)
def test_the_token_goes_to_slack_alone(url: str, meant: bool) -> None:
    assert ours(url, "http://127.0.0.1:3100/api/") is meant
