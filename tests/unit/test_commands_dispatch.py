"""What any text leads to: who may, usage, "did you mean", bad input, isolation. Nothing bad creates or loses anything."""
# ruff: noqa: RUF001 - characters that look like others are what is tested here

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import shell
from bot.text.catalogue import FOLDER
from bot.text.extract import extract
from commands.caller import TERMINAL, Action, Caller, Role
from commands.command import TERMINAL_OPTIONS, VALUES
from commands.dispatch import dispatch
from commands.reply import Hint, Outcome, Paragraph, Part, Plan, Problem, Reply, Row, Rows, Tone
from commands.table import COMMANDS
from services.model.audiences import Kind, Link
from services.model.errors import CertdeskError
from services.model.lifecycle import State
from services.model.stores import StoreStatus
from services.model.text import Text, say
from storage.memory import MemoryStorage
from tests.desks import MOON, STRANGER, SUPPORT, Bench, finding


@pytest.fixture
def bench() -> Bench:
    made = Bench(MemoryStorage())
    made.store("moon", "shop.moon.test", "www.moon.test", default="moon.shops.test")
    made.store("sun", "sun.test", "shop.sun.test")
    return made


def texts(reply: Reply) -> str:
    """Return all that a reply says, as plain text."""
    return "\n".join([reply.title.plain(), *(line for part in reply.parts for line in _lines(part))])


def _lines(part: Part) -> list[str]:
    match part:
        case Paragraph(text) | Hint(text):
            return [text.plain()]
        case Problem():
            return [part.code, part.summary.plain(), part.remedy.plain(), part.owner.plain()]
        case Rows(rows):
            return [f"{row.name} {row.label} {row.detail}" for row in rows]
        case Plan(name, steps):
            return [name, *(f"{mark.value} {label}" for label, mark in steps)]
        case _:
            return [str(getattr(part, "text", "")), *(f"{k} {v}" for k, v in getattr(part, "pairs", ()))]


def run(bench: Bench, text: str, caller: Caller = SUPPORT) -> Outcome:
    return dispatch(text, caller, bench.desk, "C1")


def codes(outcome: Outcome) -> list[str]:
    """Return the codes of the findings in the machine contract's data, sorted."""
    data: dict[str, Any] = dict(outcome.data or {})
    objects = data.get("certificates", [data])
    return sorted(found["code"] for one in objects for found in one.get("findings", ()))


# --- the table -----------------------------------------------------------------------------------------------------


def test_the_order_of_the_sub_commands_is_the_one_of_the_help() -> None:
    names = [one.name for one in COMMANDS]
    assert names[:11] == [
        "add",
        "status",
        "renew",
        "remove",
        "revoke",
        "rollback",
        "check",
        "history",
        "scan",
        "forecast",
        "alerts",
    ]
    assert names[11:] == ["report", "link", "unlink", "links", "notify", "language", "help"]


def test_every_sub_command_says_what_it_does_how_it_is_typed_and_an_example() -> None:
    for one in COMMANDS:
        assert one.usage.startswith(f"/ssl {one.name}")
        assert one.example.startswith(f"/ssl {one.name}")
        assert one.summary.plain()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_every_example_is_understood(bench: Bench, command: Any) -> None:
    assert run(bench, command.example).exit_code != 2


# --- help and usage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "   ", "help", "HELP", "--help", "-h", "?", "/ssl", "/ssl help", "certdesk ssl"]
)
def test_nothing_and_help_give_the_help(bench: Bench, text: str) -> None:
    outcome = run(bench, text)
    assert outcome.exit_code == 0
    assert outcome.reply.private
    assert all(one.usage in texts(outcome.reply) for one in COMMANDS)
    assert [one["name"] for one in (outcome.data or {})["commands"]] == [one.name for one in COMMANDS]


