"""The whole way on real parts, by the terminal's contract: stores, check, add, status, renew, wildcard, fallback, ARI."""

import json
import re
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.postgres import Postgres
from bot.demo.parts.process import free_port, wait_until
from tests.children import Desk, desk_on, imported, served
from tests.parts import STORE

KEYS = {"name", "store", "state", "label", "not_after", "serial", "targets", "next_attempt_at", "findings"}
FINDING_KEYS = {"code", "verdict", "name", "owner", "summary", "remedy", "evidence", "checked_at"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
WILD = "*.wild.moon.test"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, bind: Bind, edge: Edge, pebble: Pebble) -> Iterator[Desk]:
    """Give a certdesk that runs, without Slack, with the stores imported."""
    made = imported(desk_on(tmp_path_factory.mktemp("desk"), bind, edge, pebble))
    with made.start("run"):
        yield made


def moment(text: str) -> datetime:
    assert MOMENT.fullmatch(text)
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


# --- the main job, in the order in which it is done


def test_importing_the_same_file_again_changes_nothing(desk: Desk) -> None:
    done = desk.run("stores", "import", str(desk.folder / "stores.csv"))
    assert done.returncode == 0
    assert "nothing to change" in done.stdout


def test_checking_a_healthy_name_finds_nothing_in_the_way(desk: Desk) -> None:
    code, found = desk.ssl("check", STORE)
    assert code == 0
    assert found.keys() >= KEYS
    assert (found["name"], found["store"], found["serial"], found["not_after"]) == (STORE, "moon", None, None)
    assert not [f for f in found["findings"] if f["verdict"] in ("warn", "block")]


def test_add_ends_with_a_certificate_that_the_edge_serves(desk: Desk, edge: Edge) -> None:
    found = desk.one("add", STORE, "--wait")
    assert found.keys() >= KEYS
    assert found["state"] == "installed"
    assert re.fullmatch(r"([0-9a-f]{2})+", found["serial"])
    assert moment(found["not_after"]) > datetime.now(UTC)
    assert moment(found["next_attempt_at"]) > datetime.now(UTC)
    assert served(edge, STORE, desk.folder / "root.pem") == found["serial"]
    assert oct((edge.certificates / STORE / "privkey.pem").stat().st_mode)[-3:] == "600"
    assert (edge.certificates / STORE).is_symlink()


def test_adding_it_again_changes_nothing(desk: Desk) -> None:
    before = desk.status(STORE)
    assert desk.one("add", STORE) == before


def test_status_speaks_of_the_installed_revision(desk: Desk, edge: Edge) -> None:
    assert desk.status(STORE)["serial"] == served(edge, STORE, desk.folder / "root.pem")
    for words in ([], ["moon"]):
        code, every = desk.ssl("status", *words)
        assert code == 0
        assert STORE in [found["name"] for found in every["certificates"]]


def test_renew_changes_the_serial_and_the_edge_serves_the_new_one(desk: Desk, edge: Edge) -> None:
    before = served(edge, STORE, desk.folder / "root.pem")
    found = desk.one("renew", STORE, "--wait")
    assert found["state"] == "installed"
    assert found["serial"] != before
    assert served(edge, STORE, desk.folder / "root.pem") == found["serial"]


def test_history_tells_each_step(desk: Desk) -> None:
    done = desk.run("ssl", "history", STORE)
    assert done.returncode == 0
    assert "order" in done.stdout.lower()


def test_a_wildcard_is_issued_through_dns01(desk: Desk, edge: Edge) -> None:
    found = desk.one("add", WILD, "--wait", "--timeout", "60")
    assert found["state"] == "installed"
    assert found["name"] == WILD
    shown = served(edge, "anything.wild.moon.test", desk.folder / "root.pem")
    assert shown == found["serial"]
    # both names of the registrable domain are in one certificate now
    assert served(edge, STORE, desk.folder / "root.pem") == found["serial"]
    assert (edge.certificates / "_.wild.moon.test").is_symlink()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("moon.shops.test", "domain.default"),
        ("shop.example.com", "domain.not_added"),
        ("no_name!.moon.test", "domain.invalid"),
        ("10.0.0.1", "domain.invalid"),
    ],
)
def test_what_may_not_have_a_certificate_exits_1_with_the_finding(desk: Desk, name: str, code: str) -> None:
    for command in ("check", "add"):
        exit_code, data = desk.ssl(command, name)
        assert exit_code == 1
        found = data.get("certificates", [data])[0]
        finding = next(f for f in found["findings"] if f["code"] == code)
        assert finding.keys() >= FINDING_KEYS
        assert finding["verdict"] == "block"
        assert finding["owner"] == "merchant"
        assert finding["summary"]
        assert finding["remedy"]
        moment(finding["checked_at"])


def test_an_inactive_store_waits_and_goes_on_when_it_is_active_again(desk: Desk, bind: Bind) -> None:
    code, data = desk.ssl("add", "sun.test", "--wait", "--timeout", "30")
    assert code == 1
    [found] = data["certificates"]
    assert found["state"] == "blocked"
    assert "store.inactive" in [f["code"] for f in found["findings"]]


@pytest.mark.parametrize(
    "words", [(), ("add",), ("renew",), ("nonsense",), ("add", STORE, "--timeout", "soon")]
)
def test_wrong_use_exits_2_and_names_an_example(desk: Desk, words: tuple[str, ...]) -> None:
    done = desk.run("ssl", *words)
    assert done.returncode == (0 if not words else 2)
    assert done.stderr or done.stdout
    assert "Traceback" not in done.stderr


