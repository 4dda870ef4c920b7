"""Questions about alerts, sightings, watches and what is owed cost what they find: both databases have an index for each."""

from collections.abc import Callable

import pytest

from services.model.alerts import Severity
from services.ports import Transaction
from storage.database import Database
from tests.contract import samples
from tests.contract.samples import DAY, LEASE, MINUTE, NOW, add
from tests.contract.statements import postgresql_steps, sqlite_steps, statements

KEY = samples.alert().key
LATER = NOW + DAY
TABLES = ("alerts", "sightings", "watches", "outbox", "certificates", "budgets")

QUESTIONS: dict[str, tuple[Callable[[Transaction], object], str]] = {
    "watches": (lambda tx: tx.watches.claim(LATER, LEASE, 5), "ix_watches_due"),
    "the next watch": (lambda tx: tx.watches.next_due(), "ix_watches_due"),
    "alerts": (lambda tx: tx.alerts.claim(LATER, LEASE, 5), "ix_alerts_due"),
    "the latest": (lambda tx: tx.alerts.latest(KEY), "ix_alerts_key"),
    "a stir": (lambda tx: tx.alerts.stir(KEY, NOW), "ix_alerts_open"),
    "what is open": (lambda tx: tx.alerts.listing(), "ix_alerts_open"),
    "of a code": (lambda tx: tx.alerts.opened_since("dns.lame", NOW), "ix_alerts_code"),
    "opened": (lambda tx: tx.alerts.between(NOW, LATER), "ix_alerts_opened"),
    "healed": (lambda tx: tx.alerts.between(NOW, LATER), "ix_alerts_healed"),
    "a certificate's": (lambda tx: tx.alerts.sightings("cert_001"), "sightings"),
    "members": (lambda tx: tx.alerts.members(KEY), "ix_sightings_members"),
    "tally": (lambda tx: tx.alerts.tally(KEY), "ix_sightings_members"),
    "tags": (lambda tx: tx.alerts.tags(KEY, ["a"]), "ix_sightings_members"),
    "what is due": (
        lambda tx: tx.alerts.forecast(LATER, {Severity.URGENT: NOW}),
        "ix_certificates_renewals",
    ),
    "forecast": (lambda tx: tx.alerts.forecast(LATER, {}), "ix_sightings_blocking"),
    "of some stores": (
        lambda tx: tx.alerts.forecast(LATER, {}, frozenset({"moon"})),
        "ix_sightings_blocking",
    ),
    "blocked": (lambda tx: tx.alerts.blocked(LATER, "dns.lame"), "ix_sightings_blocking"),
    "owed": (lambda tx: tx.outbox.claim(LATER, LEASE, 5, "webhook"), "ix_outbox_owed"),
    "oldest": (lambda tx: tx.outbox.oldest("webhook"), "ix_outbox_owed"),
    "struggling": (lambda tx: tx.outbox.struggling(), "ix_outbox_owed"),
    "budgets": (lambda tx: tx.budgets.full_at(["a", "b"]), "budgets"),
}


def _fill(database: Database) -> None:
    add(database, samples.certificate(installed="rev", renew_at=NOW))
    with database.write() as tx:
        tx.alerts.add(samples.alert())
        tx.alerts.put_sighting(samples.sighting())
        tx.watches.plan("cert_001", NOW)
        tx.outbox.put(samples.message(0, via="webhook"))


@pytest.mark.parametrize("question", QUESTIONS)
def test_sqlite_goes_through_an_index(sqlite_storage: Database, question: str) -> None:
    ask, index = QUESTIONS[question]
    _fill(sqlite_storage)
    steps = sqlite_steps(sqlite_storage, ask)
    assert any(index in step for step in steps), steps
    assert [step for step in steps if step in {f"SCAN {table}" for table in TABLES}] == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_postgresql_has_an_index_to_go_through(postgres_storage: Database, question: str) -> None:
    """Of two indices of a table that would do it may take either as long as there is next to nothing in it."""
    ask, index = QUESTIONS[question]
    _fill(postgres_storage)
    steps = postgresql_steps(postgres_storage, ask)
    table = index.rpartition("_")[0] or f"pk_{index}"
    assert any(f"using {table}" in step or f"on {table}" in step for step in steps), steps
    assert [step for step in steps if "Seq Scan" in step] == []


def test_with_nothing_due_a_claim_only_looks(sqlite_storage: Database) -> None:
    with statements(sqlite_storage) as seen, sqlite_storage.write() as tx:
        assert list(tx.watches.claim(NOW, LEASE, 5)) == []
        assert list(tx.alerts.claim(NOW, LEASE, 5)) == []
        assert list(tx.outbox.claim(NOW + MINUTE, LEASE, 5, "webhook")) == []
    assert [sql.split()[0] for sql, _ in seen] == ["SELECT", "SELECT", "SELECT"]
