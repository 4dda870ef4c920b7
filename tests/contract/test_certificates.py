"""Certificates: what is stored comes back, listings are worst first, history only grows."""

from dataclasses import MISSING, fields, replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from services.model.certificates import Certificate, Happening, Revision
from services.model.errors import NotFoundError
from services.model.findings import Finding
from services.model.lifecycle import State
from services.model.text import Text, say, say_n
from services.ports import Storage
from tests.contract import samples
from tests.contract.samples import (
    LEASE,
    MINUTE,
    NOW,
    add,
    certificate,
    claim,
    finding,
    revision,
    stored,
    together,
)


def test_every_field_comes_back_as_it_was_added(storage: Storage) -> None:
    full = samples.full_certificate()
    add(storage, full)
    assert stored(storage) == full


def test_one_can_be_looked_for_among_some_stores_alone(storage: Storage) -> None:
    full = samples.full_certificate()
    add(storage, full)
    with storage.read() as tx:
        for among in ({"moon"}, {"sun", "moon"}, {"moon", *(f"store{number}" for number in range(600))}):
            assert tx.certificates.get(full.id, frozenset(among)) == full
            assert tx.certificates.get("cert_999", frozenset(among)) is None
        for other in (set(), {"sun"}, {"sun", "nobody"}):
            assert tx.certificates.get(full.id, frozenset(other)) is None
        assert tx.certificates.get(full.id, None) == full


def test_the_sample_has_no_default_left() -> None:
    """So that a new field which nobody stores fails the test above."""
    full = samples.full_certificate()
    for one in (full, full.attempt):
        left = [f.name for f in fields(one) if f.default is not MISSING and getattr(one, f.name) == f.default]
        assert left == []


def test_every_field_but_the_fixed_ones_is_saved(storage: Storage) -> None:
    add(storage, samples.certificate())
    (mine,) = claim(storage)
    wish = replace(
        samples.full_certificate(),
        store="other",
        domain="other.test",
        created_at=NOW + MINUTE,
        fence=mine.fence,
        wanted=("new.test",),
        updated_at=NOW + MINUTE,
        run_after=None,
    )
    with storage.write() as tx:
        tx.certificates.save(wish, NOW + LEASE)
    expected = replace(
        wish, store="moon", domain=mine.domain, created_at=mine.created_at, lease_until=NOW + LEASE
    )
    assert stored(storage) == expected


def test_moments_come_back_in_utc_with_their_microseconds(storage: Storage) -> None:
    add(storage, samples.certificate())
    at = stored(storage).run_after
    assert at is not None
    assert (at, at.utcoffset(), at.microsecond) == (NOW, timedelta(0), 123456)


def test_a_naive_moment_is_refused(storage: Storage) -> None:
    naive = datetime(2026, 11, 22)  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="time zone"), storage.write() as tx:
        tx.certificates.add(samples.certificate(run_after=naive))
    with pytest.raises(ValueError, match="time zone"), storage.write() as tx:
        tx.certificates.claim(naive, LEASE, 1)
    with storage.read() as tx:
        assert tx.certificates.count() == 0


def test_missing_ones_are_none(storage: Storage) -> None:
    with storage.read() as tx:
        assert tx.certificates.get("cert_001") is None
        assert tx.certificates.of("moon", "shop001.test") is None
        assert tx.certificates.revision("rev_1") is None
        assert list(tx.certificates.revisions("cert_001")) == []
        assert list(tx.certificates.findings("cert_001")) == []
        assert list(tx.certificates.history("cert_001")) == []
        assert list(tx.certificates.listing()) == []
        assert tx.certificates.next_due() is None
    with storage.write() as tx:
        assert tx.certificates.claim_one("cert_001", NOW, LEASE) is None
        assert not tx.certificates.ask(samples.certificate())


def test_many_come_in_the_order_given(storage: Storage) -> None:
    add(storage, *(samples.certificate(n) for n in range(1, 1204)))
    wanted = ["cert_1203", "cert_002", "cert_nowhere", *(f"cert_{n:03}" for n in range(3, 1200))]
    with storage.read() as tx:
        found = [one.id for one in tx.certificates.get_many(wanted)]
        assert tx.certificates.get_many([]) == []
    assert found == [id_ for id_ in wanted if id_ != "cert_nowhere"]


def test_a_store_has_one_certificate_for_a_domain(storage: Storage) -> None:
    add(storage, samples.certificate(1))
    second = samples.certificate(2, domain="shop001.test", wanted=("x.test",))
    with storage.write() as tx:
        assert not tx.certificates.add(second)
        assert tx.certificates.get("cert_002") is None
        assert tx.certificates.of("moon", "shop001.test") == samples.certificate(1)
        assert tx.certificates.add(replace(second, store="sun"))
        assert tx.certificates.count() == 2


