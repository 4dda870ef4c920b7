"""What whoever runs certdesk is told of stores and domains: right counts, the list as it can be read again, no false hopes."""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.auditing import verified
from services.model.audiences import Kind, Link
from services.model.audit import BEGINNING, Break, Entry
from services.model.workspaces import Workspace
from storage.database import Database
from storage.memory import MemoryStorage

ROWS = """\
store,status,locale,domain,default
moon,active,ko-KR,shop.moon.test,false
moon,active,ko-KR,moon.shops.test,true
sun,inactive,en,sun.test,false
"""


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of two stores, beside a configuration of its own."""
    (tmp_path / "app.yaml").write_text("platform: {default_domains: [shops.test]}\n", encoding="utf-8")
    monkeypatch.setenv("CERTDESK_CONFIG", str(tmp_path / "app.yaml"))
    monkeypatch.setenv("CERTDESK_DATABASE__URL", f"sqlite:///{tmp_path}/certdesk.db")
    file = tmp_path / "stores.csv"
    file.write_text(ROWS, encoding="utf-8")
    return file


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def said(*words: str | Path) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_the_help_names_what_the_launcher_has_besides() -> None:
    told = " ".join(said("--help").split())
    for command in ("./certdesk test", "./certdesk check", "./certdesk bench"):
        assert command in told


def test_an_import_counts_stores_and_domains(stores: Path) -> None:
    read = "2 stores with 3 domains read"
    assert said("stores", "import", stores) == f"{read}; new or changed: 2 stores, 3 domains."
    again = said("stores", "import", stores)
    assert again == f"{read}; nothing to change: certdesk knows them as the file has them."
    stores.write_text("\n".join(ROWS.splitlines()[:2]).replace("ko-KR", "ja"), encoding="utf-8")
    assert (
        said("stores", "import", stores) == "1 store with 1 domain read; new or changed: 1 store, 0 domains."
    )


def test_the_list_as_json_is_what_import_reads(stores: Path) -> None:
    assert said("stores", "list", "--json") == "[]"
    said("stores", "import", stores)
    listed = said("stores", "list", "--json")
    assert json.loads(listed)[1] == {
        "store": "sun",
        "status": "inactive",
        "locale": "en",
        "tags": [],
        "domains": [{"name": "sun.test", "default": False}],
    }
    again = stores.with_suffix(".json")
    again.write_text(listed, encoding="utf-8")
    assert "nothing to change" in said("stores", "import", again)


def test_a_command_of_ssl_without_the_ssl_is_put_right() -> None:
    wrong = run("alerts", "1")
    assert wrong.exit_code == 2
    assert "type: certdesk ssl alerts" in wrong.stderr
    assert "No such command 'alrts'" in run("alrts").stderr


def test_the_list_shows_the_tags_of_a_store(stores: Path) -> None:
    header, *rows = ROWS.splitlines()
    tagged = [f"{header},tags", *(f"{row},{'asia big' if row.startswith('moon') else ''}" for row in rows)]
    stores.write_text("\n".join(tagged), encoding="utf-8")
    said("stores", "import", stores)
    moon, sun = said("stores", "list").splitlines()
    assert moon.endswith("; tags: asia big")
    assert "tags" not in sun


def test_a_status_that_is_none_is_a_wrong_use_and_the_right_ones_are_named(stores: Path) -> None:
    said("stores", "import", stores)
    wrong = run("stores", "set-status", "moon", "bogus")
    assert wrong.exit_code == 2
    assert "“bogus” is no status: it is one of active, inactive, deleted." in wrong.stderr
    assert said("stores", "set-status", "moon", "Inactive") == "Store moon is inactive now."


@pytest.mark.parametrize(
    ("name", "next_"),
    [
        ("www.sun.test", "Ask for its certificate with “certdesk ssl add www.sun.test”."),
        ("co.uk", "It is a public suffix, for which no CA issues"),
        ("sun.shops.test", "It is a default domain of the platform"),
    ],
)
def test_an_added_domain_is_said_to_get_a_certificate_only_if_it_can(
    stores: Path, name: str, next_: str
) -> None:
    said("stores", "import", stores)
    answer = said("domains", "add", "sun", name)
    assert answer.startswith(f"{name} belongs to store sun now. {next_}")


@pytest.mark.parametrize(("url", "socket"), [((), True), (("https://certdesk.example.com",), False)])
def test_the_manifest_needs_no_configuration_of_slack(
    stores: Path, url: tuple[str, ...], *, socket: bool
) -> None:
    assert stores.exists()
    assert f"socket_mode_enabled: {str(socket).lower()}" in said("manifest", *url)


# --- the audit trail

NOON = datetime(2026, 11, 22, 12, 0, 0, 5, tzinfo=UTC)
DONE = Entry(NOON, "T1/U1", "merchant", "add", "shop.moon.test", "done")
ROWS_KEPT = 7


@pytest.fixture
def trail(stores: Path) -> Path:
    """Return the database's file with a trail of seven rows."""
    path = stores.parent / "certdesk.db"
    with closing(Database.open(f"sqlite:///{path}")) as database, database.write() as tx:
        for number in range(ROWS_KEPT):
            tx.audit.append(replace(DONE, at=NOON + timedelta(minutes=number), reason=f"reason {number}"))
    return path