def test_it_is_ready_and_only_the_terminal_is_connected(desk: Desk) -> None:
    with urllib.request.urlopen(
        f"http://{desk.environment['CERTDESK_HTTP__LISTEN']}/health/ready", timeout=5
    ) as answer:
        assert answer.status == 200
    assert "only the terminal is connected" in (desk.folder / "run-1.log").read_text()


# --- each with a certdesk of its own


@pytest.fixture
def own(tmp_path: Path, bind: Bind, edge: Edge, pebble: Pebble) -> Desk:
    """Give a certdesk that does not run and has no stores yet, listening on a port of its own."""
    made = desk_on(tmp_path, bind, edge, pebble)
    made.set(
        HTTP__LISTEN=f"127.0.0.1:{free_port()}",
        DEPLOY__TARGETS=[{"name": "files", "kind": "files", "directory": str(tmp_path / "files")}],
        PLATFORM__ADDRESSES=[],
    )
    return made


def test_http01_that_fails_falls_back_to_dns01(
    own: Desk, tmp_path: Path, bind: Bind, edge: Edge, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Pebble.start(
        tmp_path_factory.mktemp("pebble"),
        dns_server=f"{bind.addresses[0]}:{bind.port}",
        http_port=free_port(),  # the CA knocks where nobody is
        tls_port=edge.https_port,
    ) as pebble:
        own.set(ACME__CAS=[{"name": "p", "directory": pebble.directory, "ca_bundle": str(pebble.ca_bundle)}])
        found = imported(own).one("add", STORE, "--wait", "--timeout", "60")
        assert found["state"] == "installed"
        _, history = own.ssl("history", STORE)
        told = json.dumps(history)
        assert "challenge_type_failed" in told
        assert "p dns-01" in told
    files = tmp_path / "files" / STORE
    assert {path.name for path in files.iterdir()} == {"fullchain.pem", "privkey.pem"}


def test_a_window_in_the_past_renews_by_itself(desk: Desk, own: Desk, pebble: Pebble, tmp_path: Path) -> None:
    own.set(RENEWAL__ARI_HOURS="0.0003", ACME__CHALLENGES=["dns-01"])
    imported(own)
    chain = tmp_path / "files" / STORE / "fullchain.pem"
    with own.start("run"):
        first = own.one("add", STORE, "--wait", "--timeout", "60")
        now = datetime.now(UTC)
        pebble.set_renewal_info(chain.read_text(), now - timedelta(days=2), now - timedelta(days=1))

        def renewed() -> bool:
            one = own.status(STORE)
            return bool(one["state"] == "installed" and one["serial"] != first["serial"])

        wait_until(renewed, 30, "the renewal that the CA's window asks for")


def test_wait_works_by_itself_where_no_worker_runs(own: Desk) -> None:
    own.set(ACME__CHALLENGES=["dns-01"])
    assert imported(own).one("add", STORE, "--wait", "--timeout", "60")["state"] == "installed"


def test_without_wait_it_is_durably_accepted(own: Desk) -> None:
    found = imported(own).one("add", STORE)
    assert found["state"] == "checking"
    assert own.status(STORE)["state"] == "checking"


def test_without_a_key_encryption_key_it_refuses_and_says_how_to_make_one(own: Desk) -> None:
    del own.environment["CERTDESK_VAULT__KEY"]
    for words in (("run",), ("work",), ("ssl", "status")):
        done = own.run(*words)
        assert done.returncode == 1
        assert "certdesk keys new" in done.stderr
        assert "Traceback" not in done.stderr
    line = own.run("keys", "new").stdout.strip()
    name, _, value = line.partition("=")
    assert name == "CERTDESK_VAULT__KEY"
    own.environment[name] = value
    assert own.run("ssl", "status").returncode == 0


def test_configuration_errors_name_the_key_and_what_is_allowed(own: Desk) -> None:
    own.set(PROBE__HTTPS_PORT="70000")
    done = own.run("ssl", "status")
    assert done.returncode == 1
    assert "probe.https_port" in done.stderr
    assert "70000" in done.stderr
    own.set(PROBE__HTTPS_PORT="443", PROBE__HTTPSPORT="443")
    done = own.run("ssl", "status")
    assert done.returncode == 1
    assert "Did you mean CERTDESK_PROBE__HTTPS_PORT?" in done.stderr


def test_a_port_that_is_taken_is_said(own: Desk, desk: Desk) -> None:
    own.environment["CERTDESK_HTTP__LISTEN"] = desk.environment["CERTDESK_HTTP__LISTEN"]
    done = own.run("run")
    assert done.returncode == 1
    assert "http.listen" in done.stderr


def test_postgresql_is_migrated_by_hand_and_says_so_until_it_is(own: Desk, postgres: Postgres) -> None:
    own.set(DATABASE__URL=postgres.new_database(), ACME__CHALLENGES=["dns-01"])
    for words in (("run",), ("work",), ("ssl", "status"), ("stores", "list")):
        done = own.run(*words)
        assert done.returncode == 1
        assert "certdesk migrate" in done.stderr
        assert "Traceback" not in done.stderr
    assert own.run("migrate").returncode == 0
    assert imported(own).one("add", STORE, "--wait", "--timeout", "60")["state"] == "installed"
    assert own.run("migrate").returncode == 0
