"""Home: certificates are counted by state, and found by what their names, their domain or their store begin with.

A new index, and a new table that triggers keep: the code of 0005 goes on working beside this one, and what it writes is
found, too.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_SQLITE_TERMS = """
    SELECT NEW.id, value, NEW.store FROM json_each(NEW.wanted)
    UNION SELECT NEW.id, NEW.domain, NEW.store
    UNION SELECT NEW.id, NEW.store, NEW.store
"""
_FILL: Mapping[str, str] = {
    "sqlite": """
        INSERT INTO terms (certificate, term, store)
        SELECT c.id, value, c.store FROM certificates AS c, json_each(c.wanted)
        UNION SELECT id, domain, store FROM certificates
        UNION SELECT id, store, store FROM certificates
    """,
    "postgresql": """
        INSERT INTO terms (certificate, term, store)
        SELECT c.id, name, c.store FROM certificates AS c, jsonb_array_elements_text(c.wanted::jsonb) AS name
        UNION SELECT id, domain, store FROM certificates
        UNION SELECT id, store, store FROM certificates
    """,
}
_KEEP: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        f"""
        CREATE TRIGGER certificates_terms_new AFTER INSERT ON certificates BEGIN
            INSERT INTO terms (certificate, term, store) {_SQLITE_TERMS};
        END
        """,
        f"""
        CREATE TRIGGER certificates_terms_changed AFTER UPDATE OF wanted ON certificates
        WHEN OLD.wanted IS NOT NEW.wanted BEGIN
            DELETE FROM terms WHERE certificate = NEW.id;
            INSERT INTO terms (certificate, term, store) {_SQLITE_TERMS};
        END
        """,  # noqa: S608 - of our own constants alone
        """
        CREATE TRIGGER certificates_terms_gone AFTER DELETE ON certificates BEGIN
            DELETE FROM terms WHERE certificate = OLD.id;
        END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION certificates_terms() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' THEN
                DELETE FROM terms WHERE certificate = OLD.id;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                INSERT INTO terms (certificate, term, store)
                SELECT NEW.id, name, NEW.store FROM jsonb_array_elements_text(NEW.wanted::jsonb) AS name
                UNION SELECT NEW.id, NEW.domain, NEW.store
                UNION SELECT NEW.id, NEW.store, NEW.store;
            END IF;
            RETURN NULL;
        END
        $$
        """,
        """
        CREATE TRIGGER certificates_terms_kept AFTER INSERT OR DELETE ON certificates
        FOR EACH ROW EXECUTE FUNCTION certificates_terms()
        """,
        """
        CREATE TRIGGER certificates_terms_changed AFTER UPDATE OF wanted ON certificates
        FOR EACH ROW WHEN (OLD.wanted IS DISTINCT FROM NEW.wanted) EXECUTE FUNCTION certificates_terms()
        """,
    ),
}
_DROP: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        "DROP TRIGGER certificates_terms_gone",
        "DROP TRIGGER certificates_terms_changed",
        "DROP TRIGGER certificates_terms_new",
    ),
    "postgresql": (
        "DROP TRIGGER certificates_terms_changed ON certificates",
        "DROP TRIGGER certificates_terms_kept ON certificates",
        "DROP FUNCTION certificates_terms()",
    ),
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    op.create_index("ix_certificates_state", "certificates", ["state", "urgency", "domain", "id"])
    op.create_table(
        "terms",
        sa.Column("certificate", KEY, nullable=False),
        sa.Column("term", KEY, nullable=False),
        sa.Column("store", KEY, nullable=False),
        sa.PrimaryKeyConstraint("certificate", "term", name="pk_terms"),
    )
    op.execute(_FILL[dialect])
    op.create_index("ix_terms_term", "terms", ["term", "certificate"])
    op.create_index("ix_terms_store", "terms", ["store", "term", "certificate"])
    for statement in _KEEP[dialect]:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DROP[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_table("terms")
    op.drop_index("ix_certificates_state", "certificates")
