"""The repositories over SQLAlchemy Core: statements are built once, rows become dataclasses in storage.records."""
