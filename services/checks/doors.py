"""Doors at which nobody opened a moment ago: an address that takes no connection must not be waited for name by name."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

Door = tuple[IPv4Address | IPv6Address | str, int]
"""An address and a port."""
REST = 10.0
"""Seconds that a door is left alone. Whether it takes connections has nothing to do with the name that is asked for."""
MOST = 1000
"""Doors that are remembered; the oldest goes first."""


class Doors:
    """Any thread may call. While a door rests, one caller at a time knocks again; all others are spared the wait."""

    def __init__(self, rest: float = REST, clock: Callable[[], float] = time.monotonic) -> None:
        """``rest``: seconds, longer than a knock takes; ``clock`` gives seconds."""
        self._rest, self._clock = rest, clock
        self._shut: OrderedDict[Door, float] = OrderedDict()
        self._lock = threading.Lock()

    def may_knock(self, door: Door) -> bool:
        """Tell whether to try the door; of many who ask after its rest, the first one only."""
        with self._lock:
            until = self._shut.get(door)
            if until is None:
                return True
            if self._clock() < until:
                return False
            self._shut[door] = self._clock() + self._rest
            return True

    def stayed_shut(self, door: Door) -> None:
        """Remember that nobody opened."""
        with self._lock:
            self._shut[door] = self._clock() + self._rest
            self._shut.move_to_end(door)
            if len(self._shut) > MOST:
                self._shut.popitem(last=False)

    def answered(self, door: Door) -> None:
        """Forget that it was shut."""
        with self._lock:
            self._shut.pop(door, None)
