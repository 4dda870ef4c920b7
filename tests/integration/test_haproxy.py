"""The target `haproxy` and a real HAProxy with the configuration of docs/haproxy.md."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from cryptography import x509

from services.deployment.haproxy import HaproxySettings, HaproxyTarget
from services.model.certificates import Revision
from services.model.errors import DeployError
from tests.haproxy_world import HaproxyWorld
from tests.minted import Mint

NAMES = ("*.moon.test", "moon.test")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HaproxyWorld]:
    made = HaproxyWorld(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def mint() -> Mint:
    return Mint()


def serves(world: HaproxyWorld, revision: Revision, *names: str) -> bool:
    """Tell whether each name is shown this revision."""
    shown = [world.shown(name) for name in names or revision.names]
    leaves = [x509.load_pem_x509_certificate(one.encode()) for one in shown if one]
    return len(leaves) == len(shown) and {f"{leaf.serial_number:x}" for leaf in leaves} == {
        (revision.serial or "").lstrip("0")
    }


def test_a_renewal_is_served_at_once_by_the_same_process(world: HaproxyWorld, mint: Mint) -> None:
    assert world.shown("moon.test") is None
    pid = world.balancer.process.pid
    for _ in range(3):
        revision, key = mint.revision(*NAMES)
        world.target().deploy(revision, key)
        assert serves(world, revision, "moon.test", "any.moon.test", "certdesk-probe.moon.test")
        assert world.shown("deep.any.moon.test") is None
    assert (pid, world.balancer.process.alive) == (world.balancer.process.pid, True)


def test_it_has_everything_after_a_start_from_the_files(world: HaproxyWorld, mint: Mint) -> None:
    first, first_key = mint.revision(*NAMES)
    second, second_key = mint.revision("sun.test")
    for revision, key in ((first, first_key), (second, second_key)):
        world.target().deploy(revision, key)
    world.target().remove("moon.test")
    world.again()
    assert serves(world, first, "any.moon.test")
    assert serves(world, second)
    assert world.shown("moon.test") is None
    assert world.target().current("sun.test") == second.serial
    renewed, renewed_key = mint.revision(*NAMES)
    world.target().deploy(renewed, renewed_key)
    assert serves(world, renewed)


def test_what_a_restart_lost_is_completed(world: HaproxyWorld, mint: Mint) -> None:
    """HAProxy had the certificate, and what it was started with does not."""
    revision, key = mint.revision(*NAMES)
    world.target().deploy(revision, key)
    listed = world.folder / "haproxy" / "crt-list"
    listed.write_text("")
    assert world.target().current("moon.test") is None
    world.again()
    assert world.target().current("moon.test") is None
    world.target().deploy(revision, key)
    assert serves(world, revision)
    assert world.target().current("moon.test") == revision.serial


def test_one_that_has_the_former_one_again_is_noticed_and_gets_it_anew(
    world: HaproxyWorld, mint: Mint
) -> None:
    """As one that is reloaded in the middle: it starts from what is on disk at that moment."""
    first, first_key = mint.revision("moon.test")
    world.target().deploy(first, first_key)
    revision, key = mint.revision("moon.test")
    file = world.folder / "haproxy" / "moon.test" / "combined.pem"

    def reloaded() -> None:
        world.asked(f"set ssl cert {file} <<\n{(first.chain or '').rstrip()}\n{first_key}")
        world.asked(f"commit ssl cert {file}")

    world.once("commit ssl cert", reloaded)
    with pytest.raises(DeployError, match="HAProxy has changed while the certificate of moon"):
        world.target().deploy(revision, key)
    assert serves(world, first)
    world.target().deploy(revision, key)
    assert serves(world, revision)


def test_what_it_refuses_is_neither_served_nor_found_at_the_next_start(
    world: HaproxyWorld, mint: Mint
) -> None:
    first, first_key = mint.revision(*NAMES)
    world.target().deploy(first, first_key)
    second, _ = mint.revision(*NAMES)
    with pytest.raises(DeployError, match="inconsistencies between private key and certificate") as refused:
        world.target().deploy(second, first_key)
    assert "Target edge: HAProxy at" in str(refused.value)
    assert first_key.splitlines()[1][:20] not in str(refused.value)
    assert serves(world, first)
    assert "# transaction" not in world.asked("show ssl cert")
    world.again()
    assert serves(world, first)


def test_a_change_that_an_interrupted_deployment_left_open_is_left_off(
    world: HaproxyWorld, mint: Mint
) -> None:
    first, first_key = mint.revision(*NAMES)
    world.target().deploy(first, first_key)
    file = world.folder / "haproxy" / "_.moon.test" / "combined.pem"
    world.asked(f"set ssl cert {file} <<\n{first.chain}{first_key}")
    assert f"*{file}" in world.asked("show ssl cert")
    second, second_key = mint.revision("moon.test")
    world.target().deploy(second, second_key)
    assert serves(world, second)
    assert serves(world, first, "any.moon.test")


def test_anothers_open_change_is_left_to_them(world: HaproxyWorld, mint: Mint) -> None:
    revision, key = mint.revision(*NAMES)
    world.asked("new ssl cert other.pem")
    world.asked(f"set ssl cert other.pem <<\n{revision.chain}{key}")
    with pytest.raises(DeployError, match=r"a change of other\.pem that is not committed"):
        world.target().deploy(revision, key)
    assert "Success!" in world.asked("commit ssl cert other.pem")
    world.target().deploy(revision, key)
    assert serves(world, revision)


def test_lines_of_other_people_stay_in_the_list(world: HaproxyWorld, mint: Mint) -> None:
    own, own_key = mint.revision("own.test")
    (world.folder / "own.pem").write_text(f"{own.chain}{own_key}")
    listed = world.folder / "haproxy" / "crt-list"
    line = f"{world.folder}/own.pem [ssl-min-ver TLSv1.3] own.test"
    listed.write_text(f"# what stands here is ours\n{line}\n")
    world.again()
    revision, key = mint.revision(*NAMES)
    world.target().deploy(revision, key)
    world.target().remove("moon.test")
    assert listed.read_text().splitlines()[:2] == ["# what stands here is ours", line]
    world.again()
    assert serves(world, own)
    assert serves(world, revision, "any.moon.test")


def test_a_chain_that_is_too_long_for_its_buffer_is_named(world: HaproxyWorld, mint: Mint) -> None:
    revision, key = mint.revision(*NAMES)
    long = replace(revision, chain=(revision.chain or "") + mint.root * 40)
    with pytest.raises(DeployError, match=r"no answer to \d+ bytes, of which tune.bufsize is the limit"):
        world.target().deploy(long, key)
    world.target().deploy(revision, key)
    assert serves(world, revision)


def test_a_list_that_it_does_not_know_is_named(world: HaproxyWorld, mint: Mint) -> None:
    revision, key = mint.revision(*NAMES)
    with pytest.raises(DeployError, match=r"refused: .*elsewhere"):
        world.target(world.folder / "elsewhere").deploy(revision, key)
    assert world.shown("moon.test") is None


def test_without_haproxy_nothing_is_changed_and_the_list_is_there_for_its_start(
    tmp_path: Path, mint: Mint
) -> None:
    target = HaproxyTarget("edge", HaproxySettings(tmp_path / "none.sock", tmp_path / "haproxy"))
    with pytest.raises(DeployError, match=r"HAProxy at .*none\.sock does not answer: No such file"):
        target.deploy(*mint.revision(*NAMES))
    assert (tmp_path / "haproxy" / "crt-list").read_text() == ""
    with pytest.raises(DeployError, match="does not answer"):
        target.remove("moon.test")
    assert target.current("moon.test") is None


def test_a_socket_without_the_right_is_told(world: HaproxyWorld, mint: Mint) -> None:
    text = (world.folder / "haproxy.cfg").read_text()
    assert "level admin" in text
    world.stop()
    (world.folder / "lesser").mkdir()
    lesser = HaproxyWorld(
        world.folder / "lesser", change=lambda text: text.replace("level admin", "level user")
    )
    try:
        with pytest.raises(DeployError, match="Permission denied"):
            lesser.target().deploy(*mint.revision(*NAMES))
    finally:
        lesser.stop()


@pytest.mark.parametrize(
    ("key", "directory", "crt_list"),
    [("directory", "/with a space", "/list"), ("crt_list", "/folder", "/list;show")],
)
def test_paths_that_its_commands_cannot_say_are_refused(key: str, directory: str, crt_list: str) -> None:
    with pytest.raises(ValueError, match=f"{key}: HAProxy's commands take no path"):
        HaproxySettings(Path("/socket"), Path(directory), Path(crt_list))


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.headers['Host']}{self.path}".encode())

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def test_challenges_come_to_certdesk_and_other_requests_to_https(tmp_path: Path) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Answer) as inside:
        thread = threading.Thread(target=inside.serve_forever, args=(0.05,))
        thread.start()
        world = HaproxyWorld(tmp_path, inside.server_port)
        try:
            base = f"http://127.0.0.1:{world.http_port}"
            for path in ("/.well-known/acme-challenge/token", "/.well-known/certdesk/probe"):
                answer = requests.get(base + path, headers={"Host": "moon.test"}, timeout=5)
                assert answer.text == f"moon.test{path}"
            moved = requests.get(
                f"{base}/cart", headers={"Host": "moon.test"}, timeout=5, allow_redirects=False
            )
            assert (moved.status_code, moved.headers["Location"]) == (301, "https://moon.test/cart")
        finally:
            world.stop()
            inside.shutdown()
            thread.join()
