"""From one version of the schema to the next: what is there goes on, and the code before it goes on beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, Table, delete, insert, inspect, select, update

from bot.demo.parts.postgres import Postgres
from services.model.audiences import Kind, Link
from services.model.audit import Entry, breaks, chained
from services.model.stores import Store
from services.model.text import NOTHING
from services.ports import Message, Request
from storage import records, upgrade
from storage.audiences import AUDIT
from storage.database import Database
from storage.engines import engines_for
from storage.schema import CERTIFICATES, OUTBOX, REQUESTS, STORES, VERSIONS
from tests.contract import samples
from tests.contract.samples import DAY, LEASE, MINUTE, NOW

EXISTING = 240


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@contextmanager
def _at(url: str, version: str) -> Iterator[Database]:
    """Yield the database at ``url`` with the schema of an older ``version``."""
    database = Database(engines_for(url))
    with database.writing() as connection:
        command.upgrade(_alembic(connection), version)
    try:
        yield database
    finally:
        database.close()


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(upgrade._MIGRATIONS))
    config.attributes["connection"] = connection
    return config


class OldCode:
    """The tables as the code of 0001 knew them: it reads and writes their columns and no others."""

    def __init__(self, connection: Connection) -> None:
        self._tables = MetaData()
        self._tables.reflect(connection, only=("stores", "certificates", "requests", "outbox"))

    def columns(self, table: Table) -> list[Any]:
        known = self._tables.tables[table.name].columns.keys()
        return [column for column in table.c if column.key in known]

    def row(self, table: Table, values: dict[str, Any]) -> dict[str, Any]:
        known = self._tables.tables[table.name].columns.keys()
        return {name: value for name, value in values.items() if name in known}

    def add(self, connection: Connection, number: int) -> None:
        """Insert a row of each as it did."""
        store = Store(f"store_{number}")
        kept = (
            (STORES, records.store_values(store)),
            (
                CERTIFICATES,
                records.certificate_values(samples.certificate(number, compared=samples.finding().summary)),
            ),
            (REQUESTS, records.request_values(samples.request(number, kind="click"))),
            (OUTBOX, records.message_values(samples.message(number, via="webhook", thread="x"))),
        )
        for table, values in kept:
            connection.execute(insert(table).values(self.row(table, values)))


def test_what_was_there_goes_on_with_defaults(url: str) -> None:
    with _at(url, "0001") as database:
        with database.writing() as connection:
            OldCode(connection).add(connection, 1)
        assert not database.ready()
        assert database.migrate()
        assert database.ready()
        with database.read() as tx:
            certificate = tx.certificates.get("cert_001")
            assert certificate == samples.certificate()
            assert certificate.compared == NOTHING
            assert tx.stores.get("store_1") == Store("store_1", tags=())
            assert tx.requests.get("req_1") == samples.request()
            assert tx.outbox.by_key("request:1") == _due(samples.message())


def _due(message: Message) -> Message:
    return records.message(records.settled(records.message_values(message)))


def test_every_existing_certificate_gets_its_watch_within_a_day(url: str) -> None:
    with _at(url, "0001") as database:
        with database.writing() as connection:
            old = OldCode(connection)
            rows = [records.certificate_values(samples.certificate(n)) for n in range(EXISTING)]
            connection.execute(insert(CERTIFICATES), [old.row(CERTIFICATES, row) for row in rows])
        before = datetime.now(UTC) - timedelta(seconds=1)
        database.migrate()
        after = datetime.now(UTC) + timedelta(seconds=1)
        with database.write() as tx:
            watches = tx.watches.claim(after + DAY, LEASE, 2 * EXISTING)
    assert sorted(watch.id for watch in watches) == [f"cert_{n:03}" for n in range(EXISTING)]
    due = sorted(watch.due_at for watch in watches)
    assert before < due[0] < after + DAY / EXISTING
    assert before + DAY < due[-1] < after + DAY
    gaps = [later - earlier for earlier, later in pairwise(due)]
    assert all(abs(gap - DAY / EXISTING) < timedelta(seconds=1) for gap in gaps)  # spread, not in heaps


def test_with_no_certificates_there_is_no_watch(url: str) -> None:
    with _at(url, "0001") as database:
        database.migrate()
        with database.read() as tx:
            assert tx.watches.next_due() is None


def test_it_can_be_undone_and_done_again(url: str) -> None:
    with _at(url, "head") as database:
        with database.writing() as connection:
            command.downgrade(_alembic(connection), "0001")
            OldCode(connection).add(connection, 1)
        assert not database.ready()
        assert database.migrate()
        with database.read() as tx:
            assert tx.certificates.get("cert_001") == samples.certificate()
            assert tx.watches.next_due() is not None


def test_the_code_before_it_goes_on_beside_it(url: str) -> None:
    with _at(url, "0001") as database:
        with database.writing() as connection:
            old = OldCode(connection)
            old.add(connection, 1)
        database.migrate()
        with database.writing() as connection:
            old.add(connection, 2)
            connection.execute(update(OUTBOX).values(version=OUTBOX.c.version + 1, run_after=NOW))
            claimed = update(REQUESTS).values(fence=1, tries=1).returning(*old.columns(REQUESTS))
            assert [Request(*row) for row in connection.execute(claimed.where(REQUESTS.c.id == "req_2"))] == [
                samples.request(2, fence=1, tries=1)
            ]
            rows = connection.execute(select(*old.columns(OUTBOX)).order_by(OUTBOX.c.id)).all()
            assert [row.version for row in rows] == [2, 2]
        with database.write() as tx:
            assert [m.id for m in tx.outbox.claim(NOW + MINUTE, LEASE, 5)] == ["msg_1", "msg_2"]
            assert tx.stores.get("store_2") == Store("store_2")
            assert tx.certificates.get("cert_002") == samples.certificate(2)


def _shape(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Return each table of the database with its columns: name, type, whether it may be empty, default."""
    with database.reading() as connection:
        inspector = inspect(connection)
        return {
            table: [
                (column["name"], repr(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            ]
            for table in inspector.get_table_names()
        }


@pytest.mark.parametrize(("older", "newer"), list(pairwise(VERSIONS)))
def test_a_version_only_adds_and_can_be_undone(url: str, older: str, newer: str) -> None:
    """Tables and columns of before stay as they are; new columns may be left out by code that does not know them."""
    with _at(url, older) as database:
        before = _shape(database)
        assert not database.ready()
        with database.writing() as connection:
            command.upgrade(_alembic(connection), newer)
        after = _shape(database)
        for table, columns in before.items():
            assert after[table][: len(columns)] == columns
            assert all(nullable or default for _, _, nullable, default in after[table][len(columns) :])
        with database.writing() as connection:
            command.downgrade(_alembic(connection), older)
        assert _shape(database) == before


def test_links_and_the_audit_trail_follow_what_was_there(url: str) -> None:
    with _at(url, "0002") as database:
        with database.write() as tx:
            tx.stores.put(Store("moon", tags=("asia",)))
        assert database.migrate()
        with database.write() as tx:
            assert tx.stores.get("moon") == Store("moon", tags=("asia",))
            assert tx.links.put(Link(Kind.CHANNEL, "C1", "moon", "terminal", NOW))
            row = tx.audit.append(Entry(NOW, "terminal", "admin", "link", "moon", "done"))
            assert list(breaks(tx.audit.entries())) == []
            assert tx.audit.last() == row


def test_rows_of_the_trail_are_found_whatever_code_wrote_them(url: str) -> None:
    """Those that were there before, more than are filled in at a time, and those that the code of before writes beside this one."""
    with _at(url, "0016") as database:
        rows = list(_trail(10_002))
        with database.writing() as connection:
            connection.execute(insert(AUDIT), [records.entry_values(row) for row in rows[:-1]])
        assert database.migrate()
        with database.writing() as connection:
            connection.execute(insert(AUDIT), [records.entry_values(rows[-1])])
        with database.read() as tx:
            for number in (1, 9_999, 10_000, 10_001, 10_002):
                assert tx.audit.about((f"shop{number}.test",)) == [rows[number - 1]]
            assert [row.number for row in tx.audit.about(("moon",), 2)] == [10_001, 10_002]
            assert list(breaks([*tx.audit.entries(0, 20_000)])) == []


def test_a_row_that_was_cut_off_and_comes_again_has_its_new_words(url: str) -> None:
    """Somebody with the database in his hands has done it: it shows in the chain, and keeps nobody from going on."""
    with _at(url, "head") as database:
        with database.write() as tx:
            tx.audit.append(Entry(NOW, "terminal", "admin", "add", "moon.test a.test", "done"))
        with database.writing() as connection:
            connection.execute(delete(AUDIT))
        with database.write() as tx:
            assert tx.audit.about(("moon.test",)) == []
            tx.audit.append(Entry(NOW, "terminal", "admin", "add", "sun.test a.test", "done"))
            assert tx.audit.about(("moon.test",)) == []
            assert [row.number for row in tx.audit.about(("sun.test",))] == [1]
            assert [row.number for row in tx.audit.about(("a.test",))] == [1]


def _trail(rows: int) -> Iterator[Entry]:
    last: Entry | None = None
    for number in range(1, rows + 1):
        last = chained(Entry(NOW, "terminal", "admin", "add", f"shop{number}.test moon", "done"), last)
        yield last


def test_certificates_are_found_whatever_code_wrote_them(url: str) -> None:
    """Those that were there before, and those that the code of before writes beside this one."""
    with _at(url, "0001") as database:
        with database.writing() as connection:
            old = OldCode(connection)
            old.add(connection, 1)
        database.migrate()
        with database.writing() as connection:
            old.add(connection, 2)
        with database.read() as tx:
            found = tx.fleet.search("www.shop00", None, 10)
            assert [one.id for one in found.certificates] == ["cert_001", "cert_002"]
            assert len(tx.fleet.search("moon", None, 10).certificates) == 2
