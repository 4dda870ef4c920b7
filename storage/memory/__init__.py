"""The in-memory twin: the same contracts as the database, for tests and for trying things out; nothing outlives it."""

from storage.memory.storage import MemoryStorage

__all__ = ["MemoryStorage"]