@pytest.mark.parametrize(
    "text", ["help add", "add --help", "add -h", "add help", "add shop.moon.test --help", "ADD -?"]
)
def test_help_for_one_command_shows_usage_and_example(bench: Bench, text: str) -> None:
    outcome = run(bench, text)
    said = texts(outcome.reply)
    assert outcome.exit_code == 0
    assert "/ssl add NAME" in said
    assert "/ssl add shop.example.com" in said
    assert "/ssl renew" not in said
    assert not bench.certificates()


def test_help_says_what_a_list_is_and_what_a_cause_does(bench: Bench) -> None:
    add = texts(run(bench, "help add").reply)
    for said in (
        "a name in each line, or store,name",
        "2,000 names and 256 kB",
        "nothing of the list is done",
    ):
        assert said in add
    renew = texts(run(bench, "help renew").reply)
    assert "it renews every certificate that suffers from it" in renew
    assert "a second person approves that first" in renew


def test_help_shows_only_what_the_asker_may_type(bench: Bench) -> None:
    for text in ("help", "help renew", "renew"):
        assert "--cause" in texts(run(bench, text).reply)
        assert "--cause" not in texts(run(bench, text, MOON).reply)
    said = texts(run(bench, "help", MOON).reply)
    assert "/ssl link STORE" in said
    assert "/ssl links [STORE]" in said
    assert "@user" not in said
    assert "workspace TEAM" not in texts(run(bench, "help", STRANGER).reply)
    assert "/ssl links [STORE | @user | #channel | workspace TEAM]" in texts(run(bench, "help").reply)


def test_help_lists_the_choice_of_a_language_where_it_can_be_made(bench: Bench) -> None:
    assert "/ssl language" in texts(run(bench, "help").reply)
    assert "/ssl language" not in texts(run(bench, "help", MOON).reply)
    assert "/ssl language" not in texts(run(bench, "help", STRANGER).reply)
    assert "/ssl language [CODE | auto]" in texts(run(bench, "help language", MOON).reply)
    with bench.storage.write() as tx:
        tx.links.put(Link(Kind.CHANNEL, "C_MOON", "moon", SUPPORT.person, bench.now))
    there = dispatch("help", MOON, bench.desk, "C_MOON")
    assert "/ssl language" in texts(there.reply)


def test_in_a_terminal_a_list_is_named(bench: Bench) -> None:
    outcome = run(bench, "add sun.test --file", TERMINAL)
    assert outcome.reply.title.plain() == "The value of --file is missing, as in: --file names.txt"
    assert "/ssl add NAME… | --file PATH [--store STORE]" in texts(outcome.reply)
    assert "--file PATH" not in texts(run(bench, "help add").reply).replace("file at PATH", "")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("add new.moon.test", "certdesk domains add STORE new.moon.test"),
        ("add new.moon.test --store moon", "certdesk domains add moon new.moon.test"),
        ("check elsewhere.test", "certdesk domains add STORE elsewhere.test"),
    ],
)
def test_in_a_terminal_it_is_said_how_a_name_is_added_to_a_store(
    bench: Bench, text: str, command: str
) -> None:
    assert f"On this machine you add it with: {command}" in texts(run(bench, text, TERMINAL).reply)
    assert "domains add" not in texts(run(bench, text).reply)


@pytest.mark.parametrize(
    ("text", "exit_code"),
    [
        ("status", 0),
        ("status moon", 0),
        ("status shop.moon.test", 0),
        ("history shop.moon.test", 0),
        ("forecast", 0),
        ("alerts", 0),
        ("report", 0),
        ("links moon", 0),
        ("check shop.moon.test", 1),
        ("status nobody.test", 1),
        ("history nobody.test", 1),
        ("status nostore", 1),
        ("links nostore", 1),
        ("alerts 9", 1),
    ],
)
def test_what_only_shows_ends_well_whatever_it_shows(bench: Bench, text: str, exit_code: int) -> None:
    """The machine contract (docs/json.md)."""
    run(bench, "add shop.moon.test")
    blocked = finding("dns.not_hosted", "shop.moon.test")
    bench.checker.says["shop.moon.test"] = (blocked,)
    bench.change("shop.moon.test", state=State.BLOCKED, problem=blocked)
    assert run(bench, text).exit_code == exit_code


