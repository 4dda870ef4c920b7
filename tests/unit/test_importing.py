"""A file of stores is taken as a whole or not at all, and every bad row is named with its place and reason."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.model.certificates import Certificate
from services.model.errors import CertdeskError, ImportRefusedError, InvalidNameError, NotFoundError
from services.model.lifecycle import State
from services.model.stores import Domain, Store, StoreStatus
from services.registry.importing import Imported, TakenError, add_domain, import_stores, read, set_status
from storage.memory import MemoryStorage

HEADER = "store,status,locale,domain,default\n"
GOOD = HEADER + (
    "moon,active,ko-KR,shop.moon.test,false\nmoon,active,ko-KR,moon.shops.test,true\nsun,inactive,en,sun.test,false\n"
)


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "stores.csv"


def taken(storage: MemoryStorage) -> tuple[list[Store], dict[str, tuple[str, bool]]]:
    """Return the stores, and for each domain its store and whether it is a default one."""
    with storage.read() as tx:
        stores = list(tx.stores.all())
        domains = [domain for store in stores for domain in tx.stores.domains(store.id)]
    return stores, {domain.name: (domain.store, domain.default) for domain in domains}


def write(file: Path, text: str | bytes) -> Path:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def refusal(storage: MemoryStorage, file: Path, text: str | bytes) -> list[str]:
    """Import ``text``, which has to be refused with nothing changed; return the lines of the refusal."""
    before = taken(storage)
    with pytest.raises(ImportRefusedError) as caught:
        import_stores(storage, write(file, text))
    assert taken(storage) == before
    return str(caught.value).splitlines()


# --- what is taken -------------------------------------------------------------------------------------------------


def test_a_csv_file_is_taken_and_again_changes_nothing(storage: MemoryStorage, file: Path) -> None:
    write(file, GOOD)
    assert import_stores(storage, file) == Imported(stores=2, domains=3, changed=5)
    assert taken(storage) == (
        [Store("moon", StoreStatus.ACTIVE, "ko-KR"), Store("sun", StoreStatus.INACTIVE, "en")],
        {"shop.moon.test": ("moon", False), "moon.shops.test": ("moon", True), "sun.test": ("sun", False)},
    )
    assert import_stores(storage, file) == Imported(stores=2, domains=3, changed=0)


FORMS = {
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "carriage returns": GOOD.replace("\n", "\r\n").encode(),
    "old Mac line ends": GOOD.replace("\n", "\r").encode(),
    "no last line end": GOOD.rstrip().encode(),
    "empty lines": GOOD.replace("\n", "\n\n , ,,, \n").encode(),
    "quotes": GOOD.replace("shop.moon.test", '"shop.moon.test"').encode(),
    "spaces and capitals": GOOD.replace(",active,", ", Active ,")
    .replace("false", "FALSE")
    .replace("ko-KR", "KO-kr")
    .encode(),
    "another order": b"default,domain,locale,status,store\nfalse,shop.moon.test,ko-KR,active,moon\n"
    b"true,moon.shops.test,ko-KR,active,moon\nfalse,sun.test,,inactive,sun\n",
    "duplicate rows": (GOOD + GOOD.removeprefix(HEADER)).encode(),
    "names as people write them": GOOD.replace("shop.moon.test", "https://Shop.Moon.TEST./x").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_file_in_other_forms(storage: MemoryStorage, file: Path, form: str) -> None:
    import_stores(storage, write(file, FORMS[form]))
    before = taken(storage)
    assert import_stores(storage, write(file, GOOD)) == Imported(2, 3, 0), form
    assert taken(storage) == before


AS_JSON: Any = [
    {
        "store": "moon",
        "status": "active",
        "locale": "ko-KR",
        "domains": [
            {"name": "shop.moon.test", "default": False},
            {"name": "moon.shops.test", "default": True},
        ],
    },
    {"store": "sun", "status": "inactive", "domains": [{"name": "sun.test"}]},
]


@pytest.mark.parametrize("name", ["stores.json", "stores.txt"])
def test_json_says_the_same_as_csv(storage: MemoryStorage, tmp_path: Path, name: str) -> None:
    assert import_stores(storage, write(tmp_path / name, json.dumps(AS_JSON, indent=1))) == Imported(2, 3, 5)
    assert import_stores(storage, write(tmp_path / "stores.csv", GOOD)).changed == 0


def test_stores_without_domains(storage: MemoryStorage, file: Path, tmp_path: Path) -> None:
    assert import_stores(storage, write(file, HEADER + "empty,active,en,,\n")) == Imported(1, 0, 1)
    bare = [{"store": "bare", "status": "deleted", "domains": []}, {"store": "bare2", "status": "active"}]
    assert import_stores(storage, write(tmp_path / "b.json", json.dumps(bare))) == Imported(2, 0, 2)


def test_idn_is_kept_as_a_labels(storage: MemoryStorage, file: Path) -> None:
    import_stores(storage, write(file, HEADER + "한국,active,zh-hant-tw,한국.test,false\n"))
    assert taken(storage) == (
        [Store("한국", StoreStatus.ACTIVE, "zh-Hant-TW")],
        {"xn--3e0b707e.test": ("한국", False)},
    )


def test_changes_are_counted(storage: MemoryStorage, file: Path) -> None:
    import_stores(storage, write(file, GOOD))
    changed = GOOD.replace("inactive", "active").replace("moon.shops.test,true", "moon.shops.test,false")
    assert import_stores(storage, write(file, changed)) == Imported(2, 3, 2)


def test_reading_alone_gives_the_rows(file: Path) -> None:
    rows = read(write(file, GOOD))
    assert [(row.store, row.domain, row.default) for row in rows] == [
        ("moon", "shop.moon.test", False),
        ("moon", "moon.shops.test", True),
        ("sun", "sun.test", False),
    ]
    with pytest.raises(ImportRefusedError, match="Line 2"):
        read(write(file, HEADER + "moon,asleep,en,a.test,false\n"))


TAGGED = (
    "store,status,locale,domain,default,tags\n"
    "moon,active,en,shop.moon.test,false,Enterprise  asia\nmoon,active,en,www.moon.test,false,asia enterprise\n"
    "sun,active,en,sun.test,false,\n"
)


def tags_of(storage: MemoryStorage) -> dict[str, tuple[str, ...]]:
    return {store.id: store.tags for store in taken(storage)[0]}


def test_tags_are_taken_and_again_change_nothing(storage: MemoryStorage, file: Path, tmp_path: Path) -> None:
    write(file, TAGGED)
    assert import_stores(storage, file) == Imported(2, 3, 5)
    assert tags_of(storage) == {"moon": ("asia", "enterprise"), "sun": ()}
    assert import_stores(storage, file).changed == 0
    as_json = [{"store": "moon", "status": "active", "locale": "en", "tags": ["asia", "ENTERPRISE", "asia"]}]
    assert import_stores(storage, write(tmp_path / "a.json", json.dumps(as_json))).changed == 0
    as_json[0]["tags"] = []
    assert import_stores(storage, write(tmp_path / "b.json", json.dumps(as_json))).changed == 1
    assert tags_of(storage)["moon"] == ()


def test_a_file_that_does_not_speak_of_tags_leaves_them(storage: MemoryStorage, file: Path) -> None:
    import_stores(storage, write(file, TAGGED))
    assert import_stores(storage, write(file, HEADER + "moon,active,en,shop.moon.test,false\n")).changed == 0
    assert (
        import_stores(storage, write(file, HEADER + "moon,inactive,en,shop.moon.test,false\n")).changed == 1
    )
    assert tags_of(storage)["moon"] == ("asia", "enterprise")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("_x", "“_x” is no tag"),
        ("a,b", "it has 7 cells, and the header has 6"),
        ('"a,b"', "“a,b” is no tag"),
        ("<!channel>", "is no tag"),
        ("x" * 41, "is no tag"),
        (" ".join(f"t{n}" for n in range(21)), "it has 21 tags, and 20 are the most"),
    ],
)
def test_bad_tags_are_refused(storage: MemoryStorage, file: Path, cell: str, reason: str) -> None:
    head = TAGGED.splitlines()[0]
    lines = refusal(storage, file, f"{head}\nmoon,active,en,a.test,false,{cell}\n")
    assert lines[1].startswith("Line 2: ")
    assert reason in lines[1]


def test_tags_that_contradict_each_other_are_refused(storage: MemoryStorage, file: Path) -> None:
    rows = TAGGED.replace("asia enterprise", "asia")
    lines = refusal(storage, file, rows)
    assert lines[1:] == [
        "Line 3: the store moon has the tags asia here and asia, enterprise in an earlier row."
    ]


@pytest.mark.parametrize("tags", ["asia", [1], None, {"a": 1}])
def test_json_tags_are_a_list_of_texts(storage: MemoryStorage, tmp_path: Path, tags: Any) -> None:
    text = json.dumps([{"store": "moon", "status": "active", "tags": tags}])
    lines = refusal(storage, tmp_path / "a.json", text)
    assert "“tags” is not a list" in lines[1]


@pytest.mark.parametrize(
    "header", ["store,status,locale,domain,default,tags,tags", "store,status,locale,domain,tags"]
)
def test_a_header_with_tags_still_has_to_fit(storage: MemoryStorage, file: Path, header: str) -> None:
    assert "does not begin with the header" in refusal(storage, file, f"{header}\n")[0]


# --- whose domain --------------------------------------------------------------------------------------------------


def test_a_domain_of_another_store_is_refused_with_its_line(storage: MemoryStorage, file: Path) -> None:
    import_stores(storage, write(file, GOOD))
    lines = refusal(storage, file, HEADER + "new,active,en,new.test,false\nnew,active,en,sun.test,false\n")
    assert lines == [
        "Nothing of stores.csv was taken, for its bad rows: 1",
        "Line 3: sun.test belongs to the store sun, and only a deleted store gives its domains away.",
    ]


def test_a_domain_of_a_deleted_store_moves(storage: MemoryStorage, file: Path) -> None:
    import_stores(storage, write(file, GOOD))
    set_status(storage, "sun", "deleted")
    assert import_stores(storage, write(file, HEADER + "new,active,en,sun.test,false\n")) == Imported(1, 1, 2)
    assert taken(storage)[1]["sun.test"] == ("new", False)
    # the old owner's row, in an older file, takes nothing back
    assert import_stores(storage, write(file, HEADER + "sun,deleted,en,sun.test,false\n")).changed == 0
    assert taken(storage)[1]["sun.test"] == ("new", False)


def test_a_store_that_the_file_deletes_gives_its_domains_away(storage: MemoryStorage, file: Path) -> None:
    import_stores(storage, write(file, GOOD))
    moved = HEADER + "new,active,en,sun.test,false\nsun,deleted,en,,\n"
    assert import_stores(storage, write(file, moved)).changed == 3
    assert taken(storage)[1]["sun.test"] == ("new", False)


@pytest.mark.parametrize(
    "rows",
    [
        "old,deleted,en,a.test,false\nnew,active,en,a.test,true\n",
        "new,active,en,a.test,true\nold,deleted,en,a.test,false\n",
    ],
)
def test_of_two_stores_of_a_file_the_one_that_lives_has_the_domain(
    storage: MemoryStorage, file: Path, rows: str
) -> None:
    write(file, HEADER + rows)
    assert import_stores(storage, file) == Imported(2, 1, 3)
    assert taken(storage)[1] == {"a.test": ("new", True)}
    assert import_stores(storage, file).changed == 0


# --- what is refused -----------------------------------------------------------------------------------------------

BAD_ROWS = [
    ("moon,asleep,en,a.test,false", "“asleep” is no status: it is one of active, inactive, deleted"),
    ("moon,,en,a.test,false", "“” is no status"),
    ("moon,active,en_US,a.test,false", "“en_US” is no locale"),
    ("moon,active,klingonish,a.test,false", "“klingonish” is no locale"),
    ("moon,active,en,a.test,yes", "“yes” is neither true nor false"),
    ("moon,active,en,a.test,", "“” is neither true nor false"),
    ("moon,active,en,,maybe", "“maybe” is neither true nor false"),
    (",active,en,a.test,false", "“” is no store id"),
    ("two words,active,en,a.test,false", "“two words” is no store id"),
    ("--store,active,en,a.test,false", "“--store” is no store id"),
    ("<@U1>,active,en,a.test,false", "“<@U1>” is no store id"),
    (f"{'s' * 65},active,en,a.test,false", "is no store id"),
    ("moon,active,en,192.0.2.1,false", "is an IP address"),
    ("moon,active,en,localhost,false", "is a single label"),
    ("moon,active,en,a@b.test,false", "is an e-mail address"),
    ("moon,active,en,a.test", "it has 4 cells, and the header has 5"),
    ("moon,active,en,a.test,false,x", "it has 6 cells, and the header has 5"),
    (
        "moon,active,en,a.test,false\nmoon,inactive,en,b.test,false",
        "Line 3: the store moon is inactive here and active in an earlier row.",
    ),
    (
        "moon,active,en,a.test,false\nmoon,active,ja,b.test,false",
        "Line 3: the store moon has the locale ja here and en in an earlier row.",
    ),
    (
        "moon,active,en,a.test,false\nsun,active,en,A.test,false",
        "Line 3: a.test belongs to the store moon in an earlier row.",
    ),
    (
        "moon,active,en,a.test,false\nmoon,active,en,a.test,true",
        "Line 3: a.test is marked as default in one row and not in another.",
    ),
    ('moon,active,en,"a.test,false', "this is not CSV"),
    ('moon,active,en,"a"x.test,false', "this is not CSV"),
]


@pytest.mark.parametrize(("rows", "reason"), BAD_ROWS, ids=[reason[:40] for _, reason in BAD_ROWS])
def test_a_bad_row_is_refused_with_its_line_and_reason(
    storage: MemoryStorage, file: Path, rows: str, reason: str
) -> None:
    lines = refusal(storage, file, HEADER + rows + "\n")
    assert lines[0] == "Nothing of stores.csv was taken, for its bad rows: 1"
    assert len(lines) == 2
    assert lines[1].startswith("Line ")
    assert reason in lines[1]


def test_all_bad_rows_are_named_up_to_twenty(storage: MemoryStorage, file: Path) -> None:
    rows = "".join(f"moon,active,en,n{n}.test,{'false' if n % 2 else 'perhaps'}\n" for n in range(60))
    lines = refusal(storage, file, HEADER + rows)
    assert lines[0].endswith("bad rows: 30")
    assert [line.partition(":")[0] for line in lines[1:21]] == [f"Line {n}" for n in range(2, 42, 2)]
    assert lines[21:] == ["and 10 more."]


def test_a_row_of_several_lines_is_named_by_its_last(storage: MemoryStorage, file: Path) -> None:
    lines = refusal(storage, file, HEADER + 'moon,active,en,"a\n.test",false\n')
    assert lines[1].startswith("Line 3:")


WRONG_FILES: list[tuple[str, str | bytes, str]] = [
    (
        "a.csv",
        "",
        "does not begin with the header store,status,locale,domain,default (and tags, if it speaks of them); its first line has: none",
    ),
    (
        "a.csv",
        "store;status;locale;domain;default\n",
        "its first line has: store;status;locale;domain;default",
    ),
    ("a.csv", "store,status,locale,domain\n", "does not begin with the header"),
    ("a.csv", "store,status,locale,domain,default,owner\n", "does not begin with the header"),
    ("a.csv", "store,store,locale,domain,default\n", "does not begin with the header"),
    ("a.csv", GOOD.encode("utf-16"), "is not UTF-8 text"),
    ("a.csv", HEADER.encode() + b"caf\xe9,active,en,a.test,false\n", "is not UTF-8 text"),
    ("a.json", "[", "is not JSON"),
    ("a.json", "", "is not JSON: Expecting value in line 1, column 1"),
    ("a.json", '{"store": "moon"}', "does not hold a list of stores"),
    ("a.json", "[" * 100_000, "nested too deeply"),
]


@pytest.mark.parametrize(("name", "text", "reason"), WRONG_FILES)
def test_a_file_that_is_none_is_refused(
    storage: MemoryStorage, tmp_path: Path, name: str, text: str | bytes, reason: str
) -> None:
    [line] = refusal(storage, tmp_path / name, text)
    assert line.startswith(name)
    assert reason in line


def test_a_file_that_cannot_be_read_is_said(storage: MemoryStorage, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(ImportRefusedError, match="cannot be read"):
            import_stores(storage, path)


def store_of(**changes: Any) -> Any:
    return {"store": "moon", "status": "active", "locale": "en", "domains": []} | changes


BAD_JSON = [
    ("moon", "Store 1 of the list: it is not an object with the keys domains, locale, status, store"),
    (store_of(owner="x"), "it has unknown keys: owner"),
    ({"store": "moon"}, "these keys are missing: status"),
    (store_of(status=1), "“status” is not a text"),
    (store_of(locale=None), "“locale” is not a text"),
    (store_of(domains={}), "“domains” is not a list"),
    (store_of(domains=["a.test"]), "Store moon, domain 1: it is not an object with the keys default, name"),
    (store_of(domains=[{"name": "a.test", "default": "true"}]), "“default” is neither true nor false"),
    (store_of(domains=[{"default": True}]), "these keys are missing: name"),
    (
        store_of(domains=[{"name": "a.test"}, {"name": "1.2.3.4"}]),
        "Store moon, domain 2: “1.2.3.4” is an IP address",
    ),
]


@pytest.mark.parametrize(("entry", "reason"), BAD_JSON, ids=[reason[:40] for _, reason in BAD_JSON])
def test_a_bad_json_entry_is_refused_with_its_place(
    storage: MemoryStorage, tmp_path: Path, entry: Any, reason: str
) -> None:
    lines = refusal(storage, tmp_path / "stores.json", json.dumps([entry]))
    assert len(lines) == 2
    assert reason in lines[1]
    assert lines[1].endswith(".")
    assert not lines[1].endswith("..")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(
    st.text(max_size=200)
    | st.text("mon,active\n\"'.test;\r[]{}:", max_size=120).map(lambda rows: HEADER + rows)
)
def test_any_text_is_taken_or_refused(tmp_path: Path, text: str) -> None:
    storage = MemoryStorage()
    file = write(tmp_path / "any.csv", text)
    try:
        done = import_stores(storage, file)
    except ImportRefusedError:
        assert taken(storage) == ([], {})
    else:
        assert done.changed == done.stores + done.domains


# --- by hand -------------------------------------------------------------------------------------------------------


def test_a_status_is_set_by_its_word(storage: MemoryStorage, file: Path) -> None:
    import_stores(storage, write(file, GOOD))
    assert set_status(storage, "sun", " Active ") is StoreStatus.ACTIVE
    assert taken(storage)[0][1].status is StoreStatus.ACTIVE
    with pytest.raises(CertdeskError, match="“asleep” is no status: it is one of active, inactive, deleted"):
        set_status(storage, "sun", "asleep")
    with pytest.raises(NotFoundError, match="There is no store mars"):
        set_status(storage, "mars", "active")


def test_a_domain_is_added_to_a_store(storage: MemoryStorage, file: Path) -> None:
    import_stores(storage, write(file, GOOD))
    assert add_domain(storage, "sun", "WWW.Sun.test.") == Domain("www.sun.test", "sun")
    assert add_domain(storage, "sun", "www.sun.test") == Domain("www.sun.test", "sun")
    assert add_domain(storage, "sun", "sun.shops.test", default=True).default
    assert add_domain(storage, "sun", "sun.shops.test").default
    assert taken(storage)[1]["sun.shops.test"] == ("sun", True)
    with pytest.raises(NotFoundError, match="There is no store mars"):
        add_domain(storage, "mars", "mars.test")
    with pytest.raises(InvalidNameError):
        add_domain(storage, "sun", "sun")
    with pytest.raises(TakenError, match=r"sun\.test belongs to the store sun, .*\.$"):
        add_domain(storage, "moon", "sun.test")
    set_status(storage, "sun", "deleted")
    with pytest.raises(TakenError):
        add_domain(storage, "sun", "shop.moon.test")
    assert add_domain(storage, "moon", "sun.test") == Domain("sun.test", "moon")


@pytest.mark.parametrize("change", ["set-status", "add-domain", "import"])
def test_what_waits_for_a_store_is_looked_at_as_soon_as_the_store_changes(
    storage: MemoryStorage, file: Path, change: str
) -> None:
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    import_stores(storage, write(file, GOOD))
    waiting = Certificate(
        "cert_1", "sun", "sun.test", ("sun.test",), now, now, State.BLOCKED, now + timedelta(hours=1)
    )
    other = replace(waiting, id="cert_2", store="moon", domain="moon.test", wanted=("shop.moon.test",))
    with storage.write() as tx:
        assert tx.certificates.add(waiting)
        assert tx.certificates.add(other)
    later = now + timedelta(minutes=5)
    if change == "set-status":
        set_status(storage, "sun", "active", lambda: later)
    elif change == "add-domain":
        add_domain(storage, "sun", "www.sun.test", clock=lambda: later)
    else:
        import_stores(storage, write(file, GOOD.replace("inactive", "active")), lambda: later)
    with storage.read() as tx:
        assert [one.run_after for one in tx.certificates.get_many(["cert_1", "cert_2"])] == [
            later,
            now + timedelta(hours=1),
        ]


def test_what_is_installed_is_watched_as_soon_as_its_store_closes(storage: MemoryStorage, file: Path) -> None:
    """So that a renewal that is going to be blocked is told of at once, not a day later."""
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    import_stores(storage, write(file, GOOD))
    live = Certificate(
        "cert_1", "sun", "sun.test", ("sun.test",), now, now, State.INSTALLED, now + timedelta(hours=6)
    )
    with storage.write() as tx:
        assert tx.certificates.add(live)
        tx.watches.plan("cert_1", now + timedelta(hours=20))
    later = now + timedelta(minutes=5)
    set_status(storage, "sun", "deleted", lambda: later)
    with storage.write() as tx:
        assert [watch.id for watch in tx.watches.claim(later, timedelta(minutes=1), 10)] == ["cert_1"]
        assert [one.run_after for one in tx.certificates.get_many(["cert_1"])] == [now + timedelta(hours=6)]