def tamper(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
        connection.commit()


def broken(path: Path, *statements: str) -> list[str]:
    """Return what `audit verify` says after the statements, without its last line."""
    tamper(path, *statements)
    result = run("audit", "verify")
    assert result.exit_code == 1, result.output
    *lines, last = result.stdout.strip().splitlines()
    assert "Somebody has written to the table audit past certdesk" in last
    return lines


def test_a_trail_without_rows_is_said_to_be_empty(stores: Path) -> None:
    assert stores.exists()
    assert said("audit", "verify").startswith("The audit trail has no rows")
    assert said("audit", "show") == said("audit", "verify")
    assert said("audit", "show", "--json") == "[]"


def test_a_whole_trail_is_said_to_be_unbroken_and_where_it_ends(trail: Path) -> None:
    newest = json.loads(said("audit", "show", "--json"))[-1]
    told = said("audit", "verify")
    assert told.startswith("7 rows, unbroken since 2026-11-22T12:00:00Z; the newest is row 7, its hash ")
    assert told.endswith(f" {newest['hash']}.")


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'T1/U2'",
        "role = 'admin'",
        "action = 'remove'",
        "subject = 'shop.sun.test'",
        "result = 'refused'",
        "reason = ''",
        "at = '2026-11-22 12:02:00.000006'",
        "hash = '" + "0" * 64 + "'",
    ],
)
def test_a_row_that_was_changed_is_named(trail: Path, change: str) -> None:
    told = broken(trail, f"UPDATE audit SET {change} WHERE number = 3")  # noqa: S608 - our own words
    assert told[0].startswith("Row 3 was changed after it was written")
    follows = [line.split(" does ")[0] for line in told[1:]]
    assert follows == (["Row 4"] if change.startswith("hash") else [])


@pytest.mark.parametrize("number", [1, 3])
def test_a_row_that_was_taken_out_is_named(trail: Path, number: int) -> None:
    told = broken(trail, f"DELETE FROM audit WHERE number = {number}")  # noqa: S608 - our own words
    assert told == [f"Row {number} is missing, and perhaps rows behind it."]


def test_rows_that_changed_places_are_named(trail: Path) -> None:
    told = broken(
        trail,
        "UPDATE audit SET number = -3 WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 4",
        "UPDATE audit SET number = 4 WHERE number = -3",
    )
    named = [(line.split()[1], "changed" in line) for line in told]
    assert named == [("3", False), ("3", True), ("4", False), ("4", True), ("5", False)]


def test_a_row_that_was_changed_together_with_its_hash_breaks_the_next_one(trail: Path) -> None:
    before = json.loads(said("audit", "show", "--json"))[2]
    assert recomputed(before) == before["hash"]  # docs/audit.md says how; whoever tampers can do it too
    forged = recomputed({**before, "actor": "T1/U2"})
    told = broken(trail, f"UPDATE audit SET actor = 'T1/U2', hash = '{forged}' WHERE number = 3")  # noqa: S608
    assert [line.split(":")[0] for line in told] == ["Row 4 does not follow the row before it"]