def test_every_option_with_a_value_has_an_example_of_one(bench: Bench) -> None:
    for command in COMMANDS:
        for option in re.findall(r"(--[a-z]+) [A-Z]", command.usage):
            assert option in VALUES
            said = run(bench, f"{command.name} a.test {option}").reply.title.plain()
            assert said == f"The value of {option} is missing, as in: {option} {VALUES[option]}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("help ad", "Did you mean: /ssl help add"),
        ("help forcast", "Did you mean: /ssl help forecast"),
        ("help HIST", "Did you mean: /ssl help history"),
        ("help frobnicate", "There is no command “frobnicate”"),
    ],
)
def test_help_for_what_is_no_command_says_so_and_guesses(bench: Bench, text: str, said: str) -> None:
    assert said in texts(run(bench, text).reply)
    assert "There is no command" not in texts(run(bench, "help").reply)


def test_help_guesses_only_what_the_asker_may_do(bench: Bench) -> None:
    assert "Did you mean: /ssl help notify" in texts(run(bench, "help notfy").reply)
    assert "notify" not in texts(run(bench, "help notfy", MOON).reply)


USAGE = [
    ("add", "name is missing"),
    ("add --store moon", "name is missing"),
    ("renew", "name is missing"),
    ("check", "name is missing"),
    ("history", "name is missing"),
    ("scan", "name is missing"),
    ("check a.test b.test", "takes one name, and 2 were given"),
    ("history a.test b.test c.test", "takes one name, and 3 were given"),
    ("status a.test b.test", "one name or one store, and 2 were given"),
    ("status --csr", "the name is missing"),
    ("add shop.moon.test --stor moon", "Did you mean --store?"),
    ("add shop.moon.test -store moon", "Did you mean --store?"),
    ("status shop.moon.test --cst", "Did you mean --csr?"),
    ("add shop.moon.test --xyz", "There is no option --xyz here."),
    ("status shop.moon.test --json", "--json is for the terminal alone. Leave it out here."),
    ("add shop.moon.test --timeout=5", "--timeout is for the terminal alone. Leave it out here."),
    ("status shop.moon.test --jsn", "There is no option --jsn here."),
    ("add shop.moon.test --store", "value of --store is missing"),
    ("add shop.moon.test --store=", "value of --store is missing"),
    ("add shop.moon.test --store --csr", "value of --store is missing"),
    ("add shop.moon.test --store moon --store sun", "given twice"),
    ("statsu", "Did you mean: /ssl status"),
    ("ADDD shop.moon.test", "Did you mean: /ssl add"),
    (
        "frobnicate",
        "What there is: " + ", ".join(one.name for one in COMMANDS),
    ),
    ("shop.moon.test", "/ssl status shop.moon.test"),
    ("https://Shop.Moon.test/", "/ssl add shop.moon.test"),
    (
        "add " + " ".join(f"n{n}.moon.test" for n in range(200)),
        "200 names were given and one command takes at most 100",
    ),
]


@pytest.mark.parametrize(("text", "said"), USAGE, ids=[text[:40] for text, _ in USAGE])
def test_usage_errors_say_what_is_wrong_and_what_to_type_and_do_nothing(
    bench: Bench, text: str, said: str
) -> None:
    outcome = run(bench, text)
    assert outcome.exit_code == 2
    assert said in texts(outcome.reply)
    assert "/ssl" in texts(outcome.reply)
    assert outcome.reply.private
    assert (outcome.data or {})["error"]
    assert not bench.certificates()


def test_a_repeated_equal_option_and_lone_dashes_do_no_harm(bench: Bench) -> None:
    outcome = run(bench, "add - --store moon --store=moon -- shop.moon.test")
    assert outcome.exit_code == 0
    assert bench.certificate("shop.moon.test").store == "moon"


