"""Commands of app.yaml: no shell, no time without end, no key and no setting of certdesk's in what they get or say."""

import sys
from pathlib import Path

import pytest

from bot.demo.parts.process import wait_until
from services.deployment.running import KEPT, CommandTimeoutError, redacted, run
from services.issuance.csr import new_key

KEY = new_key("ec-p256")
BODY = "".join(KEY.splitlines()[1:-1])


def python(script: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script, *words)


def test_the_end_of_what_it_prints_on_both_streams_is_kept() -> None:
    ended = run(python("import sys; print('a' * 10**6); print('last', file=sys.stderr); sys.exit(3)"), 30)
    assert ended.code == 3
    assert "last" in ended.output
    assert len(ended.output) <= KEPT


@pytest.mark.parametrize(
    "shown",
    [KEY, BODY, BODY[:20], f"x {BODY[10:60]} y", KEY.replace("\n", "\\n"), KEY.splitlines()[1], KEY[:80]],
    ids=("whole", "body", "its beginning", "its middle", "on one line", "a line of it", "cut off"),
)
def test_a_key_is_not_in_it(shown: str) -> None:
    said = run(python("import sys; print('before', sys.argv[1], 'after')", shown), 30, secret=KEY).output
    assert said.startswith("before")
    assert not [at for at in range(len(BODY) - 16) if BODY[at : at + 16] in said]


def test_other_words_stay() -> None:
    text = "the file /var/lib/certdesk/certificates/shop.moon.example/fullchain.pem is not there: 0123456789abcdef0123"
    assert redacted(text, KEY) == text


def test_where_the_output_was_cut_no_part_of_a_key_stands_at_its_beginning() -> None:
    for cut in range(0, len(BODY), 16):
        script = "import sys; sys.stdout.write(sys.argv[1] + 'z z ' * int(sys.argv[2]))"
        tail = (KEPT - len(BODY) + cut) // 4
        said = run(python(script, "a" * 100 + BODY, str(tail)), 30, secret=KEY).output
        assert not [at for at in range(len(BODY) - 16) if BODY[at : at + 16] in said]


def test_no_setting_of_certdesks_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTDESK_VAULT__KEY", "top secret")
    said = run(python("import os; print(dict(os.environ))"), 30, environment={"CERTDESK_NAMES": "moon.test"})
    assert "top secret" not in said.output
    assert "moon.test" in said.output


def test_one_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    command = ("/bin/sh", "-c", f"echo begun; sleep 300 & echo $! > {mark}; wait")
    with pytest.raises(CommandTimeoutError, match="did not end within 1 seconds") as told:
        run(command, 1)
    assert told.value.output == "begun"
    child = Path("/proc", mark.read_text().strip(), "stat")
    wait_until(lambda: not child.exists() or child.read_text().split()[2] == "Z", 5, "the command's child")


def test_a_child_that_it_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    try:
        assert run(("/bin/sh", "-c", f"sleep 30 & echo $! > {mark}; echo done"), 20) == run(
            ("echo", "done"), 20
        )
    finally:
        run(("kill", mark.read_text().strip()), 5)
