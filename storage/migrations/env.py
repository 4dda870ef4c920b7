"""Alembic's environment: runs the revisions on the connection, and inside the transaction, of storage.upgrade."""

from alembic import context

from storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite's too, as the connection began its transaction itself
)
context.run_migrations()