@pytest.mark.parametrize("word", ["-moon.test", "--store", "--help", "-h"])
def test_words_behind_a_double_hyphen_are_names(bench: Bench, word: str) -> None:
    outcome = run(bench, f"check -- {word}")
    assert outcome.exit_code == 1
    assert codes(outcome) == ["domain.invalid"]
    assert (outcome.data or {})["name"] == word


def test_a_hundred_names_are_taken_and_repeated_ones_count_once(bench: Bench) -> None:
    many = [f"n{n}.big.test" for n in range(100)]
    bench.store("big", *many)
    outcome = run(bench, "add " + " ".join(many + many))
    assert outcome.exit_code == 0
    assert bench.certificate("n7.big.test").wanted == tuple(sorted(many))


# --- bad input -----------------------------------------------------------------------------------------------------

BAD = [
    ("a@b.test", "domain.invalid", "e-mail address"),
    ("<mailto:a@b.test|a@b.test>", "domain.invalid", "e-mail address"),
    ("192.0.2.1", "domain.invalid", "IP address"),
    ("2001:db8::1", "domain.invalid", "IP address"),
    ("a" * 300, "domain.invalid", "253 characters"),
    ("💩.test", "domain.invalid", "no host name may have"),
    ("localhost", "domain.invalid", "single label"),
    ("*bold*", "domain.invalid", "asterisk"),
    ("_i_.test", "domain.invalid", "have no underscore"),
    ("<!channel>", "domain.invalid", "mention in Slack"),
    ("<@U123|bob>", "domain.invalid", "mention in Slack"),
    ("&lt;!here&gt;", "domain.invalid", "mention in Slack"),
    ("{curly}.test", "domain.invalid", "no host name may have"),
    ("payload.example.test", "domain.not_added", "payload.example.test"),
    ("moon.shops.test", "domain.default", "moon.shops.test"),
    ("*.shop.moon.test", "policy.wildcard_needs_dns", "*.shop.moon.test"),
    ("*.nobody.test", "domain.not_added", "A wildcard needs the dns-01 challenge"),
    ("shоp.moon.test", "domain.not_added", "several scripts (Cyrillic, Latin)"),
]


@pytest.mark.parametrize("verb", ["add", "renew", "check", "status", "history"])
@pytest.mark.parametrize(("given", "code", "said"), BAD, ids=[given[:20] for given, _, _ in BAD])
def test_bad_input_gets_a_clear_answer_and_creates_nothing(
    bench: Bench, verb: str, given: str, code: str, said: str
) -> None:
    outcome = run(bench, f"{verb} {given}")
    if code not in {"domain.default", "policy.wildcard_needs_dns"} or verb not in {"status", "history"}:
        assert outcome.exit_code == 1
    if verb == "status" and given == "localhost":
        assert "There is no store localhost that you can see" in texts(outcome.reply)
        assert "To list all names that you can see, type: /ssl status" in texts(outcome.reply)
    else:
        assert said in texts(outcome.reply)
    if verb != "history" or outcome.exit_code:
        assert codes(outcome) == [code]
    assert not bench.certificates()


@pytest.mark.parametrize(
    "given",
    [
        "HTTPS://Shop.Moon.TEST/x",
        "shop.moon.test.",
        "SHOP.MOON.TEST",
        "<http://shop.moon.test|shop.moon.test>",
        "shop。moon。test",
    ],
)
def test_what_means_a_name_is_taken_as_that_name(bench: Bench, given: str) -> None:
    outcome = run(bench, f"add {given}")
    assert outcome.exit_code == 0
    assert [one["name"] for one in (outcome.data or {})["certificates"]] == ["shop.moon.test"]
    assert [one.wanted for one in bench.certificates()] == [("shop.moon.test",)]


