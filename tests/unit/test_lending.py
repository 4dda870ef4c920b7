"""SQLite's lent connections: reused, bounded, closed after a database error, and waited for no longer than said."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import NullPool

from storage.lending import Lending


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path}/lent.db", poolclass=NullPool)


@pytest.fixture
def opened(engine: Engine) -> list[object]:
    made: list[object] = []
    event.listen(engine, "connect", lambda connection, _: made.append(connection))
    return made


def test_one_connection_serves_transaction_after_transaction(engine: Engine, opened: list[object]) -> None:
    lending = Lending(engine, 2, 1)
    for _ in range(5):
        with lending.begin() as connection:
            connection.execute(text("SELECT 1"))
    assert len(opened) == 1
    lending.close()


def _insert_and_raise(lending: Lending) -> None:
    with lending.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
        raise KeyError


def test_what_raises_is_rolled_back_and_the_connection_stays(engine: Engine, opened: list[object]) -> None:
    lending = Lending(engine, 1, 1)
    with lending.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    with pytest.raises(KeyError):
        _insert_and_raise(lending)
    with lending.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0
    assert len(opened) == 1
    lending.close()


def test_a_connection_that_an_error_came_through_is_not_lent_again(
    engine: Engine, opened: list[object]
) -> None:
    lending = Lending(engine, 1, 1)
    with pytest.raises(OperationalError), lending.begin() as connection:
        connection.execute(text("SELECT * FROM nowhere"))
    with lending.begin() as connection:
        connection.execute(text("SELECT 1"))
    assert len(opened) == 2
    lending.close()


def test_no_more_are_lent_than_said(engine: Engine) -> None:
    lending = Lending(engine, 1, 0.01)
    with lending.begin(), pytest.raises(PoolTimeoutError), lending.begin():
        pass
    with lending.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    lending.close()
