"""Implements `services.ports.scanning.Fetcher` as a guest asks: with a pause between two requests to one host, and a sign of life before each."""

from collections.abc import Callable

from services.ports.scanning import Fetched, Fetcher
from services.scanning import urls

MOST_DELAY = 10.0
"""Seconds between two requests that a robots.txt can ask for."""
ELSEWHERE = 0.1
"""Seconds between two requests to a host that is not the store's: a browser asks for all of a page's files at once."""
_NOBODY = frozenset({"no_address", "not_public", "port"})
"""What comes of a URL for which nobody was asked."""


class Guest:
    """One scan's. One thread at a time."""

    def __init__(
        self,
        fetcher: Fetcher,
        own: Callable[[str], bool],
        delay: float,
        pause: Callable[[float], None],
        alive: Callable[[], None],
    ) -> None:
        """``delay``: seconds between two requests to one host that is the store's ``own``; ``alive`` hears before and after each pause, and may raise to end it all."""
        self._fetcher, self._own, self._delay, self._pause, self._alive = fetcher, own, delay, pause, alive
        self._wished: dict[str, float] = {}
        self._asked: set[str] = set()

    def slow_down(self, host: str, delay: float) -> None:
        """Heed what the host's robots.txt asks for, in seconds."""
        self._wished[host] = min(delay, MOST_DELAY)

    def fetch(self, url: str, most: int) -> Fetched:
        """Return what GET gives; see `services.ports.scanning.Fetcher`."""
        host = urls.host_of(url)
        self._alive()
        if host in self._asked:
            usual = self._delay if self._own(host) else min(self._delay, ELSEWHERE)
            self._pause(max(usual, self._wished.get(host, 0.0)))
            self._alive()
        answer = self._fetcher.fetch(url, most)
        if answer.error not in _NOBODY:
            self._asked.add(host)
        return answer
