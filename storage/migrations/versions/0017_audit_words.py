"""The words by which rows of the audit trail are found, whatever the number of rows.

A new table that a trigger fills: the code of 0016 goes on working beside this one, and what it writes is found, too. The
rows that are there are filled in as many at a time as `BATCH` says, so that no statement grows with the trail. The trail's
own rows, and with them its chain of hashes, are only read.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BATCH = 10_000

_WORDS: Mapping[str, str] = {
    # what the JSON text escapes has no space in it: between quotes each word is one text of a list
    "sqlite": """
        SELECT DISTINCT value, {row}.number
        FROM {source} json_each('[' || replace(json_quote({row}.subject), ' ', '","') || ']')
        WHERE length(value) BETWEEN 1 AND 255
    """,
    "postgresql": """
        SELECT DISTINCT word, {row}.number
        FROM {source} unnest(string_to_array({row}.subject, ' ')) AS word
        WHERE length(word) BETWEEN 1 AND 255
    """,
}
_INSERT: Mapping[str, str] = {
    # a row that was taken out by hand has left its words behind, and its number may come again
    "sqlite": "INSERT OR IGNORE INTO audit_words (word, number) {words}",
    "postgresql": "INSERT INTO audit_words (word, number) {words} ON CONFLICT DO NOTHING",
}
_KEEP: Mapping[str, tuple[str, ...]] = {
    "sqlite": ("CREATE TRIGGER audit_words_new AFTER INSERT ON audit BEGIN {insert}; END",),
    "postgresql": (
        """
        CREATE FUNCTION audit_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {insert};
            RETURN NULL;
        END
        $$
        """,
        """
        CREATE TRIGGER audit_words_new AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_words()
        """,
    ),
}
_DROP: Mapping[str, tuple[str, ...]] = {
    "sqlite": ("DROP TRIGGER audit_words_new",),
    "postgresql": ("DROP TRIGGER audit_words_new ON audit", "DROP FUNCTION audit_words()"),
}


def _insert(dialect: str, row: str, source: str = "", among: str = "") -> str:
    words = _WORDS[dialect].format(row=row, source=source)
    return _INSERT[dialect].format(words=f"{words} {among}")


def upgrade() -> None:
    connection = op.get_bind()
    dialect = connection.dialect.name
    op.create_table(
        "audit_words",
        sa.Column("word", KEY, nullable=False),
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("word", "number", name="pk_audit_words"),
        sqlite_with_rowid=False,
    )
    # the trigger comes first: on PostgreSQL it waits for whoever is adding a row, and none is added until the end
    for statement in _KEEP[dialect]:
        op.execute(statement.format(insert=_insert(dialect, "NEW")))
    fill = sa.text(_insert(dialect, "a", "audit AS a,", "AND a.number > :after AND a.number <= :upto"))
    last = connection.scalar(sa.text("SELECT max(number) FROM audit")) or 0
    for after in range(0, last, BATCH):
        connection.execute(fill, {"after": after, "upto": after + BATCH})


def downgrade() -> None:
    for statement in _DROP[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_table("audit_words")
