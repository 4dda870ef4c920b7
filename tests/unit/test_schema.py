"""Opening a database: files and their rights, URLs that are no good, migrations by several processes at once."""

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from services.model.errors import CertdeskError, DatabaseUnavailableError
from services.model.stores import Store
from storage import upgrade
from storage.database import Database
from storage.engines import engines_for
from storage.schema import METADATA, VERSIONS

ROOT = Path(__file__).resolve().parents[2]
OPEN = "import sys; from storage.database import Database; Database.open(sys.argv[1]).close()"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_code_knows_every_version_of_the_schema() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade._MIGRATIONS))
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())
    assert tuple(revision.revision for revision in reversed(revisions)) == VERSIONS


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "deep" / "certdesk.db"
    database = Database.open(f"sqlite:///{path}")
    with database.write() as tx:
        tx.stores.put(Store("moon"))
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["certdesk.db", "certdesk.db-shm", "certdesk.db-wal"]
    assert {_mode(file) for file in files} == {0o600}
    assert database.ready()
    database.close()
    database.close()


def test_what_was_kept_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'certdesk.db'}"
    first = Database.open(url)
    with first.write() as tx:
        tx.stores.put(Store("moon"))
    first.close()
    second = Database.open(url)
    with second.read() as tx:
        assert tx.stores.get("moon") == Store("moon")
    second.close()


def test_sqlite_is_set_up_to_be_durable_and_concurrent(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'certdesk.db'}")
    with database.writing() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}
    database.close()


def test_migrations_go_back_to_nothing(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'certdesk.db'}")
    with database.writing() as connection:
        assert set(inspect(connection).get_table_names()) == {*METADATA.tables, "alembic_version"}
        _downgrade(connection)
        assert inspect(connection).get_table_names() == ["alembic_version"]
    assert not database.ready()
    assert database.migrate()
    assert database.ready()
    database.close()


def _downgrade(connection: object) -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade._MIGRATIONS))
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


def test_processes_that_open_one_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'certdesk.db'}"
    processes = [
        subprocess.Popen(  # noqa: S603 - this Python, with words of our own
            [sys.executable, "-c", OPEN, url], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [(process.returncode, text) for process, text in zip(processes, said, strict=True)] == [
        (0, "")
    ] * 4
    database = Database.open(url)
    assert not database.migrate()
    database.close()


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """SQLite's DDL runs inside the transaction: a table in the way, and the tables made before it are gone again."""
    path = tmp_path / "certdesk.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE workers (x)")
    connection.close()
    with pytest.raises(CertdeskError):
        Database.open(f"sqlite:///{path}")
    engines = engines_for(f"sqlite:///{path}")
    with engines.read.begin() as reading:
        assert inspect(reading).get_table_names() == ["workers"]
    engines.dispose()


def test_writers_of_two_processes_wait_for_each_other(tmp_path: Path) -> None:
    """Two `Database` objects are to SQLite what two processes are: the write lock is the file's."""
    url = f"sqlite:///{tmp_path / 'certdesk.db'}"
    databases = [Database.open(url), Database.open(url)]

    def write(database: Database, prefix: str) -> None:
        for number in range(50):
            with database.write() as tx:
                tx.stores.put(Store(f"{prefix}{number}"))

    threads = [
        threading.Thread(target=write, args=(database, prefix))
        for database, prefix in zip(databases, "ab", strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with databases[0].read() as tx:
        assert len(tx.stores.all()) == 100
    for database in databases:
        database.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://user:secret-word@127.0.0.1/db",
        "postgresql+asyncpg://user:secret-word@127.0.0.1/db",
        "postgresql+psycopg://user:secret-word@127.0.0.1:port/db",
    ],
)
def test_a_url_that_is_no_good_is_refused_with_one_that_is(url: str) -> None:
    with pytest.raises(CertdeskError, match="sqlite:///FILE") as raised:
        Database.open(url)
    assert "secret-word" not in str(raised.value)


def test_a_file_that_is_no_database_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "certdesk.db"
    path.write_bytes(b"this is a letter, not a database\n" * 100)
    with pytest.raises(DatabaseUnavailableError, match="not a database"):
        Database.open(f"sqlite:///{path}")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnavailableError, match=r"file/certdesk\.db"):
        Database.open(f"sqlite:///{tmp_path}/file/certdesk.db")
