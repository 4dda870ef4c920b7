"""`certdesk keys rewrap`: every secret goes under the vault's first key, with no payload opened; a trial of the keys."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Column, Connection, Select, Table, Update, bindparam, select, update

from storage.schema import ACCOUNTS, REVISIONS, WORKSPACES
from storage.vault import Vault


class Tables(Protocol):
    """What gives transactions over the tables: `storage.database.Database`."""

    def reading(self) -> AbstractContextManager[Connection]: ...  # noqa: D102
    def writing(self) -> AbstractContextManager[Connection]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class _Secrets:
    """The prepared statements for one column of secrets."""

    page: Select[Any]
    swap: Update
    """Replaces one secret, unless it has changed since it was read."""
    newest: Select[Any]
    """The secret of the highest key: ids of rows grow with time."""

    @classmethod
    def of(cls, table: Table, key: Column[Any], sealed: Column[Any]) -> "_Secrets":
        there = sealed.is_not(None)
        page = (
            select(key, sealed).where(key > bindparam("after"), there).order_by(key).limit(bindparam("batch"))
        )
        swap = (
            update(table)
            .where(key == bindparam("the_row"), sealed == bindparam("old"))
            .values({sealed: bindparam("new")})
        )
        return cls(page, swap, select(sealed).where(there).order_by(key.desc()).limit(1))


_PLACES = (
    _Secrets.of(REVISIONS, REVISIONS.c.id, REVISIONS.c.sealed_key),
    _Secrets.of(ACCOUNTS, ACCOUNTS.c.directory, ACCOUNTS.c.sealed_key),
    _Secrets.of(WORKSPACES, WORKSPACES.c.team, WORKSPACES.c.sealed_token),
    _Secrets.of(WORKSPACES, WORKSPACES.c.team, WORKSPACES.c.sealed_refresh),
)


def rewrap(tables: Tables, vault: Vault, batch: int = 500) -> int:
    """Wrap the data key of every secret under ``vault``'s first key and return how many were not under it before.

    Works in transactions of ``batch`` rows while certdesk runs; when it is stopped halfway, the next run does the rest.
    Raises VaultError at a secret that none of the vault's keys opens; the batches before it are done.
    """
    return sum(_rewrap_all(tables, vault, place, batch) for place in _PLACES)


def trial(tables: Tables, vault: Vault) -> None:
    """Unwrap the data key of one secret of each table, the newest one's. Raises VaultError if no key of ``vault`` fits.

    Nothing is changed, and no payload is opened. In a database without secrets every key fits.
    """
    with tables.reading() as connection:
        found = [connection.execute(place.newest).scalar() for place in _PLACES]
    for sealed in found:
        if sealed is not None:
            vault.rewrap(bytes(sealed))


def _rewrap_all(tables: Tables, vault: Vault, place: _Secrets, batch: int) -> int:
    done, after = 0, ""
    while rows := _page(tables, place, after, batch):
        done += _swap(tables, place, [(row, old, vault.rewrap(old)) for row, old in rows])
        after = rows[-1][0]
    return done


def _page(tables: Tables, place: _Secrets, after: str, batch: int) -> Sequence[tuple[str, bytes]]:
    with tables.reading() as connection:
        rows = connection.execute(place.page, {"after": after, "batch": batch})
        return [(row, bytes(sealed)) for row, sealed in rows]


def _swap(tables: Tables, place: _Secrets, secrets: Sequence[tuple[str, bytes, bytes]]) -> int:
    changed = [{"the_row": row, "old": old, "new": new} for row, old, new in secrets if new != old]
    if not changed:
        return 0
    with tables.writing() as connection:
        return sum(connection.execute(place.swap, values).rowcount for values in changed)
