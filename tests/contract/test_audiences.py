"""Links, requests for them and the audit trail: one store for a channel, one decision, one chain."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from services.model.audiences import LASTS, ChannelLanguage, Kind, Link, LinkRequest
from services.model.audit import BEGINNING, LONGEST_WORD, Entry, breaks, hash_of
from services.model.errors import NotFoundError
from services.model.stores import Store
from services.ports import Storage
from tests.contract.samples import DAY, MINUTE, NOW, together

TICK = timedelta(microseconds=1)
SUPPORT = "T1/U9"


@pytest.fixture(autouse=True)
def _stores(storage: Storage) -> None:
    with storage.write() as tx:
        for name in ("moon", "star", "sun"):
            tx.stores.put(Store(name))


def _person(store: str = "moon", who: str = "T1/U1", **changes: Any) -> Link:
    return replace(Link(Kind.PERSON, who, store, SUPPORT, NOW), **changes)


def _channel(store: str = "moon", who: str = "C1", **changes: Any) -> Link:
    return replace(Link(Kind.CHANNEL, who, store, SUPPORT, NOW), **changes)


def _put(storage: Storage, *links: Link) -> list[bool]:
    with storage.write() as tx:
        return [tx.links.put(link) for link in links]


def _drop(storage: Storage, link: Link) -> bool:
    with storage.write() as tx:
        return tx.links.drop(link.kind, link.who, link.store)


def _of(storage: Storage, kind: Kind, who: str) -> Sequence[Link]:
    with storage.read() as tx:
        return tx.links.of(kind, who)


def _wish(number: int = 1, **changes: Any) -> LinkRequest:
    return replace(LinkRequest(f"wish_{number}", "T1/U1", "moon", "C1", NOW), **changes)


def _ask(storage: Storage, request: LinkRequest, now: datetime = NOW) -> LinkRequest:
    with storage.write() as tx:
        return tx.links.ask(request, now)


def _decide(
    storage: Storage, request: str, now: datetime = NOW, *, approved: bool = True
) -> LinkRequest | None:
    with storage.write() as tx:
        return tx.links.decide(request, SUPPORT, now, approved=approved)


def _stored(storage: Storage, request: str) -> LinkRequest | None:
    with storage.read() as tx:
        return tx.links.request(request)


def _entry(**changes: Any) -> Entry:
    return replace(Entry(NOW, "T1/U1", "merchant", "add", "shop.moon.test", "done"), **changes)


def _append(storage: Storage, *entries: Entry) -> list[Entry]:
    with storage.write() as tx:
        return [tx.audit.append(entry) for entry in entries]


class _LostError(Exception):
    """What goes wrong in a transaction after a row was added."""


def _append_and_fail(storage: Storage) -> None:
    with storage.write() as tx:
        tx.audit.append(_entry(action="lost"))
        raise _LostError


def _trail(storage: Storage) -> Sequence[Entry]:
    with storage.read() as tx:
        return tx.audit.entries()


# --- links ----------------------------------------------------------------------------------------------------------


def test_a_link_is_put_once(storage: Storage) -> None:
    again = _person(by="terminal", at=NOW + DAY)
    assert _put(storage, _person(), again) == [True, False]
    assert _of(storage, Kind.PERSON, "T1/U1") == [_person()]


def test_a_person_has_as_many_stores_as_he_is_linked_to(storage: Storage) -> None:
    assert _put(storage, _person("sun"), _person("moon"), _person("star", "T1/U2")) == [True] * 3
    assert _of(storage, Kind.PERSON, "T1/U1") == [_person("moon"), _person("sun")]
    assert _of(storage, Kind.CHANNEL, "T1/U1") == []


def test_a_channel_has_one_store_and_another_one_replaces_it(storage: Storage) -> None:
    moved = _channel("sun", by="terminal", at=NOW + DAY)
    assert _put(storage, _channel("moon"), _channel("moon", by="x"), _channel("star", "C2")) == [
        True,
        False,
        True,
    ]
    assert _put(storage, moved, moved) == [True, False]
    assert _of(storage, Kind.CHANNEL, "C1") == [moved]
    with storage.read() as tx:
        assert tx.links.to("moon") == []
        assert tx.links.to("star") == [_channel("star", "C2")]


def test_who_is_linked_to_a_store_channels_first(storage: Storage) -> None:
    links = [_channel(who="C1"), _channel(who="C2"), _person(who="T1/U1"), _person(who="T1/U2")]
    _put(storage, *reversed(links), _person("sun"))
    with storage.read() as tx:
        assert tx.links.to("moon") == links
        assert tx.links.to("star") == []


def test_a_link_is_dropped_alone(storage: Storage) -> None:
    _put(storage, _person("moon"), _person("sun"), _channel("moon", "T1/U1"))
    with storage.write() as tx:
        assert tx.links.drop(Kind.PERSON, "T1/U1", "moon")
        assert not tx.links.drop(Kind.PERSON, "T1/U1", "moon")
        assert not tx.links.drop(Kind.CHANNEL, "T1/U1", "sun")
    assert _of(storage, Kind.PERSON, "T1/U1") == [_person("sun")]
    assert _of(storage, Kind.CHANNEL, "T1/U1") == [_channel("moon", "T1/U1")]
    assert _put(storage, _person("moon")) == [True]


@pytest.mark.parametrize("link", [_person("nowhere"), _channel("nowhere")])
def test_there_is_no_link_to_no_store(storage: Storage, link: Link) -> None:
    _put(storage, _channel("moon"))
    with pytest.raises(NotFoundError):
        _put(storage, link)
    assert _of(storage, link.kind, link.who) == ([_channel("moon")] if link.kind is Kind.CHANNEL else [])


def test_of_many_who_link_a_channel_at_once_one_store_is_left(storage: Storage) -> None:
    def link(store: str) -> list[bool]:
        return [_put(storage, _channel(store))[0] for _ in range(8)]

    told = together(*[lambda store=store: link(store) for store in ("moon", "star", "sun") * 2])
    (left,) = _of(storage, Kind.CHANNEL, "C1")
    assert left.store in ("moon", "star", "sun")
    assert any(any(each) for each in told)


def test_of_many_who_put_the_same_link_at_once_one_is_told_so(storage: Storage) -> None:
    told = together(*[lambda: _put(storage, _person(), _channel(who="C5"))] * 6)
    assert sorted(told) == [[False, False]] * 5 + [[True, True]]


@pytest.mark.parametrize("link", [_person(), _channel()])
def test_what_is_put_and_dropped_at_once_is_told_as_it_happened(storage: Storage, link: Link) -> None:
    def put() -> int:
        return sum(_put(storage, link)[0] for _ in range(20))

    def drop() -> int:
        return -sum(_drop(storage, link) for _ in range(20))

    left = sum(together(put, drop, put, drop))
    assert left == len(_of(storage, link.kind, link.who))


# --- requests -------------------------------------------------------------------------------------------------------


def test_a_request_comes_back_as_it_was_asked(storage: Storage) -> None:
    assert _stored(storage, "wish_1") is None
    assert _ask(storage, _wish()) == _wish()
    assert _stored(storage, "wish_1") == _wish()


def test_an_open_request_stands_for_the_next_one(storage: Storage) -> None:
    _ask(storage, _wish())
    later = NOW + LASTS - TICK
    assert _ask(storage, _wish(2, at=later, channel="C2"), later) == _wish()
    assert _stored(storage, "wish_2") is None
    for other in (_wish(3, person="T1/U2"), _wish(4, store="sun")):
        assert _ask(storage, other) == other


def test_a_request_that_ran_out_makes_room_and_is_closed(storage: Storage) -> None:
    _ask(storage, _wish())
    later = NOW + LASTS
    assert _decide(storage, "wish_1", later) is None
    assert _ask(storage, _wish(2, at=later), later) == _wish(2, at=later)
    assert _stored(storage, "wish_1") == _wish(decided_at=later)
    assert _decide(storage, "wish_1", NOW) is None
    assert _decide(storage, "wish_2", later) is not None


def test_the_same_request_asked_again_is_the_one_that_was_decided(storage: Storage) -> None:
    _ask(storage, _wish())
    decided = _decide(storage, "wish_1")
    assert _ask(storage, _wish()) == decided
    assert _ask(storage, _wish(2)) == _wish(2)
    assert _ask(storage, _wish()) == _wish(2)  # the open one comes first


@pytest.mark.parametrize("approved", [True, False])
def test_a_request_is_decided_once(storage: Storage, *, approved: bool) -> None:
    _ask(storage, _wish())
    at = NOW + LASTS - TICK
    decided = _wish(decided_at=at, decided_by=SUPPORT, approved=approved)
    assert _decide(storage, "wish_2", at) is None
    assert _decide(storage, "wish_1", at, approved=approved) == decided
    assert _decide(storage, "wish_1", at, approved=not approved) is None
    assert _stored(storage, "wish_1") == decided


def test_what_has_run_out_is_closed_the_oldest_first(storage: Storage) -> None:
    old = [_wish(number, at=NOW - LASTS - number * MINUTE, store=f"store{number}") for number in range(1, 4)]
    for wish in (*old, _wish(4, at=NOW - LASTS + MINUTE, store="store4"), _wish(5, store="store5")):
        _ask(storage, wish, wish.at)
    _decide(storage, "wish_2", NOW - LASTS)
    with storage.write() as tx:
        closed = tx.links.expire(NOW, 1)
    assert closed == [replace(old[2], decided_at=NOW)]
    assert _stored(storage, "wish_3") == closed[0]
    with storage.write() as tx:
        assert [one.id for one in tx.links.expire(NOW, 9)] == ["wish_1"]
        assert tx.links.expire(NOW, 9) == []


def test_of_many_who_ask_at_once_one_request_is_stored(storage: Storage) -> None:
    _ask(storage, _wish(at=NOW - LASTS), NOW - LASTS)
    got = together(*[lambda number=number: _ask(storage, _wish(number)) for number in range(2, 8)])
    assert len({request.id for request in got}) == 1
    assert _stored(storage, got[0].id) == got[0]
    assert sum(_stored(storage, f"wish_{number}") is not None for number in range(2, 8)) == 1


def test_of_many_who_decide_at_once_one_has_decided(storage: Storage) -> None:
    _ask(storage, _wish())
    works = [lambda yes=yes: _decide(storage, "wish_1", approved=yes) for yes in (True, False) * 3]
    (decided,) = [request for request in together(*works) if request is not None]
    assert _stored(storage, "wish_1") == decided


def test_each_of_many_requests_that_are_asked_and_decided_at_once_is_decided_once(storage: Storage) -> None:
    def work(who: int) -> list[str]:
        mine = [_ask(storage, _wish(100 * who + number)).id for number in range(15)]
        return [id_ for id_ in mine if _decide(storage, id_)]

    def hasty(who: int) -> list[str]:
        asked = (_ask(storage, _wish(100 * who + number)).id for number in range(15))
        return [id_ for id_ in asked if _decide(storage, id_)]

    shares = together(*[lambda n=n: (work, hasty)[n % 2](n) for n in range(4)])
    decided = [id_ for share in shares for id_ in share]
    assert decided
    assert len(decided) == len(set(decided))
    assert all((found := _stored(storage, id_)) and found.approved for id_ in decided)


# --- audit ----------------------------------------------------------------------------------------------------------


def test_with_nothing_done_the_trail_is_empty(storage: Storage) -> None:
    with storage.read() as tx:
        assert tx.audit.last() is None
        assert list(tx.audit.entries()) == []


def test_each_row_is_chained_to_the_one_before(storage: Storage) -> None:
    first, second = _append(storage, _entry(), _entry(action="alert.ack", reason="moving hosts"))
    (third,) = _append(storage, _entry(result="refused"))
    assert [(row.number, row.previous) for row in (first, second, third)] == [
        (1, BEGINNING),
        (2, first.hash),
        (3, second.hash),
    ]
    assert _trail(storage) == [first, second, third]
    assert list(breaks(_trail(storage))) == []
    with storage.read() as tx:
        assert tx.audit.last() == third
        assert list(tx.audit.entries(after=1, limit=1)) == [second]
        assert list(tx.audit.entries(after=3)) == []


def test_what_a_caller_says_of_the_chain_is_not_believed(storage: Storage) -> None:
    (row,) = _append(storage, _entry(number=7, previous="x", hash="y"))
    assert (row.number, row.previous, row.hash) == (1, BEGINNING, hash_of(row))


@pytest.mark.parametrize(
    "entry",
    [
        _entry(at=NOW.replace(microsecond=0)),
        _entry(at=NOW.replace(microsecond=1)),
        _entry(at=NOW.replace(microsecond=999_999)),
        _entry(at=NOW.astimezone(timezone(timedelta(hours=9)))),
        _entry(reason='no\0thing, \ud800 and 이유 🔑\n"quoted"'),
        _entry(subject="", reason=" "),
        _entry(actor="\0", role="\0", action="\0", result="\0"),
    ],
)
def test_the_hash_holds_after_reading_back(storage: Storage, entry: Entry) -> None:
    appended = _append(storage, entry)
    assert _trail(storage) == appended
    assert list(breaks(_trail(storage))) == []
    assert appended[0].at == entry.at


def test_what_is_rolled_back_leaves_no_gap(storage: Storage) -> None:
    _append(storage, _entry())
    with pytest.raises(_LostError):
        _append_and_fail(storage)
    _append(storage, _entry(action="kept"))
    assert [(row.number, row.action) for row in _trail(storage)] == [(1, "add"), (2, "kept")]
    assert list(breaks(_trail(storage))) == []


def test_of_many_who_append_at_once_all_are_chained(storage: Storage) -> None:
    """From the first on, when there is no row yet that one could hold; some roll back, some write other things as well."""

    def worker(name: str) -> None:
        for number in range(12):
            with storage.write() as tx:
                tx.links.put(_person(who=name))
                tx.audit.append(_entry(actor=name, subject=str(number)))
                tx.audit.append(_entry(actor=name, subject=f"{number} again"))
            with pytest.raises(_LostError):
                _append_and_fail(storage)

    together(*[lambda name=f"T1/U{n}": worker(name) for n in range(5)])
    rows = _trail(storage)
    assert [row.number for row in rows] == list(range(1, 121))
    assert list(breaks(rows)) == []
    assert [row.subject for row in rows if row.actor == "T1/U3"][:3] == ["0", "0 again", "1"]


def test_many_rows_are_read_in_batches(storage: Storage) -> None:
    _append(storage, *[_entry(at=NOW + number * MINUTE) for number in range(1003)])
    with storage.read() as tx:
        first = tx.audit.entries()
        rest = tx.audit.entries(after=first[-1].number)
    assert (len(first), [row.number for row in rest]) == (1000, [1001, 1002, 1003])
    assert list(breaks(rest, first[-1])) == []


def test_rows_are_found_by_the_words_of_their_subject(storage: Storage) -> None:
    subjects = (
        "shop.moon.test",
        "a.test shop.moon.test",
        "shop.moon.test.b",
        "SHOP.MOON.TEST",
        "cert_1",
        "",
        "a_b 100%",
    )
    _append(storage, *[_entry(subject=subject) for subject in subjects])
    with storage.read() as tx:

        def found(*words: str, limit: int = 100) -> list[int]:
            return [row.number for row in tx.audit.about(words, limit)]

        assert found("shop.moon.test") == [1, 2]
        assert found("shop.moon.test", "cert_1") == [1, 2, 5]
        assert found("shop.moon.test", "cert_1", limit=2) == [2, 5]
        assert found("moon", "%", "_", "a%b", "aXb") == []
        assert found("a_b") == found("100%") == [7]
        assert found() == []


ODD_WORDS = (
    'say "a"',
    "C:\\new",
    "tab\there",
    "\\",
    '","',
    "[1]",
    "b\u00fccher.example",
    "\u65e5\u672c",
    "\U0001f600",
    "line\nline",
    "O'Neill",
    "\x1b[2J",
)
"""Subjects that a JSON text or an SQL literal writes in other words."""


def test_a_row_is_found_by_each_of_its_words_whatever_they_are(storage: Storage) -> None:
    _append(storage, *[_entry(subject=subject) for subject in ODD_WORDS])
    with storage.read() as tx:
        for number, subject in enumerate(ODD_WORDS, 1):
            for word in subject.split(" "):
                assert number in [row.number for row in tx.audit.about((word,))], subject
    assert list(breaks(_trail(storage))) == []


def test_a_word_that_stands_twice_or_between_many_spaces_finds_its_row_once(storage: Storage) -> None:
    _append(storage, _entry(subject="  a.test   b.test a.test "))
    with storage.read() as tx:
        assert [row.number for row in tx.audit.about(("a.test",))] == [1]
        assert [row.number for row in tx.audit.about(("a.test", "b.test", "a.test"))] == [1]
        assert tx.audit.about(("",)) == []


def test_a_word_longer_than_any_name_is_kept_in_its_row_and_finds_nothing(storage: Storage) -> None:
    """An index of PostgreSQL takes about 2,700 bytes: what somebody types must not keep his row out of the trail."""
    longest, longer = "\U0001f600" * LONGEST_WORD, "x" * 4000
    _append(storage, _entry(subject=f"{longest} {longer} a.test"))
    with storage.read() as tx:
        assert [row.number for row in tx.audit.about((longest,))] == [1]
        assert [row.number for row in tx.audit.about(("a.test",))] == [1]
        assert tx.audit.about((longer,)) == []
    assert _trail(storage)[0].subject == f"{longest} {longer} a.test"


def test_a_row_is_found_however_many_have_come_since(storage: Storage) -> None:
    _append(storage, _entry(), *[_entry(subject=f"other{n}.test") for n in range(300)], _entry())
    with storage.read() as tx:
        assert [row.number for row in tx.audit.about(("shop.moon.test",))] == [1, 302]
        assert [row.number for row in tx.audit.about(("shop.moon.test",), 1)] == [302]


def test_the_words_of_a_row_that_is_rolled_back_find_nothing(storage: Storage) -> None:
    with pytest.raises(_LostError):
        _append_and_fail(storage)
    _append(storage, _entry(subject="b.test"))  # it has the number that the lost one had
    with storage.read() as tx:
        assert tx.audit.about(("shop.moon.test",)) == []
        assert [row.number for row in tx.audit.about(("b.test",))] == [1]


def test_a_transaction_for_reading_adds_nothing(storage: Storage) -> None:
    with pytest.raises(RuntimeError, match="cannot write"), storage.read() as tx:
        tx.audit.append(_entry())
    with pytest.raises(RuntimeError, match="cannot write"), storage.read() as tx:
        tx.links.put(_person())


def test_naive_moments_are_refused(storage: Storage) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="without a time zone"):
        _put(storage, _person(at=naive))
    with pytest.raises(ValueError, match="without a time zone"):
        _ask(storage, _wish(at=naive))
    with pytest.raises(ValueError, match="without a time zone"):
        _ask(storage, _wish(), naive)
    with pytest.raises(ValueError, match="without a time zone"):
        _decide(storage, "wish_1", naive)
    with pytest.raises(ValueError, match="without a time zone"):
        _append(storage, _entry(at=naive))


# --- languages of channels -----------------------------------------------------------------------------------------


def _choice(language: str = "ko", **changes: Any) -> ChannelLanguage:
    return replace(ChannelLanguage("C1", language, SUPPORT, NOW), **changes)


def test_a_channels_language_is_kept_replaced_and_forgotten(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.languages.of("C1") is None
        tx.languages.put(_choice())
        tx.languages.put(_choice(channel="C2", language="pt_BR"))
    later = _choice("ja", by="T1/U2", at=NOW + MINUTE)
    with storage.write() as tx:
        assert tx.languages.of("C1") == _choice()
        tx.languages.put(later)
    with storage.read() as tx:
        assert tx.languages.of("C1") == later
        assert tx.languages.of("C2") == _choice(channel="C2", language="pt_BR")
    with storage.write() as tx:
        assert [tx.languages.drop("C1"), tx.languages.drop("C1")] == [True, False]
        assert tx.languages.of("C1") is None
        assert tx.languages.of("C2") is not None


def test_a_choice_that_is_rolled_back_was_not_made(storage: Storage) -> None:
    def fail() -> None:
        with storage.write() as tx:
            tx.languages.put(_choice())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with storage.read() as tx:
        assert tx.languages.of("C1") is None


def test_of_two_choices_at_once_one_stands(storage: Storage) -> None:
    def choose(language: str) -> None:
        with storage.write() as tx:
            tx.languages.put(_choice(language))

    together(lambda: choose("ko"), lambda: choose("ja"))
    with storage.read() as tx:
        found = tx.languages.of("C1")
    assert found is not None
    assert found.language in ("ko", "ja")
