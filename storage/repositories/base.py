"""What every repository is made of."""

from sqlalchemy import Connection


class Repository:
    """Repositories hold nothing but the connection of their transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
