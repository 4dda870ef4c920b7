"""`certdesk drill mass-revocation`, as a person starts it: a CA wants every certificate replaced, and each is, though certdesk is killed."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.integration.test_demo import ROOT, few_parts, left_behind, surroundings

DRILL = (sys.executable, "-m", "bot", "drill", "mass-revocation", "--stores", "6")
PATIENCE = 400


def play(
    environment: Mapping[str, str], words: tuple[str, ...] = DRILL
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own words
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


def test_every_certificate_is_replaced_and_served_and_people_read_one_message(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    done = play(environment)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "pebble says so of 6 certificates",
        "certdesk has made a plan",
        "certdesk is killed (kill -9)",
        "plan of 6: 6 replaced, 0 at work, 0 not begun",
        "every name is served with another serial than before",
        "1 message, edited in place",
        "pebble wanted 6 certificates replaced: all are",
    ):
        assert said in done.stdout
    assert re.search(r"late\.test has it after [0-9.]+ s", done.stdout)
    assert done.stdout.rstrip().endswith("All 6 certificates were replaced and are served.")
    assert left_behind(environment) == []


def test_without_a_ca_it_says_so_and_does_not_end_well(tmp_path: Path) -> None:
    environment = few_parts(tmp_path)
    act = f"import sys; from pathlib import Path; from bot.demo.drill import mass_revocation; sys.exit(mass_revocation(6, Path({str(tmp_path / 'parts')!r})))"
    done = play(environment, (sys.executable, "-c", act))
    assert done.returncode == 1
    assert "The drill did not come to its end: pebble (the ACME test CA) could not be had" in done.stdout
    assert left_behind(environment) == []
