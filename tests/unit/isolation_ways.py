"""Every way to ask that a store can be named in: commands, clicks, sheets, links and the Home tab; the gap is the store's id.

Whoever tries them takes them from here: the isolation matrix and the bench of its times. A test holds that none is missing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from commands import requests
from tests.unit.isolation_world import Given

FORGED: Mapping[str, Any] = {"memory": '{"store": "{}"}', "kind": "modal", "hash": "1.a", "values": {}}
"""What a modal carries that speaks of the store."""
LIST: Mapping[str, Any] = {
    "files": {"file": [{"id": "F1", "name": "{}.csv", "kind": "csv", "size": 9, "external": False}]}
}
"""What comes with a list that was put into a modal."""


def _form(**values: str | list[str]) -> Given:
    return Given(form={**FORGED, "values": {name: value for name, value in values.items() if value}})


COMMAND_WAYS: Mapping[str, tuple[Given, ...]] = {
    "add": (
        Given("{}.test"),
        Given("www.{}.test"),
        Given("bad.{}.example"),
        Given("new.{}.test"),
        Given("*.{}.test"),
        Given("{}.test --store {}"),
        Given("moon.test {}.test"),
        Given("moon.test --store {}"),
        Given("https://shop.{}.test/admin"),
        Given("--file"),
        Given("--file --store {}"),
        Given(""),
        Given("--store {}"),
        Given("{}.test,shop.{}.test"),
        Given("https://admin.example.test/{}"),
        Given("moon.test --store https://admin.example.test/{}/domains"),
        Given("--file", upload="{}.test"),
        Given("--file", upload="name\nshop.{}.test\nmoon.test\n"),
        Given("--file", upload="store,name\n{},{}.test\nmoon,moon.test\n"),
        Given("--file", upload="store,name\n{},moon.test\n"),
        Given("--file", upload="store,name\nmoon,{}.test\n"),
        Given("--file", upload="www.{}.test\nhttps://bad.{}.example/x\n"),
        Given("--file --store {}", upload="moon.test\n"),
    ),
    "status": (
        Given("{}"),
        Given("{}.test"),
        Given("www.{}.test"),
        Given("shop.{}.test"),
        Given("bad.{}.example"),
        Given("{}.test --csr"),
        Given("{}.test --store {}"),
        Given("--store {}"),
        Given("moon.test --store {}"),
        Given("{}.tset"),
        Given("HTTPS://SHOP.{}.TEST:443/a?b"),
        Given("<http://shop.{}.test|shop.{}.test>"),
        Given("{}\u3002test"),
        Given("b\u00fccher.{}.test"),
        Given("https://admin.example.test/{}"),
        Given("moon.test --store https://admin.example.test/{}"),
        Given("moon.test --store shop.{}.test"),
    ),
    "renew": (
        Given(""),
        Given("--store {}"),
        Given("{}.test"),
        Given("www.{}.test"),
        Given("bad.{}.example"),
        Given("{}.test --store {}"),
        Given("moon.test --store {}"),
        Given("--cause dns.not_hosted"),
        Given("--cause dns.not_hosted --store {}"),
    ),
    "remove": (
        Given("{}.test"),
        Given("bad.{}.example"),
        Given("{}.test --store {}"),
        Given("moon.test {}.test"),
        Given("moon.test --store {}"),
    ),
    "revoke": (
        Given("{}.test --reason superseded"),
        Given("{}.test --reason keyCompromise"),
        Given("{}.test --reason superseded --serial 0a"),
        Given("bad.{}.example --reason superseded"),
        Given("www.{}.test --reason superseded"),
        Given("new.{}.test --reason superseded"),
        Given("{}.test --reason superseded --store {}"),
        Given("moon.test --reason superseded --store {}"),
        Given("{}.test --reason {}"),
        Given("{}.test"),
        Given(),
    ),
    "rollback": (
        Given("{}.test"),
        Given("bad.{}.example"),
        Given("www.{}.test"),
        Given("new.{}.test"),
        Given("{}.test --store {}"),
        Given("moon.test --store {}"),
        Given(),
    ),
    "check": (
        Given("{}.test"),
        Given("bad.{}.example"),
        Given("{}.test --store {}"),
        Given("www.{}.test"),
        Given("moon.test --store {}"),
    ),
    "history": (
        Given("{}.test"),
        Given("www.{}.test"),
        Given("bad.{}.example"),
        Given("{}.test --store {}"),
        Given("moon.test --store {}"),
    ),
    "scan": (
        Given("{}.test"),
        Given("{}.test /checkout"),
        Given("{}.test https://{}.test/cart?a=1"),
        Given("www.{}.test"),
        Given("bad.{}.example"),
        Given("*.{}.test"),
        Given("{}.test --store {}"),
        Given("moon.test --store {}"),
        Given("moon.test https://{}.test/"),
        Given(""),
    ),
    "forecast": (
        Given(""),
        Given("90"),
        Given("{}"),
    ),
    "alerts": (
        Given(""),
        Given("1"),
        Given("alert_{}"),
    ),
    "report": (Given(""), Given("--store {}"), Given("--csv --store {}"), Given("{}")),
    "link": (
        Given("{}"),
        Given("<@U0000NEW> {}"),
        Given("<#C0000001> {}"),
        Given("@new {}"),
        Given("workspace T2MOON {}"),
        Given("workspace:T2MOON {}"),
        Given("https://admin.example.test/{}"),
        Given("{}.test"),
    ),
    "unlink": (
        Given("{}"),
        Given("<@U0000NEW> {}"),
        Given("<#C_{}> {}"),
        Given("workspace T2MOON {}"),
        Given("T2MOON/C0000001 {}"),
    ),
    "links": (
        Given("{}"),
        Given(""),
        Given("<@U_{}>"),
        Given("workspace T2MOON"),
        Given("https://admin.example.test/{}"),
        Given("shop.{}.test"),
    ),
    "notify": (
        Given(""),
        Given("{}"),
        Given("workspace T2OTHER"),
        Given("workspace T2OTHER C0000001"),
        Given("workspace T2OTHER C_{}"),
        Given("workspace T2OTHER none"),
    ),
    "language": (
        Given(""),
        Given("ko"),
        Given("auto"),
        Given("{}"),
    ),
    "help": (
        Given(""),
        Given("add"),
        Given("unlink"),
        Given("{}"),
    ),
}
"""How each command is tried; the gap is the store's id."""
CLICK_WAYS: dict[str, tuple[Given, ...]] = {
    "alert.check": (Given("alert_{} 4"),),
    "alert.renew": (Given("alert_{} 4"),),
    "alert.ack": (Given("alert_{} 4"),),
    "alert.snooze": (Given("alert_{} 4 1d"),),
    "alert.hand_over": (Given("alert_{} 4"),),
    "alert.list": (Given("alert_{} 4"),),
    "certificate.retry": (Given("{cert}"), Given("{cert} {cert}")),
    "certificate.check": (Given("{cert}"),),
    "alert.copy": (Given("alert_{} 4"),),
    "certificate.copy": (Given("{cert}"),),
    "store.copy": (Given("{}.test"), Given("bad.{}.example")),
    "link.approve": (Given("link_{}"),),
    "link.decline": (Given("link_{}"),),
    "approval.confirm": (Given("prop_{}"),),
    "approval.cancel": (Given("prop_{}"),),
    "approval.approve": (Given("prop_{}"),),
    "approval.reject": (Given("prop_{}"), Given("prop_{} prop_{}")),
    "bulk.pause": (Given("job_{}"),),
    "bulk.resume": (Given("job_{}"),),
    "bulk.cancel": (Given("job_{}"), Given("job_{} job_{}")),
}
AT_HOME: Mapping[str, Any] = {
    "memory": '{"what": "all", "search": "{}", "first": ["{}.test", "{cert}"], "last": ["{}", "{cert}"]}',
    "kind": "home",
    "hash": "1.a",
    "values": {"home.search": "{}"},
}
"""What the Home tab carries that was made to look for the store."""
for _item in ("search", "find", "show", "turn", "check", "renew"):
    CLICK_WAYS[f"home.{_item}"] = (Given("{cert}", AT_HOME), Given("{}", AT_HOME), Given("next", AT_HOME))
