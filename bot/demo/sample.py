"""The demo's sample platform: three stores with their domains, zones and pages, and the people of its workspace."""

from collections.abc import Mapping

from bot.demo.parts import nginx

LOOPBACK = "127.0.0.1"
NAME = "shop.moon.test"
"""The name that the main job is played for."""
STORE, REGISTRABLE = "moon", "moon.test"
"""Its store and its registrable domain."""
TEAM, AGENT, VISITOR, CHANNEL = "T0MOON", "U0AGENT", "U0GUEST", "C0SUPPORT"
USERS = (
    {
        "id": AGENT,
        "name": "mina",
        "real_name": "Mina (support)",
        "email": "mina@platform.test",
        "tz": "Asia/Seoul",
    },
    {
        "id": VISITOR,
        "name": "guest",
        "real_name": "A visitor",
        "email": "guest@elsewhere.test",
        "tz": "Europe/Paris",
    },
)
CHANNELS = ({"id": CHANNEL, "name": "ssl-support", "is_private": True, "members": [AGENT]},)
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