@pytest.mark.parametrize(
    ("given", "name"), [("한국.test", "xn--3e0b707e.test"), ("xn--r8jz45g.test", "xn--r8jz45g.test")]
)
def test_idn_is_kept_as_a_labels_and_shown_as_people_write_it(bench: Bench, given: str, name: str) -> None:
    bench.store("asia", "xn--3e0b707e.test", "xn--r8jz45g.test")
    outcome = run(bench, f"add {given}")
    assert bench.certificate(name).wanted == (name,)
    assert ("한국.test" if given == "한국.test" else "例え.test") in texts(outcome.reply)


def test_wildcards_are_taken_where_dns_01_is_set_up(bench: Bench) -> None:
    bench.checker.wildcards = True
    assert run(bench, "add *.shop.moon.test").exit_code == 0
    assert bench.certificate("*.shop.moon.test").wanted == ("*.shop.moon.test",)
    assert "dns-01" not in texts(run(bench, "add *.nobody.test").reply)


INJECTIONS = [
    "<!channel>",
    "*bold*",
    "`code`",
    "<https://evil.test|shop.moon.test x>",
    "{curly}",
    "%s",
    "&lt;@U1&gt;",
    "\x1b[31mred",
]


FINDINGS = {"{name}: found {code}.", "Mend {code}."}
"""What the findings of these tests say."""
SENTENCES = {
    "",
    *FINDINGS,
    *(one for found in extract(FOLDER.parents[1]).messages for one in (found.one, found.many)),
}
"""Every template that stands in the sources."""


@given(
    st.sampled_from([one.name for one in COMMANDS] + [""]), st.sampled_from(INJECTIONS) | st.text(max_size=40)
)
def test_any_text_has_an_answer_and_what_was_typed_is_only_ever_a_value(verb: str, typed: str) -> None:
    bench = Bench(MemoryStorage())
    outcome = run(bench, f"{verb} {typed}")
    assert outcome.exit_code in (0, 1, 2)
    assert set(templates(outcome.reply)) <= SENTENCES
    assert not bench.certificates()


def templates(thing: object) -> list[str]:
    """Return every template in a reply, nested ones too."""
    if isinstance(thing, Text):
        return [thing.template, *(one for _, value in thing.values for one in templates(value))]
    if isinstance(thing, tuple):
        return [one for item in thing for one in templates(item)]
    if isinstance(thing, Reply | Row) or hasattr(thing, "__dataclass_fields__"):
        fields = thing.__dataclass_fields__
        return [one for field in fields for one in templates(getattr(thing, field))]
    return []


# --- rights and isolation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "add shop.moon.test",
        "status",
        "status shop.moon.test",
        "renew x.test",
        "check x.test",
        "history x.test",
    ],
)
def test_strangers_are_told_how_to_get_access_and_nothing_else(bench: Bench, text: str) -> None:
    outcome = run(bench, text, STRANGER)
    assert outcome.exit_code == 1
    assert "put your id, U_NEW, under slack.support (or slack.oncall, or slack.admins) in app.yaml" in texts(
        outcome.reply
    )
    assert "moon" not in texts(outcome.reply)
    assert outcome.reply.private
    assert not bench.certificates()


@pytest.mark.parametrize("text", ["", "help", "xyzzy", "shop.moon.test"])
def test_strangers_get_help_and_the_way_to_access(bench: Bench, text: str) -> None:
    outcome = run(bench, text, STRANGER)
    assert outcome.exit_code in (0, 2)
    assert "put your id, U_NEW, under slack.support" in texts(outcome.reply)


@pytest.mark.parametrize("verb", ["add", "renew", "check", "status", "history"])
@pytest.mark.parametrize("options", ["", " --store sun", " --store nowhere"])
def test_a_name_of_another_store_and_an_unknown_one_have_the_same_answer(
    bench: Bench, verb: str, options: str
) -> None:
    run(bench, "add sun.test")
    theirs = run(bench, f"{verb} sun.test{options}", MOON)
    nobodys = run(bench, f"{verb} nun.test{options}", MOON)
    assert theirs.exit_code == nobodys.exit_code == 1
    assert codes(theirs) == ["domain.not_added"]
    assert str(theirs.data).replace("sun.test", "nun.test") == str(nobodys.data)
    assert texts(theirs.reply).replace("sun.test", "nun.test") == texts(nobodys.reply)
    data: dict[str, Any] = dict(theirs.data or {})
    assert data.get("certificates", [data])[0]["store"] is None


