"""The desk: all that a use case may touch, put together once by bot/wiring.py and handed down as a parameter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.model.clock import Clock
from services.model.settings import Alerting, Approving, CaSettings, Issuing, Platform, Renewing
from services.ports import Checker, Storage


@dataclass(frozen=True, slots=True)
class Desk:
    """What use cases work with. Safe to share between threads."""

    storage: Storage
    checker: Checker
    platform: Platform
    issuing: Issuing
    renewing: Renewing
    clock: Clock
    wildcards: bool
    """Whether dns-01 is set up, so that wildcards can be issued."""
    wake: Callable[[], None]
    """Tells the workers of this process that something is due."""
    alerting: Alerting = field(default_factory=Alerting)
    limits: tuple[CaSettings, ...] = ()
    """The CAs in their order, with what their rate limits are."""
    languages: Mapping[str, str] = field(default_factory=lambda: {"en": "English"})
    """Code -> what the language calls itself, of every language that certdesk speaks."""
    approving: Approving = field(default_factory=Approving)
