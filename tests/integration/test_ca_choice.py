"""Which CA issues: one that CAA forbids, or whose certificates hold too few names, is passed over for the next, and that is said."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from tests.children import Desk, desk_on
from tests.parts import STORE, ZONE

MANY = [f"n{number}.moon.test" for number in range(26)]
DAY = 86_400


@pytest.fixture(scope="module")
def short_lived(tmp_path_factory: pytest.TempPathFactory, bind: Bind, edge: Edge) -> Iterator[Pebble]:
    """Give a CA with a profile of short-lived certificates and a classic one."""
    with Pebble.start(
        tmp_path_factory.mktemp("pebble"),
        dns_server=f"{bind.addresses[0]}:{bind.port}",
        http_port=edge.http_port,
        tls_port=edge.https_port,
        profiles={"shortlived": 6 * DAY, "classic": 90 * DAY},
    ) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path, bind: Bind, edge: Edge, short_lived: Pebble) -> Iterator[Desk]:
    made = desk_on(tmp_path, bind, edge, short_lived)
    made.set(
        ACME__CHALLENGES=["dns-01"],
        PLATFORM__ADDRESSES=[],
        RDAP__SERVERS={"*": ""},
        DEPLOY__TARGETS=[{"name": "files", "kind": "files", "directory": str(tmp_path / "files")}],
    )
    rows = "".join(f"moon,active,en,{name},false\n" for name in (STORE, *MANY))
    (tmp_path / "stores.csv").write_text("store,status,locale,domain,default\n" + rows)
    assert made.run("stores", "import", str(tmp_path / "stores.csv")).returncode == 0
    yield made
    bind.reload_zone("moon.test", ZONE)


def ca(pebble: Pebble, name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "directory": pebble.directory, "ca_bundle": str(pebble.ca_bundle), **more}


def orders(desk: Desk, name: str) -> list[str]:
    """Return which CA each order went to."""
    _, found = desk.ssl("history", name)
    return [row["details"].split()[0] for row in found["history"] if row["what"] == "order_placed"]


def findings(desk: Desk, word: str, name: str) -> dict[str, dict[str, Any]]:
    """Return what there is to say of the name, by code, but for what is not known."""
    _, found = desk.ssl(word, name)
    return {f["code"]: f for f in found["findings"] if f["verdict"] != "unknown"}


def test_a_ca_that_caa_forbids_is_passed_over_and_that_is_said(
    desk: Desk, bind: Bind, short_lived: Pebble
) -> None:
    bind.reload_zone("moon.test", ZONE + 'shop CAA 0 issue "two.test"\n')
    one, two = (ca(short_lived, word, caa_domains=[f"{word}.test"]) for word in ("one", "two"))
    desk.set(ACME__CAS=[one, two])
    said = findings(desk, "check", STORE)["dns.caa_forbids"]
    assert said["verdict"] == "warn"
    assert "forbid one to issue" in said["summary"]
    assert desk.one("add", STORE, "--wait")["state"] == "installed"
    assert orders(desk, STORE) == ["two"]
    assert findings(desk, "status", STORE)["dns.caa_forbids"]["verdict"] == "warn"


def test_more_names_than_a_short_profile_holds_go_to_another_ca_or_wait_with_the_reason(
    desk: Desk, bind: Bind, short_lived: Pebble
) -> None:
    bind.reload_zone("moon.test", ZONE + "* A 127.0.0.1\n")
    short, long = ca(short_lived, "short", profile="shortlived"), ca(short_lived, "long", profile="classic")
    desk.set(ACME__CAS=[short])
    code, data = desk.ssl("add", *MANY, "--wait", "--timeout", "60")
    assert code == 1
    assert {found["state"] for found in data["certificates"]} == {"blocked"}
    status = desk.status(MANY[0])
    assert status["label"] == "Invalid domain name signature has been detected"
    assert "26 names; 25 are allowed" in findings(desk, "status", MANY[0])["policy.too_many_names"]["summary"]
    answer = desk.run("ssl", "renew", MANY[0], "--wait", "--timeout", "60").stdout
    assert answer.count("policy.too_many_names") == 1  # said once, not of each name
    desk.set(ACME__CAS=[short, long])
    assert desk.one("renew", MANY[0], "--wait", "--timeout", "60")["state"] == "installed"
    assert orders(desk, MANY[0]) == ["long"]
