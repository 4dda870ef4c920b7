"""The exec target: what its command gets, what is said when it fails, and that no key stays anywhere."""

import json
import os
import re
import stat
import sys
import time
from pathlib import Path

import pytest

from services.deployment.command import FOLDER, LEFT_OVER, ExecSettings, ExecTarget
from services.model.errors import DeployError
from services.model.text import Text
from services.ports import UNTOLD
from tests.minted import Mint

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "targets.md"
TOLD = """
import json, os, sys
paths = {key: value for key, value in os.environ.items() if value.startswith(sys.argv[2])}
json.dump({
    "argv": sys.argv[1:],
    "environment": {key: value for key, value in os.environ.items() if key.startswith("CERT")},
    "files": {key: open(path).read() for key, path in paths.items()},
    "modes": {os.stat(path).st_mode & 0o777 for path in paths.values()} == {0o600},
    "folder": os.stat(os.path.dirname(next(iter(paths.values()), "/etc/x"))).st_mode & 0o777,
}, open(sys.argv[1], "w"))
"""


@pytest.fixture
def mint() -> Mint:
    return Mint()


def target(tmp_path: Path, script: str, *words: str, seconds: int = 30) -> ExecTarget:
    command = (sys.executable, "-c", script, *words)
    return ExecTarget("elsewhere", ExecSettings(command, seconds, tmp_path / "temporary"))


def left(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "temporary").iterdir())


def test_the_command_gets_names_and_paths_and_no_key_but_in_files(
    tmp_path: Path, mint: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTDESK_VAULT__KEY", "secret")
    told, place = tmp_path / "told", tmp_path / "temporary"
    revision, key = mint.revision("*.moon.test", "moon.test")
    target(tmp_path, TOLD, str(told), str(place)).deploy(revision, key)
    found = json.loads(told.read_text())
    environment, chain = found["environment"], (revision.chain or "")
    assert found["files"] == {
        "CERT_CHAIN": chain,
        "CERT_KEY": key,
        "CERT_COMBINED": f"{chain.rstrip()}\n{key}",
    }
    assert {name: value for name, value in environment.items() if name not in found["files"]} == {
        "CERT_ACTION": "deploy",
        "CERT_NAMES": "*.moon.test moon.test",
        "CERT_TARGET": "elsewhere",
        "CERT_SERIAL": revision.serial,
        "CERT_NOT_AFTER": revision.not_after.isoformat() if revision.not_after else "",
    }
    assert (found["modes"], found["folder"]) == (True, stat.S_IRWXU)
    body = key.splitlines()[1]
    assert body not in json.dumps([found["argv"], environment])
    assert not left(tmp_path)
    documented = re.findall(r"`(CERT_\w+)`", DOCUMENT.read_text().partition("## `exec`")[2])
    assert set(documented) == set(environment)


def test_a_removed_name_is_told_without_files(tmp_path: Path) -> None:
    told = tmp_path / "told"
    target(tmp_path, TOLD, str(told), str(tmp_path / "temporary")).remove("moon.test")
    assert json.loads(told.read_text())["environment"] == {
        "CERT_ACTION": "remove",
        "CERT_NAMES": "moon.test",
        "CERT_TARGET": "elsewhere",
    }


def refusal(tmp_path: Path, mint: Mint, script: str, seconds: int = 30) -> tuple[str, Text, str]:
    """Return what a deployment with a command that fails says, as a sentence and as its parts, and the key."""
    revision, key = mint.revision("moon.test")
    with pytest.raises(DeployError) as refused:
        target(tmp_path, script, seconds=seconds).deploy(revision, key)
    assert not left(tmp_path)
    return str(refused.value), refused.value.text, key


def test_an_end_with_another_code_quotes_the_end_of_the_output(tmp_path: Path, mint: Mint) -> None:
    said, *_ = refusal(tmp_path, mint, "import sys; print('a' * 5000); print('no room\\nleft'); sys.exit(7)")
    assert said.startswith("Target elsewhere: the command ended with 7: aaa")
    assert said.endswith("no room left")
    assert len(said) < 400


def test_the_key_is_in_no_error_even_where_the_command_prints_it(tmp_path: Path, mint: Mint) -> None:
    said, _, key = refusal(
        tmp_path,
        mint,
        "import os, sys; print('got', open(os.environ['CERT_KEY']).read(), 'bad'); sys.exit(1)",
    )
    assert "got … bad" in said
    body = "".join(key.splitlines()[1:-1])
    assert not [at for at in range(len(body) - 16) if body[at : at + 16] in said]


def test_a_command_without_a_word_says_so(tmp_path: Path, mint: Mint) -> None:
    said, text, _ = refusal(tmp_path, mint, "raise SystemExit(2)")
    assert said == "Target elsewhere: the command ended with 2: it printed nothing"
    assert isinstance(dict(text.values)["output"], Text)  # in the reader's language


def test_a_command_that_does_not_end_is_ended(tmp_path: Path, mint: Mint) -> None:
    began = time.monotonic()
    said, *_ = refusal(tmp_path, mint, "import time; print('asking', flush=True); time.sleep(60)", seconds=1)
    assert said == "Target elsewhere: the command did not end within 1 s: asking"
    assert time.monotonic() - began < 30


def test_a_program_that_is_not_there_is_named(tmp_path: Path, mint: Mint) -> None:
    made = ExecTarget("elsewhere", ExecSettings(("/none/such",), directory=tmp_path / "temporary"))
    with pytest.raises(DeployError, match=r"cannot be started: No such file or directory \(/none/such\)\."):
        made.deploy(*mint.revision("moon.test"))
    assert not left(tmp_path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, mint: Mint) -> None:
    (tmp_path / "temporary").write_text("in the way")
    with pytest.raises(DeployError, match=r"Target elsewhere could not write .*temporary: File exists\."):
        target(tmp_path, "").deploy(*mint.revision("moon.test"))


def test_what_a_killed_process_left_is_deleted_and_what_is_in_use_stays(tmp_path: Path, mint: Mint) -> None:
    for folder, age in ((f"{FOLDER}old", LEFT_OVER + 60), (f"{FOLDER}new", 60), ("other", LEFT_OVER + 60)):
        place = tmp_path / "temporary" / folder
        place.mkdir(parents=True)
        (place / "privkey.pem").write_text("key")
        os.utime(place, (time.time() - age,) * 2)
    target(tmp_path, "").deploy(*mint.revision("moon.test"))
    assert {folder.name for folder in left(tmp_path)} == {f"{FOLDER}new", "other"}


def test_it_cannot_be_asked_and_keeps_nothing(tmp_path: Path, mint: Mint) -> None:
    made = target(tmp_path, "")
    revision, _ = mint.revision("moon.test")
    assert made.current("moon.test") == UNTOLD
    assert made.discard(revision)


@pytest.mark.parametrize(
    ("command", "seconds", "why"),
    [((), 60, "command: at least"), (("x",), 0, "seconds: a number"), (("x",), 601, "seconds: a number")],
)
def test_settings_that_cannot_be_are_refused(command: tuple[str, ...], seconds: int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ExecSettings(command, seconds)