def recomputed(row: dict[str, str]) -> str:
    names = ("number", "at", "actor", "role", "action", "subject", "result", "reason", "previous")
    text = json.dumps([row[name] for name in names], separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def test_a_row_before_the_first_one_is_found(trail: Path) -> None:
    columns = "at, actor, role, action, subject, result, reason, previous, hash"
    told = broken(
        trail,
        f"INSERT INTO audit (number, {columns}) SELECT 0, {columns} FROM audit WHERE number = 1",  # noqa: S608
    )
    assert any(line.startswith("Row 1 does not follow") for line in told)


@pytest.mark.parametrize("nonsense", ["at = 'yesterday'", "at = 5", "reason = x'ff00'"])
@pytest.mark.parametrize("number", [1, 3, 7])
def test_a_row_that_cannot_be_read_is_named(trail: Path, nonsense: str, number: int) -> None:
    told = broken(trail, f"UPDATE audit SET {nonsense} WHERE number = {number}")  # noqa: S608 - our own words
    assert [line.split(":")[0] for line in told] == [f"Row {number} cannot be read"]


def test_the_newest_rows_cut_off_show_in_what_verify_said_before(trail: Path) -> None:
    before = said("audit", "verify")
    tamper(trail, "DELETE FROM audit WHERE number > 5")
    after = said("audit", "verify")
    assert "the newest is row 7" in before
    assert after.startswith("5 rows, unbroken since")
    assert "the newest is row 5" in after


# --- a head that was kept elsewhere


def against_head(head: str, path: Path, *statements: str) -> list[str]:
    """Return what `audit verify --known` says of each break after the statements."""
    tamper(path, *statements)
    result = run("audit", "verify", "--known", head)
    assert result.exit_code == 1, result.output
    return result.stdout.strip().splitlines()[:-1]


def test_a_head_is_number_and_hash_and_is_recognised(trail: Path) -> None:
    assert trail.exists()
    head = said("audit", "head")
    assert head.startswith("7:")
    assert said("audit", "verify", "--known", head).endswith("Row 7 is the one that you know.")


def test_a_trail_that_went_on_still_has_the_row_that_is_known(trail: Path) -> None:
    third = json.loads(said("audit", "show", "--json"))[2]
    assert said("audit", "verify", "--known", f"3:{third['hash'].upper()}").endswith(
        "Row 3 is the one that you know."
    )
    assert trail.exists()


@pytest.mark.parametrize("kept", [6, 5, 1])
def test_a_tail_that_was_cut_off_is_found(trail: Path, kept: int) -> None:
    told = against_head(said("audit", "head"), trail, f"DELETE FROM audit WHERE number > {kept}")  # noqa: S608
    assert told == [
        f"The rows from {kept + 1} on are missing: the trail went on to the row that you know, and was cut off."
    ]


def test_a_trail_of_which_nothing_is_left_is_found(trail: Path) -> None:
    told = against_head(said("audit", "head"), trail, "DELETE FROM audit")
    assert [line.split(":")[0] for line in told] == ["The rows from 1 on are missing"]


def test_a_row_that_was_put_back_in_other_words_is_found(trail: Path) -> None:
    """The whole end of the trail was written anew, with hashes that fit."""
    rows = json.loads(said("audit", "show", "--json"))
    forged = {**rows[6], "actor": "T1/U2"}
    head = said("audit", "head")
    change = f"UPDATE audit SET actor = 'T1/U2', hash = '{recomputed(forged)}' WHERE number = 7"  # noqa: S608
    tamper(trail, change)
    assert run("audit", "verify").exit_code == 0  # the chain alone does not show it
    result = run("audit", "verify", "--known", head)
    assert result.exit_code == 1
    assert result.stdout.startswith("Row 7 is not the one that you know")


def test_the_known_row_itself_was_taken_out(trail: Path) -> None:
    third = json.loads(said("audit", "show", "--json"))[2]
    told = against_head(f"3:{third['hash']}", trail, "DELETE FROM audit WHERE number = 3")
    assert set(told) == {"Row 3 is missing, and perhaps rows behind it."}


def test_an_empty_trail_has_a_head_and_nothing_is_missing_behind_it(stores: Path) -> None:
    assert stores.exists()
    head = said("audit", "head")
    assert head == f"0:{'0' * 64}"
    assert run("audit", "verify", "--known", head).exit_code == 0


@pytest.mark.parametrize("head", ["", "7", "7:", "7:xyz", f"-1:{'0' * 64}", f"²:{'0' * 64}", f"7:{'0' * 63}"])
def test_what_is_no_head_is_a_matter_of_use(trail: Path, head: str) -> None:
    assert trail.exists()
    result = run("audit", "verify", "--known", head)
    assert result.exit_code == (2 if head else 0)


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 8])
def test_breaks_are_found_where_batches_meet_as_well(batch: int) -> None:
    storage = MemoryStorage()
    with storage.write() as tx:
        for number in range(ROWS_KEPT):
            tx.audit.append(replace(DONE, reason=str(number)))
        whole = verified(tx.audit, batch)
        assert (whole.rows, whole.broken) == (7, ())
        assert (whole.first, whole.last) == (tx.audit.entries(limit=1)[0], tx.audit.last())


