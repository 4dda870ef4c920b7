"""What a name's rows of the audit trail cost is what it finds, however many rows there are: a range of one index."""

import re
from collections.abc import Iterator

from sqlalchemy import insert, text

from services.model.audit import Entry, chained
from services.ports import Transaction
from storage import records
from storage.audiences import AUDIT
from storage.database import Database
from tests.contract.samples import NOW
from tests.contract.statements import asked, sqlite_steps

ROWS = 5000


def _rows() -> Iterator[Entry]:
    last: Entry | None = None
    for number in range(ROWS):
        last = chained(Entry(NOW, "T1/U1", "support", "renew", f"shop{number % 500}.test moon", "done"), last)
        yield last


def _fill(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(insert(AUDIT), [records.entry_values(row) for row in _rows()])
        connection.execute(text("ANALYZE"))


def _ask(tx: Transaction) -> object:
    return tx.audit.about(("shop7.test", "cert_7"))


def _ask_of_all(tx: Transaction) -> object:
    """Ask for a word that stands in every row: the newest are taken from the end of its range."""
    return tx.audit.about(("moon",))


def test_sqlite_reads_the_range_of_each_word_and_the_rows_that_it_names(sqlite_storage: Database) -> None:
    _fill(sqlite_storage)
    steps = sqlite_steps(sqlite_storage, _ask)
    assert steps.count("SEARCH audit_words USING PRIMARY KEY (word=?)") == 2, steps
    assert "SEARCH audit USING INTEGER PRIMARY KEY (rowid=?)" in steps
    assert [step for step in steps if re.fullmatch(r"SCAN (audit|audit_words)\b.*", step)] == []


def test_postgresql_does_so_too(postgres_storage: Database) -> None:
    """With all its ways open, and knowing what there is: nothing else is quicker."""
    _fill(postgres_storage)
    sent = [*asked(postgres_storage, _ask), *asked(postgres_storage, _ask_of_all)]
    with postgres_storage.writing() as connection:
        steps = [
            step
            for sql, given in sent
            for step in connection.exec_driver_sql(f"EXPLAIN {sql}", given).scalars()
        ]
    assert len([step for step in steps if "pk_audit_words" in step]) == 3, steps
    assert any("Scan Backward using pk_audit_words" in step for step in steps), steps
    assert any("Index Scan using pk_audit on audit" in step for step in steps), steps
    assert [step for step in steps if "Seq Scan" in step] == []


def test_a_look_is_one_question_however_many_words(database: Database) -> None:
    assert len(asked(database, _ask)) == len(asked(database, lambda tx: tx.audit.about(("a.test",)))) == 1
