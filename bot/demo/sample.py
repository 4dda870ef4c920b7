"""The demo's sample platform: three stores with their domains, zones and pages, and the people of its workspace."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.demo.parts import nginx

LOOPBACK = "127.0.0.1"
NAME = "shop.moon.test"
"""The name that the main job is played for."""
STORE, REGISTRABLE = "moon", "moon.test"
"""Its store and its registrable domain."""
TEAM, AGENT, VISITOR, CHANNEL = "T0MOON", "U0AGENT", "U0GUEST", "C0SUPPORT"
SECOND, ONCALL, MERCHANT = "U0SECOND", "U0ONCALL", "U0MERCHANT"
ALERTS, MERCHANTS_CHANNEL, STORES_CHANNEL = "C0ALERTS", "C0SUNSTORE", "C0MOONSTORE"
THEIRS = "sun"
"""The merchant's store; their channel is linked to it."""


def _person(user: str, name: str, real_name: str, zone: str, house: str = "platform") -> Mapping[str, str]:
    return {
        "id": user,
        "name": name,
        "real_name": real_name,
        "email": f"{name}@{house}.test",
        "tz": zone,
    }


USERS = (
    _person(AGENT, "mina", "Mina (support)", "Asia/Seoul"),
    _person(SECOND, "hana", "Hana (support)", "Asia/Seoul"),
    _person(ONCALL, "jun", "Jun (on-call)", "Asia/Seoul"),
    _person(MERCHANT, "sora", f"Sora (merchant of {THEIRS})", "Europe/Paris", "sun"),
    _person(VISITOR, "guest", "A visitor", "Europe/Paris", "elsewhere"),
)
_STAFF = (AGENT, SECOND, ONCALL)
CHANNELS = (
    {"id": CHANNEL, "name": "ssl-support", "is_private": True, "members": [*_STAFF]},
    {"id": ALERTS, "name": "ssl-alerts", "is_private": True, "members": [*_STAFF]},
    {"id": MERCHANTS_CHANNEL, "name": "sun-store", "is_private": True, "members": [AGENT, MERCHANT]},
    {"id": STORES_CHANNEL, "name": "moon-store", "is_private": True, "members": [AGENT]},
)
LINKS = ((MERCHANTS_CHANNEL, THEIRS), (STORES_CHANNEL, STORE))
"""Channels, and the stores that they are linked to."""
STORES = """store,status,locale,domain,default
moon,active,ko-KR,moon.shops.test,true
moon,active,ko-KR,shop.moon.test,false
moon,active,ko-KR,moon.test,false
sun,active,en,sun.shops.test,true
sun,active,en,sun.test,false
comet,active,en,comet.shops.test,true
comet,active,en,comet.test,false
"""
_HOSTED = "$TTL 60\n@ SOA ns1.platform.test. host.platform.test. 1 60 60 600 60\n@ NS ns1.platform.test.\n@ A 127.0.0.1\n"
ZONES: Mapping[str, str] = {
    "platform.test": _HOSTED + "ns1 A 127.0.0.1\nedge A 127.0.0.1\n",
    "moon.test": _HOSTED + "shop A 127.0.0.1\nwww A 127.0.0.1\nwww.shop A 127.0.0.1\n",
    "sun.test": _HOSTED + "www A 127.0.0.1\n",
    # the merchant of this one points it at the platform, but has not moved its DNS there yet
    "comet.test": "$TTL 60\n@ SOA ns1.elsewhere.test. host.elsewhere.test. 1 60 60 600 60\n@ NS ns1.elsewhere.test.\n@ A 127.0.0.1\n",
    "elsewhere.test": _HOSTED.replace("platform", "elsewhere") + "ns1 A 127.0.0.99\n",
}
PAGES: Mapping[str, str] = {
    name: nginx.store_page(title)
    for title, names in {
        "Moon": ("moon.test", "www.moon.test", "shop.moon.test", "www.shop.moon.test", "*.moon.test"),
        "Sun": ("sun.test", "www.sun.test"),
        "Comet": ("comet.test",),
    }.items()
    for name in names
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A platform to be played with."""

    stores: str
    """As `certdesk stores import` takes them (CSV)."""
    zones: Mapping[str, str]
    """Zone -> its records as a master file."""
    pages: Mapping[str, str]
    """Host name -> the page that the edge serves for it."""
    links: tuple[tuple[str, str], ...] = ()
    """Channels, and the stores that they are linked to."""


SAMPLE = Sample(STORES, ZONES, PAGES, LINKS)
"""The demo's own."""
