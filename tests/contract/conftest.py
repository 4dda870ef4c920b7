"""The contract suite's subjects: the same tests over memory, SQLite and PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.demo.parts.postgres import Postgres
from services.ports import Storage
from storage.database import Database
from storage.memory import MemoryStorage
from storage.schema import METADATA


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one migrated file, to be copied: quicker than to migrate for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    Database.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres: Postgres) -> Iterator[Database]:
    database = Database.open(postgres.new_database(), migrate=True)
    yield database
    database.close()


@pytest.fixture
def sqlite_storage(empty_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    path = shutil.copy(empty_sqlite, tmp_path / "certdesk.db")
    database = Database.open(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def postgres_storage(postgres_database: Database) -> Database:
    names = ", ".join(f'"{table.name}"' for table in METADATA.sorted_tables)
    with postgres_database.writing() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
    return postgres_database


@pytest.fixture
def memory_storage() -> Storage:
    return MemoryStorage()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Give each implementation in turn, empty."""
    made: Storage = request.getfixturevalue(f"{request.param}_storage")
    return made


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Give each database in turn, empty, for what only databases have."""
    made: Database = request.getfixturevalue(f"{request.param}_storage")
    return made