@pytest.mark.parametrize("batch", [1, 2, 3, 7])
def test_a_gap_is_found_once_wherever_batches_meet(trail: Path, batch: int) -> None:
    tamper(trail, "DELETE FROM audit WHERE number IN (3, 4)")
    with closing(Database.open(f"sqlite:///{trail}")) as database, database.read() as tx:
        found = verified(tx.audit, batch)
    assert (found.rows, found.broken) == (5, (Break(3, "missing"),))


def test_the_newest_rows_are_shown_the_newest_last(trail: Path) -> None:
    lines = said("audit", "show", "--limit", "2").splitlines()
    assert [line.split() for line in lines] == [
        ["6", "2026-11-22T12:05:00Z", "done", "T1/U1", "(merchant)", "add", "shop.moon.test:", "reason", "5"],
        ["7", "2026-11-22T12:06:00Z", "done", "T1/U1", "(merchant)", "add", "shop.moon.test:", "reason", "6"],
    ]
    rows = json.loads(said("audit", "show", "--json"))
    assert [row["number"] for row in rows] == list(range(1, 8))
    assert rows[0]["at"] == "2026-11-22T12:00:00.000005+00:00"
    assert rows[0]["previous"] == BEGINNING
    assert run("audit", "show", "--limit", "0").exit_code == 2


def test_nothing_in_a_row_steers_the_terminal(trail: Path) -> None:
    with closing(Database.open(f"sqlite:///{trail}")) as database, database.write() as tx:
        tx.audit.append(replace(DONE, reason="a\x1b[2Jb\nc\N{RIGHT-TO-LEFT OVERRIDE}d"))
    shown = said("audit", "show", "--limit", "1")
    assert shown.endswith("a[2Jb cd")
    assert len(shown.splitlines()) == 1


def test_workspaces_are_listed_with_their_stores_and_without_their_tokens(
    stores: Path, tmp_path: Path
) -> None:
    assert "is installed in no workspace" in said("workspaces")
    said("stores", "import", stores)
    at = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
    moon = Workspace("T2MOON", "", "Moon", "UBOT", b"sealed token", "T2MOON/U1", at, b"sealed refresh", at)
    database = Database.open(f"sqlite:///{tmp_path}/certdesk.db")
    with database.write() as tx:
        tx.workspaces.install(moon)
        tx.links.put(Link(Kind.WORKSPACE, "T2MOON", "moon", "terminal", at))
    database.close()
    listed = said("workspaces")
    assert "T2MOON" in listed
    assert "active" in listed
    assert "Moon: moon" in listed
    [row] = json.loads(said("workspaces", "--json"))
    assert (row["team"], row["state"], row["stores"]) == ("T2MOON", "active", ["moon"])
    assert "sealed" not in listed + str(row)
