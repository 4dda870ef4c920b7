"""Which store a pasted text means: its page on the platform, its id, or one of its domain names; only ever the caller's own."""

import re
from functools import lru_cache
from urllib.parse import unquote

from commands.caller import Caller
from services import naming
from services.desk import Desk
from services.model import names
from services.model.errors import InvalidNameError

PLACE = "{store}"
"""Where the store's id stands in ``platform.admin_url``."""
_ID = r"[^\W_][\w.-]{0,63}"  # as `services.registry.rows` takes it


def page_of(text: str, admin_url: str) -> str | None:
    """Return the id of the store whose page on the platform ``text`` is the address of; None if it is no such address.

    ``admin_url`` is `services.model.settings.Platform.admin_url`; what stands behind the store in a longer address, and
    whether http or https, does not matter. Whether there is such a store nobody is asked.
    """
    found = _pattern(admin_url).fullmatch(unquote(text.strip())) if admin_url else None
    return found["store"] if found else None


@lru_cache(maxsize=8)
def _pattern(admin_url: str) -> re.Pattern[str]:
    before, _, after = admin_url.partition(PLACE)
    _, _, rest = before.partition("://")
    host, slash, path = rest.partition("/")
    start = rf"(?:https?://)?(?i:{re.escape(host)}){slash}{re.escape(path)}"
    end = re.escape(after.rstrip("/"))
    return re.compile(rf"{start}(?P<store>{_ID}?){end}(?:[/?#].*)?", re.DOTALL)


def meant(given: str, desk: Desk, caller: Caller) -> str:
    """Return the id of the caller's store that ``given`` means; anything else comes back as it was given.

    Of a store that is not the caller's nothing is said that would not be said of one that does not exist.
    """
    page = page_of(given, desk.platform.admin_url)
    if page is not None:
        return page
    with desk.storage.read() as tx:
        if caller.sees(given) and tx.stores.get(given) is not None:
            return given
        domains = [tx.stores.domain(one, caller.sees.stores) for one in _counts_as(given)]
    return next((one.store for one in domains if one is not None), given)


def _counts_as(given: str) -> tuple[str, ...]:
    try:
        return tuple(names.counts_as(naming.parse(given)))
    except InvalidNameError:
        return ()


def store(word: str, desk: Desk, caller: Caller) -> str | None:
    """Return the store that a word means where a name is looked for; None for what is rather a name, or nothing.

    A page of the platform always means its store, whosever that is; a bare id does if it is one of the caller's own.
    """
    page = page_of(word, desk.platform.admin_url)
    if page is not None or "." in word or not caller.sees(word):
        return page
    with desk.storage.read() as tx:
        return word if tx.stores.get(word) is not None else None