def test_of_two_who_add_at_once_one_wins(storage: Storage) -> None:
    def adder(number: int) -> bool:
        with storage.write() as tx:
            return tx.certificates.add(samples.certificate(number, domain="same.test"))

    results = together(*(partial(adder, number) for number in range(1, 5)))
    assert sorted(results) == [False, False, False, True]
    with storage.read() as tx:
        assert tx.certificates.count("moon") == 1
        winner = tx.certificates.of("moon", "same.test")
    assert winner is not None
    assert winner.id == f"cert_{results.index(True) + 1:03}"


def test_listing_is_worst_first(storage: Storage) -> None:
    def one(number: int, state: State, days: int | None, domain: str, store: str = "moon") -> Certificate:
        end = None if days is None else NOW + timedelta(days=days)
        return samples.certificate(number, state=state, not_after=end, domain=domain, store=store)

    in_order = [
        one(9, State.BLOCKED, None, "a.test"),
        one(1, State.NEEDS_SUPPORT, None, "b.test"),
        one(8, State.FAILED, -3, "z.test"),
        one(3, State.BLOCKED, 2, "c.test"),
        one(4, State.BLOCKED, 2, "d.test", "sun"),
        one(7, State.NEEDS_SUPPORT, 50, "a2.test"),
        one(2, State.CHECKING, None, "e.test"),
        one(6, State.VERIFYING, 9, "f.test", "sun"),
        one(5, State.INSTALLED, 5, "g.test"),
        one(10, State.INSTALLED, 80, "a3.test", "sun"),
    ]
    add(storage, *sorted(in_order, key=lambda c: c.id))
    with storage.read() as tx:
        assert [c.domain for c in tx.certificates.listing()] == [c.domain for c in in_order]
        assert [c.domain for c in tx.certificates.listing(limit=3)] == ["a.test", "b.test", "z.test"]
        of_sun = tx.certificates.listing("sun")
        assert [c.domain for c in of_sun] == ["d.test", "f.test", "a3.test"]
        assert (tx.certificates.count(), tx.certificates.count("sun"), tx.certificates.count("no")) == (
            10,
            3,
            0,
        )
        assert tx.certificates.listing("no") == []


def test_a_save_moves_the_row_in_the_listing(storage: Storage) -> None:
    add(storage, samples.certificate(1), samples.certificate(2))
    mine = claim(storage)[1]
    with storage.write() as tx:
        tx.certificates.save(replace(mine, state=State.FAILED), None)
    with storage.read() as tx:
        assert [c.id for c in tx.certificates.listing()] == ["cert_002", "cert_001"]


def test_revisions_come_back_newest_first(storage: Storage) -> None:
    add(storage, samples.certificate(1), samples.certificate(2))
    bare = Revision("rev_0", "cert_001", ("a.test",), "csr", b"k", NOW)
    with storage.write() as tx:
        for one in (
            samples.revision(2),
            bare,
            samples.revision(3),
            samples.revision(9, certificate="cert_002"),
        ):
            tx.certificates.put_revision(one)
    with storage.read() as tx:
        assert list(tx.certificates.revisions("cert_001")) == [samples.revision(3), samples.revision(2), bare]
        assert tx.certificates.revision("rev_0") == bare


def test_a_revision_is_replaced(storage: Storage) -> None:
    add(storage, samples.certificate())
    changed = samples.revision(
        csr="another", sealed_key=b"another", chain=None, serial=None, authorizations=()
    )
    with storage.write() as tx:
        tx.certificates.put_revision(samples.revision())
        tx.certificates.put_revision(changed)
        assert tx.certificates.revision("rev_1") == changed


def test_the_key_of_the_same_csr_stays_as_it_lies_there(storage: Storage) -> None:
    """A worker that read a revision before its key was re-wrapped does not bring the old sealing back."""
    add(storage, samples.certificate())
    with storage.write() as tx:
        tx.certificates.put_revision(samples.revision(sealed_key=b"re-wrapped"))
        tx.certificates.put_revision(samples.revision(sealed_key=b"read before", serial="ff"))
        found = tx.certificates.revision("rev_1")
    assert found == samples.revision(sealed_key=b"re-wrapped", serial="ff")


