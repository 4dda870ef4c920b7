"""Which language is spoken in which channel."""

from sqlalchemy import bindparam, delete, select

from services.model.audiences import ChannelLanguage
from storage import records
from storage.audiences import CHANNEL_LANGUAGES
from storage.repositories.base import Repository
from storage.repositories.upserts import insert, insert_or_update

_C = CHANNEL_LANGUAGES.c
_CHANNEL = bindparam("the_channel", type_=_C.channel.type)
_PUT = insert_or_update(CHANNEL_LANGUAGES, "channel")
_DROP = delete(CHANNEL_LANGUAGES).where(_C.channel == _CHANNEL)
_OF = select(CHANNEL_LANGUAGES).where(_C.channel == _CHANNEL)


class SqlLanguages(Repository):
    """`services.ports.Languages`."""

    __slots__ = ()

    def put(self, choice: ChannelLanguage) -> None:
        """Insert, or take the place of the former choice for the channel."""
        insert(self._connection, _PUT, records.channel_language_values(choice))

    def drop(self, channel: str) -> bool:
        """Forget; False if there was none."""
        return self._connection.execute(_DROP, {"the_channel": channel}).rowcount > 0

    def of(self, channel: str) -> ChannelLanguage | None:
        """Return what was chosen for the channel, or None."""
        row = self._connection.execute(_OF, {"the_channel": channel}).first()
        return records.channel_language(row) if row is not None else None