@pytest.mark.parametrize("verb", ["add", "renew", "check", "status", "history"])
def test_a_wrong_store_is_said_to_those_who_see_the_right_one(bench: Bench, verb: str) -> None:
    unknown = run(bench, f"{verb} shop.moon.test --store nostore")
    other = run(bench, f"{verb} www.shop.moon.test --store sun")
    nobodys = run(bench, f"{verb} new.test --store sun")
    assert {one.exit_code for one in (unknown, other, nobodys)} == {1}
    assert codes(unknown) == codes(other) == codes(nobodys) == ["domain.not_added"]
    for said, outcome in (
        ("There is no store nostore that you can see.", unknown),
        ("www.shop.moon.test belongs to the store moon, not to sun.", other),
        ("new.test: found domain.not_added.", nobodys),
    ):
        assert said in texts(outcome.reply)
        assert said in str(outcome.data)
    assert "Did you mean" not in texts(unknown.reply) + texts(other.reply)
    assert not bench.certificates()


@pytest.mark.parametrize("verb", ["add", "renew", "check", "status", "history"])
def test_of_a_store_that_a_merchant_does_not_see_not_even_its_own_names_are_placed(
    bench: Bench, verb: str
) -> None:
    own = texts(run(bench, f"{verb} shop.moon.test --store sun", MOON).reply)
    assert own.replace("sun", "nun") == texts(run(bench, f"{verb} shop.moon.test --store nun", MOON).reply)
    assert "There is no store sun that you can see." in own


@pytest.mark.parametrize("form", ["status {}", "status --store {}"])
def test_a_store_that_is_not_the_callers_and_an_unknown_one_have_the_same_answer(
    bench: Bench, form: str
) -> None:
    theirs, nobodys = run(bench, form.format("sun"), MOON), run(bench, form.format("nun"), MOON)
    assert theirs.exit_code == nobodys.exit_code == 1
    assert texts(theirs.reply).replace("sun", "nun") == texts(nobodys.reply)
    assert str(theirs.data).replace("sun", "nun") == str(nobodys.data)


def test_a_merchant_sees_and_changes_only_what_is_theirs_and_is_answered_in_private(bench: Bench) -> None:
    run(bench, "add shop.moon.test sun.test")
    outcome = run(bench, "status", MOON)
    assert [one["name"] for one in (outcome.data or {})["certificates"]] == ["shop.moon.test"]
    for text in (
        "add www.moon.test",
        "renew shop.moon.test",
        "status shop.moon.test",
        "check shop.moon.test",
        "history shop.moon.test",
    ):
        answer = run(bench, text, MOON)
        assert answer.exit_code == 0
        assert answer.reply.private
        assert "sun" not in texts(answer.reply)


def test_support_is_answered_where_it_asked(bench: Bench) -> None:
    assert not run(bench, "add shop.moon.test").reply.private
    assert not run(bench, "status shop.moon.test").reply.private
    assert run(bench, "status").reply.private


@pytest.mark.parametrize("verb", ["add", "renew", "check", "status", "history"])
def test_in_place_of_an_unknown_store_only_what_is_known_is_suggested(bench: Bench, verb: str) -> None:
    known = texts(run(bench, f"{verb} shop.moon.test --store nostore").reply)
    assert "Type --store moon, or leave it out." in known
    new = texts(run(bench, f"{verb} new.moon.test --store nostore").reply)
    assert "Check the id of the store; new.moon.test has to be an added domain of it." in new
    near = texts(run(bench, f"{verb} new.moon.test --store mon").reply)
    assert "Did you mean the store moon? new.moon.test has to be an added domain of it." in near
    assert "leave it out" not in new + near


