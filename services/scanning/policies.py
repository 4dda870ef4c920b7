"""What a page's Content-Security-Policy makes of insecure URLs (Upgrade Insecure Requests §3, W3C Mixed Content §5)."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.model.scans import Kind

_UPGRADED = frozenset({Kind.BLOCKABLE, Kind.UPGRADEABLE, Kind.FORM, Kind.LIKELY})


@dataclass(frozen=True, slots=True)
class Mitigations:
    """What holds from some place of a page on."""

    upgrade: bool = False
    """upgrade-insecure-requests: whatever is loaded or sent goes over https."""
    block: bool = False
    """block-all-mixed-content: images, audio and video are not loaded either."""

    def __or__(self, other: "Mitigations") -> "Mitigations":
        return Mitigations(self.upgrade or other.upgrade, self.block or other.block)

    def __and__(self, other: "Mitigations") -> "Mitigations":
        return Mitigations(self.upgrade and other.upgrade, self.block and other.block)

    def cover(self, kind: Kind, *, own: bool) -> bool:
        """Tell whether something of this kind is no longer asked for insecurely; ``own``: its host is the page's own.

        Of what only leads elsewhere, links within the same host are upgraded (Upgrade Insecure Requests §3.2).
        """
        if self.upgrade and (kind in _UPGRADED or (kind is Kind.NAVIGATIONAL and own)):
            return True
        return self.block and kind is Kind.UPGRADEABLE


def mitigations(policies: Iterable[str]) -> Mitigations:
    """Return what the policies, each the value of a header field or a ``<meta>``, say together."""
    names = {
        directive.split()[0].lower()
        for policy in policies
        for directive in policy.replace(",", ";").split(";")
        if directive.strip()
    }
    return Mitigations("upgrade-insecure-requests" in names, "block-all-mixed-content" in names)