for _item in ("add", "renew", "status", "forecast", "alerts", "link", "help", "back"):
    CLICK_WAYS[f"menu.{_item}"] = (Given("-", FORGED),)
TURNED: Mapping[str, Any] = {
    **FORGED,
    "memory": '{"store": "{}", "row": "req_0", "turn": 3}',
    "values": {
        "names": ["{}.test"],
        "names.3.10": ["bad.{}.example"],
        "sheet.search": "{}",
        "typed": "{}.test",
    },
}
"""A page of names that was made to speak of the store."""
for _item in ("turn", "find", "search"):
    CLICK_WAYS[f"sheet.{_item}"] = (Given("30", TURNED), Given("all", TURNED), Given("{}", TURNED))
"""How each click is tried, its value and what its modal carries forged."""
SHEET_WAYS: Mapping[str, tuple[Given, ...]] = {
    "add.store": (
        _form(store="{}"),
        _form(store="{}.test"),
        Given(form={**FORGED, "values": {"store": "{}"}, **LIST}),
    ),
    "add": (
        _form(names=["{}.test", "bad.{}.example"], typed=""),
        _form(names=[], typed="www.{}.test, https://shop.{}.test/"),
        _form(names=["moon.test"], typed="{}.test"),
        Given(form={**FORGED, **LIST}),
        Given(form={**FORGED, **LIST}, upload="{}.test"),
        Given(form={**FORGED, **LIST}, upload="store,name\n{},{}.test\nmoon,moon.test\n"),
    ),
    "renew": (_form(names=["{}.test", "bad.{}.example"], typed=""), _form(names=[], typed="{}.test")),
    "link": (_form(store="{}"),),
}
"""What each sheet is filled in with: ids and names that were never offered, and another store in what it carries."""

