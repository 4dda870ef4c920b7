"""What only databases have: a schema in versions, claims that cost what is due, findings that know since when."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text, update

from bot.demo.parts.postgres import Postgres
from services.model.certificates import Attempt
from services.model.errors import DatabaseUnavailableError, SchemaBehindError
from services.ports import Transaction
from storage.database import Database
from storage.engines import engines_for
from storage.schema import CERTIFICATES, FINDINGS, METADATA, VERSIONS, WORKERS
from tests.contract import samples
from tests.contract.samples import LEASE, MINUTE, NOW, add, together
from tests.contract.statements import statements


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    return postgres.new_database()


def compared(_thing: object, name: str | None, kind: str, *_: object) -> bool:
    """Leave out the indices of expressions, which are not to be read back: test_fleet_costs goes along them."""
    return kind != "index" or not str(name).endswith("_placed")


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_the_migrations_make_what_the_code_speaks_to(database: Database) -> None:
    with database.writing() as connection:
        opts = {"compare_type": True, "include_object": compared}
        context = MigrationContext.configure(connection, opts=opts)
        assert context.get_current_revision() == VERSIONS[-1]
        assert compare_metadata(context, METADATA) == []


def test_postgresql_is_migrated_on_request_only(postgres_url: str) -> None:
    with pytest.raises(SchemaBehindError, match="certdesk migrate"):
        Database.open(postgres_url)
    Database.open(postgres_url, migrate=True).close()
    database = Database.open(postgres_url)
    assert database.ready()
    assert not database.migrate()
    database.close()


def test_processes_that_migrate_at_once_do_it_once(postgres_url: str) -> None:
    def migrate() -> bool:
        database = Database(engines_for(postgres_url))
        try:
            return database.migrate()
        finally:
            database.close()

    assert sorted(together(migrate, migrate, migrate)) == [False, False, True]


def test_a_newer_schema_is_worked_with_and_left_alone(database: Database) -> None:
    _set_version(database, "9999")
    try:
        assert database.ready()
        assert not database.migrate()
    finally:
        _set_version(database, VERSIONS[-1])


def test_what_newer_code_noted_in_an_attempt_is_passed_over(database: Database) -> None:
    add(database, samples.certificate(attempt=Attempt(ca="Pebble")))
    with database.writing() as connection:
        noted = '{"ca":"Pebble","of_tomorrow":[1]}'
        connection.execute(update(CERTIFICATES).values(attempt=noted))
    assert samples.stored(database).attempt == Attempt(ca="Pebble")


def _set_version(database: Database, version: str) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})


def test_a_database_that_is_not_there_is_said_to_be_so() -> None:
    database = Database(engines_for("postgresql://nobody:secret-word@127.0.0.1:1/none"))
    assert not database.ready()
    with pytest.raises(DatabaseUnavailableError) as raised, database.write():
        pass
    assert "secret-word" not in str(raised.value)
    database.close()


def test_a_connection_that_the_server_ended_costs_nobody_a_transaction(postgres_url: str) -> None:
    database = Database.open(postgres_url, migrate=True)
    other = Database.open(postgres_url)
    with other.writing() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        )  # fmt: skip
    with database.write() as tx:
        assert tx.certificates.count() == 0
    database.close()
    other.close()


def test_a_claim_passes_over_what_another_transaction_is_claiming(postgres_storage: Database) -> None:
    """FOR UPDATE SKIP LOCKED: an open claim of one worker is not waited for by the next one."""
    add(postgres_storage, *(samples.certificate(n) for n in range(4)))

    def second() -> list[str]:
        with postgres_storage.write() as tx:
            return [c.id for c in tx.certificates.claim(NOW, LEASE, 10)]

    with postgres_storage.write() as tx:
        first = [c.id for c in tx.certificates.claim(NOW, LEASE, 2)]
        (others,) = together(second)
    assert (first, others) == (["cert_000", "cert_001"], ["cert_002", "cert_003"])


def test_a_finding_that_stays_keeps_the_moment_it_was_first_seen(database: Database) -> None:
    add(database, samples.certificate())
    with database.write() as tx:
        tx.certificates.put_findings("cert_001", [samples.finding(), samples.finding("dns.lame")])
    later = NOW + MINUTE
    found = [samples.finding(at=later), samples.finding("dns.servfail", at=later)]
    with database.write() as tx:
        tx.certificates.put_findings("cert_001", found)
    with database.reading() as connection:
        rows = connection.execute(
            select(FINDINGS.c.code, FINDINGS.c.first_seen).order_by(FINDINGS.c.position)
        )
        assert [tuple(row) for row in rows] == [("dns.not_hosted", NOW), ("dns.servfail", later)]


def test_workers_that_are_long_gone_are_forgotten(database: Database) -> None:
    for worker, days in (("a", 0), ("b", 1), ("c", 3)):
        database.heartbeat(worker, NOW + timedelta(days=days))
    with database.reading() as connection:
        assert connection.execute(select(WORKERS.c.worker)).scalars().all() == ["c"]


# --- what questions cost ------------------------------------------------------------------------------------------

QUESTIONS: dict[str, tuple[Callable[[Transaction], object], str]] = {
    "claim": (lambda tx: tx.certificates.claim(NOW, LEASE, 5), "ix_certificates_due (run_after<?)"),
    "next due": (lambda tx: tx.certificates.next_due(), "ix_certificates_due"),
    "listing": (lambda tx: tx.certificates.listing(), "ix_certificates_worst"),
    "a store's": (lambda tx: tx.certificates.listing("moon"), "ix_certificates_store_worst (store=?)"),
    "count": (lambda tx: tx.certificates.count("moon"), "(store=?)"),
    "history": (lambda tx: tx.certificates.history("cert_001"), "ix_events_certificate (certificate=?)"),
    "revisions": (
        lambda tx: tx.certificates.revisions("cert_001"),
        "ix_revisions_certificate (certificate=?)",
    ),
    "requests": (lambda tx: tx.requests.claim(NOW + MINUTE, LEASE, 5), "ix_requests_undone"),
    "messages": (
        lambda tx: tx.outbox.claim(NOW + MINUTE, LEASE, 5),
        "ix_outbox_owed (via=? AND run_after<?)",
    ),
    "waiting": (lambda tx: tx.outbox.waiting(), "ix_outbox_dirty"),
    "touch": (lambda tx: tx.outbox.touch("cert_001", NOW), "followers_1 (certificate=?)"),
    "domains": (lambda tx: tx.stores.domains("moon"), "ix_domains_store_name (store=?)"),
    "drop": (lambda tx: tx.challenges.drop("cert_001"), "ix_challenges_certificate (certificate=?)"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_costs_what_it_finds(sqlite_storage: Database, question: str) -> None:
    """SQLite's query plan goes through an index at every step, and through the one that was made for the question."""
    ask, index = QUESTIONS[question]
    add(sqlite_storage, samples.certificate())
    with sqlite_storage.write() as tx:
        tx.requests.add(samples.request(0))
        tx.outbox.put(samples.message(0))
    with statements(sqlite_storage) as seen, sqlite_storage.write() as tx:
        ask(tx)
    asked = [(sql, given) for sql, given in seen if not sql.startswith("BEGIN")]
    with sqlite_storage.reading() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all() for sql, given in asked]
    steps = [row[3] for plan in plans for row in plan]
    assert any(index in step for step in steps), steps
    scans = [step for step in steps if step.startswith("SCAN") and "INDEX" not in step]
    assert scans in ([], ["SCAN chosen"])  # what a claim has chosen is all taken


def test_with_nothing_due_a_claim_only_looks(sqlite_storage: Database) -> None:
    with statements(sqlite_storage) as seen, sqlite_storage.write() as tx:
        assert list(tx.certificates.claim(NOW, LEASE, 5)) == []
        assert list(tx.requests.claim(NOW, LEASE, 5)) == []
        assert list(tx.outbox.claim(NOW, LEASE, 5)) == []
    assert [sql.split()[0] for sql, _ in seen] == ["SELECT", "SELECT", "SELECT"]
