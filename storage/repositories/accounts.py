"""ACME accounts, one for each directory."""

from sqlalchemy import bindparam, select

from services.ports import Account
from storage import records
from storage.repositories.base import Repository
from storage.repositories.upserts import insert, insert_or_keep, insert_or_update
from storage.schema import ACCOUNTS

_GET = select(ACCOUNTS).where(ACCOUNTS.c.directory == bindparam("directory"))
_ADD = insert_or_keep(ACCOUNTS, "directory")
_REPLACE = insert_or_update(ACCOUNTS, "directory")


class SqlAccounts(Repository):
    """`services.ports.Accounts`."""

    __slots__ = ()

    def get(self, directory: str) -> Account | None:
        """Return the account at this directory URL, or None."""
        row = self._connection.execute(_GET, {"directory": directory}).first()
        return records.account(row) if row else None

    def add(self, account: Account) -> Account:
        """Insert, unless there is one already: return the one that is stored after the call."""
        insert(self._connection, _ADD, records.account_values(account))
        row = self._connection.execute(_GET, {"directory": account.directory}).one()
        return records.account(row)

    def replace(self, account: Account) -> None:
        """Insert or replace."""
        insert(self._connection, _REPLACE, records.account_values(account))