LINK_WAYS: Mapping[str, tuple[Given, ...]] = {
    name: tuple(Given(form={"links": [f"https://certdesk.example.test/{name}/{end}"]}) for end in ends)
    for name, ends in {
        "certificates": ("{}.test", "bad.{}.example", "www.{}.test", "{}"),
        "alerts": ("alert_{}",),
    }.items()
}
"""How each kind of link is shared."""
HOME_WAYS: Mapping[str, tuple[Given, ...]] = {"home": (Given(), Given(form=AT_HOME))}
"""How the Home tab is opened: with what was looked for in it, too, which Slack does not send."""


def _named(ways: Mapping[str, tuple[Given, ...]]) -> Mapping[str, tuple[Given, ...]]:
    """Return the ways with the name in front of what is sent."""
    return {
        name: tuple(replace(one, text=f"{name} {one.text}".strip()) for one in some)
        for name, some in ways.items()
    }


UNKNOWN_COMMANDS: tuple[Given, ...] = (Given("{}"), Given("{}.test"), Given("frob {}.test"))
WAYS: Mapping[str, Mapping[str, tuple[Given, ...]]] = {
    requests.COMMAND: {**_named(COMMAND_WAYS), "": UNKNOWN_COMMANDS},
    requests.CLICK: _named(CLICK_WAYS),
    requests.SUBMISSION: _named(SHEET_WAYS),
    requests.LINKS: LINK_WAYS,
    requests.HOME: HOME_WAYS,
}
"""Every way, by the kind of request and by what the request names."""
CASES = [
    (kind, name, given) for kind, table in WAYS.items() for name, some in table.items() for given in some
]
IDS = [f"{kind} {given.text} {number}" for number, (kind, _, given) in enumerate(CASES)]
