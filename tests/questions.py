"""A storage that notes which questions the database is asked: their number and their kind, whatever the answers are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from services.ports import Storage, Transaction


class Counted:
    """Passes everything on to a storage, and notes each call of a repository as ``repository.method``."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.asked: list[str] = []

    @property
    def port(self) -> Storage:
        """The same, as what the code under test knows."""
        return cast("Storage", self)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        self.asked.append("read")
        with self._storage.read() as tx:
            yield cast("Transaction", _Asking(tx, self.asked))

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        self.asked.append("write")
        with self._storage.write() as tx:
            yield cast("Transaction", _Asking(tx, self.asked))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


class _Asking:
    """A transaction whose repositories note what they are asked."""

    def __init__(self, tx: Transaction, asked: list[str]) -> None:
        self._tx, self._asked = tx, asked

    def __getattr__(self, name: str) -> Any:
        return _Noting(name, getattr(self._tx, name), self._asked)


class _Noting:
    """A repository that notes what it is asked."""

    def __init__(self, name: str, repository: Any, asked: list[str]) -> None:
        self._name, self._repository, self._asked = name, repository, asked

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._repository, name)

        def noting(*given: Any, **named: Any) -> Any:
            self._asked.append(f"{self._name}.{name}")
            return method(*given, **named)

        return noting