def test_findings_are_replaced_in_their_order(storage: Storage) -> None:
    add(storage, samples.certificate(1), samples.certificate(2))
    first, second = samples.finding(), samples.finding("dns.lame", at=NOW + MINUTE)
    with storage.write() as tx:
        tx.certificates.put_findings("cert_001", [first, second, first])
        tx.certificates.put_findings("cert_002", [first])
        assert _findings(tx.certificates.findings("cert_001")) == [first, second, first]
        tx.certificates.put_findings("cert_001", [second])
        assert _findings(tx.certificates.findings("cert_001")) == [second]
        tx.certificates.put_findings("cert_001", [])
        tx.certificates.put_findings("cert_001", [])
        assert _findings(tx.certificates.findings("cert_001")) == []
        assert _findings(tx.certificates.findings("cert_002")) == [first]


def _findings(found: object) -> list[Finding]:
    assert isinstance(found, (list, tuple))
    return list(found)


def test_history_keeps_its_order_and_gives_the_newest(storage: Storage) -> None:
    add(storage, samples.certificate(1), samples.certificate(2))
    with storage.write() as tx:
        for number in (1, 2, 5, 4, 3):
            tx.certificates.record(samples.happening(number))
        tx.certificates.record(samples.happening(8, "cert_002"))
    with storage.read() as tx:
        whole = tx.certificates.history("cert_001")
        assert list(whole) == [samples.happening(n) for n in (1, 2, 5, 4, 3)]
        assert [row.what for row in tx.certificates.history("cert_001", limit=2)] == ["event_4", "event_3"]


def test_history_takes_any_text(storage: Storage) -> None:
    """NUL is not to be had in PostgreSQL, a lone surrogate not in UTF-8: each is replaced, the rest stays."""
    add(storage, samples.certificate())
    with storage.write() as tx:
        tx.certificates.record(Happening("cert_001", NOW, "asked", details="a\0b\ud800c\n한국 🎉"))
        (row,) = tx.certificates.history("cert_001")
    assert row.details == "a�b?c\n한국 🎉"


def test_what_belongs_to_no_certificate_is_refused(storage: Storage) -> None:
    with pytest.raises(NotFoundError), storage.write() as tx:
        tx.certificates.record(samples.happening())
    with pytest.raises(NotFoundError), storage.write() as tx:
        tx.certificates.put_revision(samples.revision())
    with pytest.raises(NotFoundError), storage.write() as tx:
        tx.certificates.put_findings("cert_001", [samples.finding()])


def test_what_happened_is_kept_as_a_sentence_or_as_it_is(storage: Storage) -> None:
    sentence = say(
        "{name}: {what} ({names})",
        name="한국",
        what=say_n("{count} day", "{count} days", count=2),
        names=("a", say("b")),
    )
    said: tuple[str | Text, ...] = (sentence, "https://ca.test/order/1", "", '{"text": "x"}', "{braces}")
    samples.add(storage, samples.certificate())
    with storage.write() as tx:
        for details in said:
            tx.certificates.record(Happening("cert_001", NOW, "checked", details=details))
    with storage.read() as tx:
        kept = [row.details for row in tx.certificates.history("cert_001", 10)]
    assert kept[0] == sentence
    assert [str(each) for each in kept] == [str(each) for each in said]


def test_findings_and_names_of_many_are_had_at_once(storage: Storage) -> None:
    add(storage, *(certificate(number) for number in (1, 2, 3)))
    with storage.write() as tx:
        tx.certificates.put_findings("cert_001", [finding(), finding("dns.lame")])
        tx.certificates.put_findings("cert_003", [finding("dns.servfail")])
        tx.certificates.put_revision(revision(1))
    with storage.read() as tx:
        found = tx.certificates.findings_of(["cert_003", "cert_002", "cert_001", "cert_0"])
        assert {one: [row.code for row in rows] for one, rows in found.items()} == {
            "cert_001": ["dns.not_hosted", "dns.lame"],
            "cert_003": ["dns.servfail"],
        }
        assert list(found["cert_001"]) == list(tx.certificates.findings("cert_001"))
        assert tx.certificates.covered(["rev_1", "rev_2"]) == {"rev_1": ("a.test", "b.test")}
        assert tx.certificates.findings_of([]) == {}
        assert tx.certificates.covered([]) == {}


def test_more_are_had_at_once_than_one_question_takes(storage: Storage) -> None:
    add(storage, certificate(1))
    with storage.write() as tx:
        tx.certificates.put_findings("cert_001", [finding()])
        ids = [*(f"cert_{number}" for number in range(1200)), "cert_001"]
        assert list(tx.certificates.findings_of(ids)) == ["cert_001"]
