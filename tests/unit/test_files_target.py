"""The files target: key and chain change together, nobody else reads them, and what is interrupted is completed."""

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.demo.parts.process import wait_until
from services.deployment.files import FilesSettings, FilesTarget, directory_name
from services.model.certificates import Revision
from services.model.errors import DeployError

NOW = datetime(2027, 2, 10, tzinfo=UTC)
NAMES = ("*.moon.test", "moon.test")


def revision(number: int, names: tuple[str, ...] = NAMES) -> Revision:
    return Revision(f"rev_{number}", "cert_1", names, "csr", b"", NOW, chain=f"chain {number}\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "certificates"


@pytest.fixture
def target(folder: Path) -> FilesTarget:
    return FilesTarget("edge", FilesSettings(folder))


def read(folder: Path, name: str) -> tuple[str, str]:
    place = folder / directory_name(name)
    return (place / "fullchain.pem").read_text(), (place / "privkey.pem").read_text()


def test_each_name_leads_to_key_and_chain(target: FilesTarget, folder: Path) -> None:
    target.deploy(revision(1), "key 1\n")
    for name in NAMES:
        assert read(folder, name) == ("chain 1\n", "key 1\n")
        assert (folder / directory_name(name)).is_symlink()
    assert (folder / "_.moon.test").exists()


def test_links_are_relative_so_that_the_folder_can_be_mounted_elsewhere(
    target: FilesTarget, folder: Path
) -> None:
    target.deploy(revision(1), "key 1\n")
    assert not (folder / "moon.test").readlink().is_absolute()


def test_only_the_owner_can_read_them_whatever_the_umask(target: FilesTarget, folder: Path) -> None:
    before = os.umask(0)
    try:
        target.deploy(revision(1), "key 1\n")
    finally:
        os.umask(before)
    for file in (folder / "moon.test").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_new_revision_changes_both_at_once_and_leaves_the_former_files_alone(
    target: FilesTarget, folder: Path
) -> None:
    target.deploy(revision(1), "key 1\n")
    reader = (folder / "moon.test").resolve()  # as a server that has the files open
    target.deploy(revision(2), "key 2\n")
    assert read(folder, "moon.test") == ("chain 2\n", "key 2\n")
    assert (reader / "fullchain.pem").read_text() == "chain 1\n"


def test_deploying_again_changes_nothing(target: FilesTarget, folder: Path) -> None:
    target.deploy(revision(1), "key 1\n")
    before = {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
    target.deploy(revision(1), "key 1\n")
    assert {path: path.lstat().st_mtime_ns for path in folder.rglob("*")} == before


def test_an_interrupted_deployment_is_completed(target: FilesTarget, folder: Path) -> None:
    target.deploy(revision(1), "key 1\n")
    half = folder / ".revisions" / "rev_2"
    half.mkdir()
    (half / "fullchain.pem").write_text("cha")  # written in part, before the machine went down
    target.deploy(revision(2), "key 2\n")
    assert read(folder, "moon.test") == ("chain 2\n", "key 2\n")


def test_no_temporary_files_stay(target: FilesTarget, folder: Path) -> None:
    target.deploy(revision(1), "key 1\n")
    target.deploy(revision(2), "key 2\n")
    assert {path.name for path in folder.iterdir()} == {".revisions", "_.moon.test", "moon.test"}
    assert {path.name for path in (folder / ".revisions" / "rev_2").iterdir()} == {
        "fullchain.pem",
        "privkey.pem",
    }


def test_a_name_that_the_new_revision_lacks_keeps_its_former_one(target: FilesTarget, folder: Path) -> None:
    target.deploy(revision(1), "key 1\n")
    target.deploy(revision(2, ("moon.test",)), "key 2\n")
    assert read(folder, "*.moon.test") == ("chain 1\n", "key 1\n")
    assert read(folder, "moon.test") == ("chain 2\n", "key 2\n")


def test_what_somebody_else_put_there_is_not_overwritten(target: FilesTarget, folder: Path) -> None:
    (folder / "moon.test").mkdir(parents=True)
    with pytest.raises(DeployError, match="not certdesk's symbolic link"):
        target.deploy(revision(1), "key 1\n")
    assert list((folder / "moon.test").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "certificates").write_text("a file, not a folder")
    target = FilesTarget("edge", FilesSettings(tmp_path / "certificates"))
    with pytest.raises(DeployError, match=r"Target edge could not write .*certificates"):
        target.deploy(revision(1), "key 1\n")


# --- several directories, one file for all, whose files


def test_several_directories_get_the_same_and_stay_alike(tmp_path: Path) -> None:
    places = tmp_path / "one", tmp_path / "two", tmp_path / "three"
    target = FilesTarget("edge", FilesSettings(places[0], places[1:]))
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(target.deploy, revision(n), f"key {n}\n") for n in range(12)]:
            done.result()
    assert len({read(place, name) for place in places for name in NAMES}) == 1


def test_nothing_is_swapped_where_one_of_the_directories_is_full(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    target = FilesTarget("edge", FilesSettings(one, (two,)))
    target.deploy(revision(1), "key 1\n")
    (two / ".revisions" / "rev_2").write_text("in the way")
    with pytest.raises(DeployError):
        target.deploy(revision(2), "key 2\n")
    assert read(one, "moon.test") == read(two, "moon.test") == ("chain 1\n", "key 1\n")


def test_chain_and_key_in_one_file_only_if_wanted(folder: Path, target: FilesTarget) -> None:
    target.deploy(revision(1), "key 1\n")
    assert not (folder / "moon.test" / "combined.pem").exists()
    FilesTarget("edge", FilesSettings(folder, combined=True)).deploy(revision(1), "key 1\n")
    assert (folder / "moon.test" / "combined.pem").read_text() == "chain 1\nkey 1\n"


def test_owner_and_mode_are_those_of_app_yaml_and_are_put_right_again(folder: Path) -> None:
    group = os.getgid()
    target = FilesTarget("edge", FilesSettings(folder, group=str(group), mode="0640"))
    target.deploy(revision(1), "key 1\n")
    place = (folder / "moon.test").resolve()
    (place / "privkey.pem").chmod(0o600)
    target.deploy(revision(1), "key 1\n")
    for file in place.iterdir():
        assert (stat.S_IMODE(file.stat().st_mode), file.stat().st_gid) == (0o640, group)
    for made in (place, place.parent, folder):
        assert stat.S_IMODE(made.stat().st_mode) == 0o750


def test_files_that_cannot_be_given_away_leave_the_old_ones_served(folder: Path) -> None:
    FilesTarget("edge", FilesSettings(folder)).deploy(revision(1), "key 1\n")
    with pytest.raises(DeployError, match="this machine knows no user nobody-of-that-name"):
        FilesTarget("edge", FilesSettings(folder, user="nobody-of-that-name")).deploy(revision(2), "key 2\n")
    assert read(folder, "moon.test") == ("chain 1\n", "key 1\n")


@pytest.mark.parametrize("mode", ["0644", "0666", "0700", "0000", "640x", "0604", "0660", "4600"])
def test_no_mode_lets_everybody_read_a_key(folder: Path, mode: str) -> None:
    with pytest.raises(ValueError, match="mode"):
        FilesSettings(folder, mode=mode)


# --- the reload command


def reloading(folder: Path, *command: str) -> FilesTarget:
    return FilesTarget("edge", FilesSettings(folder, reload=command))


def test_the_reload_command_gets_its_arguments_as_they_are_and_no_shell(folder: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text('|'.join(sys.argv[2:]))"
    reloading(folder, sys.executable, "-c", script, str(seen), "$(id)", "; rm -rf x", "a b").deploy(
        revision(1), "key 1\n"
    )
    assert seen.read_text() == "$(id)|; rm -rf x|a b"


def test_it_runs_after_the_swap(folder: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = (
        "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(pathlib.Path(sys.argv[2]).read_text())"
    )
    chain = folder / "moon.test" / "fullchain.pem"
    reloading(folder, sys.executable, "-c", script, str(seen), str(chain)).deploy(revision(1), "key 1\n")
    assert seen.read_text() == "chain 1\n"


def test_a_reload_command_that_fails_says_why(folder: Path) -> None:
    script = "import sys; print('syntax error in line 3', file=sys.stderr); sys.exit(7)"
    with pytest.raises(DeployError, match="ended with 7: syntax error in line 3"):
        reloading(folder, sys.executable, "-c", script).deploy(revision(1), "key 1\n")


def test_a_reload_command_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(DeployError, match="no-such-program"):
        reloading(folder, "no-such-program").deploy(revision(1), "key 1\n")


def test_a_reload_that_failed_is_done_again_by_the_next_deployment(folder: Path, tmp_path: Path) -> None:
    script = "import sys, pathlib; p = pathlib.Path(sys.argv[1]); n = p.exists(); p.touch(); sys.exit(not n)"
    target = reloading(folder, sys.executable, "-c", script, str(tmp_path / "tried"))
    with pytest.raises(DeployError):
        target.deploy(revision(1), "key 1\n")
    target.deploy(revision(1), "key 1\n")


def test_a_reload_command_may_print_anything(folder: Path) -> None:
    script = "import os, sys; os.write(1, b'\\xff\\xfe'); sys.exit(3)"
    with pytest.raises(DeployError, match="ended with 3"):
        reloading(folder, sys.executable, "-c", script).deploy(revision(1), "key 1\n")


def test_a_reload_command_that_hangs_is_ended_with_its_children(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "child"
    command = ("/bin/sh", "-c", f"sleep 300 & echo $! > {mark}; wait")
    target = FilesTarget("edge", FilesSettings(folder, reload=command), reload_seconds=1)
    with pytest.raises(DeployError, match="did not end within 1 seconds"):
        target.deploy(revision(1), "key 1\n")
    child = Path("/proc", mark.read_text().strip(), "stat")
    wait_until(
        lambda: not child.exists() or child.read_text().split()[2] == "Z", 5, "the reload command's child"
    )


def test_a_key_file_that_others_could_read_is_closed(target: FilesTarget, folder: Path) -> None:
    target.deploy(revision(1), "key 1\n")
    key = folder / "moon.test" / "privkey.pem"
    key.chmod(0o644)
    target.deploy(revision(1), "key 1\n")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
