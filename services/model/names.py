"""Domain names as certdesk keeps them: A-labels, lower case, no final dot; a wildcard begins with ``*.``."""

from collections.abc import Iterable

WILDCARD = "*."


def is_wildcard(name: str) -> bool:
    """Tell whether ``name`` stands for every sub-domain one label below its base (RFC 9525 §6.3)."""
    return name.startswith(WILDCARD)


def base(name: str) -> str:
    """Return ``name`` without the wildcard label: where its DNS records live."""
    return name.removeprefix(WILDCARD)


def parent(name: str) -> str:
    """Return ``name`` without its first label; the parent of a top-level domain is the root, written as the empty text."""
    return name.partition(".")[2]


def is_under(name: str, suffix: str) -> bool:
    """Tell whether ``name`` is ``suffix`` or lies below it, label by label."""
    return base(name) == suffix or name.endswith("." + suffix)


def under_any(name: str, suffixes: Iterable[str]) -> bool:
    """Tell whether ``name`` is one of ``suffixes`` or lies below one."""
    return any(is_under(name, suffix) for suffix in suffixes)


def counts_as(name: str) -> tuple[str, ...]:
    """Return the names whose addition by the merchant makes ``name`` an added one.

    Itself; what it is the ``www.`` of; for a wildcard its base, whose zone the merchant controls.
    """
    shorter = base(name).removeprefix("www.") if not is_wildcard(name) else base(name)
    return (name,) if shorter == name else (name, shorter)


def climb(name: str) -> Iterable[str]:
    """Yield ``name`` and each of its parents up to the top-level domain, nearest first (the walk of RFC 8659 §3)."""
    here = base(name)
    while here:
        yield here
        here = parent(here)


def covers(pattern: str, name: str) -> bool:
    """Tell whether a certificate's name ``pattern`` is valid for ``name`` (RFC 9525 §6.3: one label for one asterisk)."""
    return pattern == name or (
        is_wildcard(pattern) and not is_wildcard(name) and parent(name) == base(pattern)
    )
