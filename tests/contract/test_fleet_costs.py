"""A look at the fleet costs what it shows: each page and each search goes along an index, and counting reads one alone."""

from collections.abc import Callable

import pytest

from services.model.fleet import Portion
from services.ports import Transaction
from storage.database import Database
from tests.contract.samples import NOW, add, certificate
from tests.contract.statements import postgresql_steps, sqlite_steps

MOON = frozenset({"moon"})
AT, FOUND_AT = (5, "shop.test", "cert_1"), ("shop.test", "cert_1")
WORST, STATE, STORE = "ix_certificates_worst", "ix_certificates_state", "ix_certificates_store_worst"

QUESTIONS: dict[str, tuple[Callable[[Transaction], object], str]] = {
    "a page": (lambda tx: tx.fleet.page(Portion.ALL, None, NOW, 10, after=AT), WORST),
    "a page before": (lambda tx: tx.fleet.page(Portion.ALL, None, NOW, 10, before=AT), WORST),
    "a group": (lambda tx: tx.fleet.page(Portion.UNDER_WAY, None, NOW, 10), WORST),
    "an end": (lambda tx: tx.fleet.page(Portion.ENDING, None, NOW, 10), WORST),
    "a state": (lambda tx: tx.fleet.page(Portion.FAILED, None, NOW, 10), STATE),
    "a state before": (lambda tx: tx.fleet.page(Portion.FAILED, None, NOW, 10, before=AT), STATE),
    "a store's page": (lambda tx: tx.fleet.page(Portion.ALL, MOON, NOW, 10, after=AT), STORE),
    "a store's state": (lambda tx: tx.fleet.page(Portion.FAILED, MOON, NOW, 10), STORE),
    "a search": (lambda tx: tx.fleet.search("shop", None, 10, after=FOUND_AT), "ix_terms_term"),
    "a search before": (lambda tx: tx.fleet.search("shop", None, 10, before=FOUND_AT), "ix_terms_term"),
    "a search in a store": (lambda tx: tx.fleet.search("shop", MOON, 10), "ix_terms_store"),
    "a store's counts": (lambda tx: tx.fleet.counts(MOON, NOW), STORE),
}
SORTED = "USE TEMP B-TREE"
CONSTANT = ("SCAN CONSTANT ROW", "SCAN anon_")


def _fill(database: Database) -> None:
    add(database, *(certificate(number) for number in range(1, 4)))


@pytest.mark.parametrize("question", QUESTIONS)
def test_sqlite_goes_along_an_index(sqlite_storage: Database, question: str) -> None:
    ask, index = QUESTIONS[question]
    _fill(sqlite_storage)
    steps = sqlite_steps(sqlite_storage, ask)
    assert any(index in step for step in steps), steps
    sorts = [] if "counts" in question else [step for step in steps if SORTED in step]
    assert [step for step in steps if step.startswith("SCAN") and not step.startswith(CONSTANT)] + sorts == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_postgresql_has_an_index_to_go_along(postgres_storage: Database, question: str) -> None:
    """Which of two that would do it takes depends on what is stored."""
    ask, _ = QUESTIONS[question]
    _fill(postgres_storage)
    steps = postgresql_steps(postgres_storage, ask)
    assert [step for step in steps if "Seq Scan" in step] == [], steps


NAMED: dict[str, Callable[[Transaction, frozenset[str]], object]] = {
    "domains": lambda tx, stores: tx.stores.domain("shop.test", stores),
    "certificates": lambda tx, stores: tx.certificates.get("cert_1", stores),
    "proposals": lambda tx, stores: tx.proposals.get("prop_1", stores),
    "jobs": lambda tx, stores: tx.jobs.get("job_1", stores),
}
OF_SOME = pytest.mark.parametrize(
    "stores", [MOON, frozenset({"moon", "sun", "star"}), frozenset(map(str, range(600)))], ids=len
)


@OF_SOME
@pytest.mark.parametrize("kind", NAMED)
def test_what_is_named_is_looked_for_among_the_askers_own_and_no_other_row_is_touched(
    sqlite_storage: Database, kind: str, stores: frozenset[str]
) -> None:
    """By its key alone another store's row would be found, and read before it is turned down."""
    steps = sqlite_steps(sqlite_storage, lambda tx: NAMED[kind](tx, stores))
    assert any(f"USING INDEX ix_{kind}_placed (<expr>=?)" in step for step in steps), steps
    assert not any("autoindex" in step for step in steps), steps


@OF_SOME
@pytest.mark.parametrize("kind", NAMED)
def test_postgresql_touches_none_either(
    postgres_storage: Database, kind: str, stores: frozenset[str]
) -> None:
    """Of an index of two columns it would take that of the key alone, where there are several stores to choose from."""
    steps = postgresql_steps(postgres_storage, lambda tx: NAMED[kind](tx, stores))
    assert any(f"ix_{kind}_placed" in step for step in steps), steps
    assert not any("pk_" in step for step in steps), steps


def test_counting_the_fleet_reads_indices_alone(sqlite_storage: Database) -> None:
    _fill(sqlite_storage)
    steps = sqlite_steps(sqlite_storage, lambda tx: tx.fleet.counts(None, NOW))
    assert f"SCAN certificates USING COVERING INDEX {STATE}" in steps
    assert all("COVERING INDEX" in step for step in steps if "certificates" in step), steps


COUNTED = {
    "ends": (lambda tx: tx.fleet.ends(None, NOW, 13), WORST),
    "a store's ends": (lambda tx: tx.fleet.ends(MOON, NOW, 13), STORE),
    "results": (lambda tx: tx.fleet.results(None, NOW, 13), "ix_events_endings"),
}


@pytest.mark.parametrize("question", COUNTED)
def test_counts_by_week_go_along_an_index(sqlite_storage: Database, question: str) -> None:
    ask, index = COUNTED[question]
    _fill(sqlite_storage)
    steps = sqlite_steps(sqlite_storage, ask)
    assert any(index in step for step in steps), steps
