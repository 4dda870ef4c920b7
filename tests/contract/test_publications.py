"""Publications: names lead to revisions, each change has a version, and versions are seen in their order."""

from services.ports import Publication, Storage
from tests.contract.samples import together


def put(storage: Storage, *names: str, revision: str | None = "rev_1", target: str = "pull") -> int:
    with storage.write() as tx:
        return tx.publications.put(target, names, revision)


def test_what_was_put_is_there_for_its_target_and_name_alone(storage: Storage) -> None:
    assert put(storage, "moon.test", "*.moon.test") == 1
    with storage.read() as tx:
        assert tx.publications.get("pull", "moon.test") == "rev_1"
        assert tx.publications.get("pull", "*.moon.test") == "rev_1"
        assert tx.publications.get("pull", "a.moon.test") is None
        assert tx.publications.get("other", "moon.test") is None
        assert tx.publications.since("pull", 0) == [
            Publication("*.moon.test", "rev_1", 1),
            Publication("moon.test", "rev_1", 1),
        ]
        assert tx.publications.since("other", 0) == []


def test_each_change_has_a_version_of_its_own_and_the_same_again_none(storage: Storage) -> None:
    assert [put(storage, "moon.test"), put(storage, "moon.test"), put(storage, "sun.test")] == [1, 1, 2]
    assert put(storage, "moon.test", revision="rev_2") == 3
    assert put(storage, "moon.test", target="other") == 1
    with storage.read() as tx:
        assert tx.publications.since("pull", 1) == [
            Publication("sun.test", "rev_1", 2),
            Publication("moon.test", "rev_2", 3),
        ]
        assert tx.publications.since("pull", 3) == []


def test_what_is_taken_away_is_told(storage: Storage) -> None:
    put(storage, "moon.test")
    assert put(storage, "moon.test", revision=None) == 2
    assert put(storage, "never.test", revision=None) == 2
    with storage.read() as tx:
        assert tx.publications.get("pull", "moon.test") is None
        assert tx.publications.since("pull", 1) == [Publication("moon.test", None, 2)]


def test_a_revision_is_used_as_long_as_a_name_leads_to_it(storage: Storage) -> None:
    put(storage, "moon.test", "www.moon.test")
    put(storage, "moon.test", revision="rev_2")
    with storage.read() as tx:
        assert tx.publications.used("pull", "rev_1")
        assert not tx.publications.used("other", "rev_1")
    put(storage, "www.moon.test", revision=None)
    with storage.read() as tx:
        assert not tx.publications.used("pull", "rev_1")
        assert tx.publications.used("pull", "rev_2")


def test_of_many_at_once_each_has_a_version_and_no_reader_misses_one(storage: Storage) -> None:
    seen: list[tuple[str, int]] = []

    def watch() -> None:
        version = 0
        while version < 20:
            with storage.read() as tx:
                found = tx.publications.since("pull", version)
            seen.extend((row.name, row.version) for row in found)
            version = max((row.version for row in found), default=version)

    def write(first: int) -> None:
        for number in range(first, 20, 4):
            put(storage, f"shop{number}.test")

    together(watch, *(lambda first=first: write(first) for first in range(4)))
    assert [version for _, version in seen] == list(range(1, 21))
    assert {name for name, _ in seen} == {f"shop{number}.test" for number in range(20)}
