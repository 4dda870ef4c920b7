"""The database: SQLAlchemy schema, repositories, vault, migrations, and an in-memory twin that passes the same contract suite."""