@pytest.mark.parametrize("form", ["status {}", "status --store {}", "links {}", "status new.test --store {}"])
def test_a_nearly_right_store_is_guessed_from_the_callers_own_only(bench: Bench, form: str) -> None:
    assert "Did you mean the store moon?" in texts(run(bench, form.format("mon"), MOON).reply)
    assert "Did you mean" not in texts(run(bench, form.format("su"), MOON).reply)
    assert "Did you mean the store sun?" in texts(run(bench, form.format("su")).reply)


def test_the_terminals_options_are_known_as_such() -> None:
    assert {option.partition(" ")[0] for option, _ in shell.OPTIONS} == TERMINAL_OPTIONS


# --- near names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", [MOON, SUPPORT, TERMINAL])
@pytest.mark.parametrize("verb", ["add", "renew", "check", "status", "history"])
def test_a_nearly_right_name_is_guessed(bench: Bench, caller: Caller, verb: str) -> None:
    outcome = run(bench, f"{verb} shp.moon.test", caller)
    assert outcome.exit_code == 1
    assert "Did you mean shop.moon.test?" in texts(outcome.reply)


def test_names_are_guessed_from_the_callers_own_only(bench: Bench) -> None:
    assert "Did you mean" not in texts(run(bench, "check sunn.test", MOON).reply)
    assert "Did you mean sun.test?" in texts(run(bench, "check sunn.test").reply)
    assert "Did you mean" not in texts(run(bench, "check sunn.test --store sun", MOON).reply)
    assert "Did you mean" not in texts(run(bench, "check sunn.test --store moon").reply)
    assert "Did you mean sun.test?" in texts(run(bench, "check sunn.test --store sun").reply)


def test_with_many_stores_names_are_guessed_from_the_store_of_their_parent(bench: Bench) -> None:
    for number in range(60):
        bench.store(f"s{number}", f"store-{number}.test")
    bench.store("star", "shop.star.test")
    assert "Did you mean" not in texts(run(bench, "check shp.star.test").reply)
    bench.store("star", "star.test")
    assert "Did you mean shop.star.test?" in texts(run(bench, "check shp.star.test").reply)


# --- roles that a table rules --------------------------------------------------------------------------------------


def test_trouble_that_services_understand_becomes_an_answer(bench: Bench) -> None:
    bench.checker.trouble = CertdeskError(say("The database does not answer. Try again in a minute."))
    outcome = run(bench, "add shop.moon.test")
    assert outcome.exit_code == 1
    assert outcome.reply.tone is Tone.BAD
    assert "database does not answer" in texts(outcome.reply)
    assert (outcome.data or {})["error"] == "The database does not answer. Try again in a minute."
    assert not bench.certificates()


def test_a_deleted_store_is_refused_and_an_inactive_one_waits(bench: Bench) -> None:
    bench.store("gone", "gone.test", status=StoreStatus.DELETED)
    bench.store("off", "off.test", status=StoreStatus.INACTIVE)
    assert codes(run(bench, "add gone.test")) == ["store.deleted"]
    waiting = run(bench, "add off.test")
    assert waiting.exit_code == 0
    assert codes(waiting) == ["store.inactive"]
    assert "off.test: found store.inactive." in texts(waiting.reply)
    assert "goes on by itself as soon as that is mended" in texts(waiting.reply)
    assert "store.inactive" not in texts(run(bench, "add sun.test").reply)
    assert bench.certificate("off.test").state is State.CHECKING


def test_actions_are_looked_up_in_one_table() -> None:
    assert Caller("x", Role.NOBODY).may(Action.HELP)
    assert not Caller("x", Role.NOBODY).may(Action.LOOK)
    assert Caller("x", Role.ONCALL, None).may(Action.CHANGE)
