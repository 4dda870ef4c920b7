"""What is answered at a pull target: the right revision of the moment, from memory, its key no longer there than needed."""

from collections.abc import Callable

import pytest

from services.deployment.answers import AGAIN, FRESH, HELD, Answers
from services.model.errors import DatabaseUnavailableError, VaultError
from storage.vault import Vault
from tests.unit.pull_world import TARGET, Breakable, PullWorld


@pytest.fixture
def world() -> PullWorld:
    return PullWorld()


def answer(world: PullWorld, name: str) -> bytes | None:
    """Return what a listener that has just been asked for ``name`` would give."""
    answers = world.answers()
    answers.refresh()
    return answers.load(name)


def test_a_name_has_its_own_chain_and_key(world: PullWorld) -> None:
    expected = world.published("moon.test", "www.moon.test")
    assert answer(world, "moon.test") == answer(world, "www.moon.test") == expected
    for stranger in ("sun.test", "a.moon.test", "test", "", "moon.test.", "oon.test"):
        assert answer(world, stranger) is None


def test_a_wildcard_covers_one_label_and_a_name_of_its_own_wins(world: PullWorld) -> None:
    wildcard = world.published("*.moon.test")
    exact = world.published("shop.moon.test")
    assert answer(world, "any.moon.test") == wildcard
    assert answer(world, "shop.moon.test") == exact
    for other in ("moon.test", "deep.any.moon.test"):
        assert answer(world, other) is None


def test_a_new_revision_is_seen_at_the_next_look_and_the_old_key_is_gone(world: PullWorld) -> None:
    first = world.published("moon.test")
    answers = world.answers()
    answers.refresh()
    assert answers.load("moon.test") == first
    old = answers.revision_of("moon.test") or ""
    second = world.published("moon.test")
    looks = [answers.stale]
    world.seconds += FRESH
    assert [*looks, answers.stale] == [False, True]
    answers.refresh()
    assert answers.find(old) is None
    assert answers.load("moon.test") == second
    world.target.remove("moon.test")
    answers.refresh()
    assert answers.revision_of("moon.test") is None


class _Slow:
    """A vault that takes so long to open a key that another revision is published meanwhile."""

    def __init__(self, world: PullWorld) -> None:
        self._world = world
        self.meanwhile: Callable[[], None] = lambda: None

    def open(self, sealed: bytes, binding: str) -> bytes:
        self.meanwhile()
        return self._world.vault.open(sealed, binding)

    def seal(self, secret: bytes, binding: str) -> bytes:
        return self._world.vault.seal(secret, binding)


def test_an_answer_that_was_read_before_the_change_is_not_kept(world: PullWorld) -> None:
    first = world.published("moon.test")
    vault = _Slow(world)
    answers = Answers(TARGET, world.storage, vault, lambda: world.seconds)
    answers.refresh()
    old = answers.revision_of("moon.test") or ""

    def renewed() -> None:
        world.published("moon.test")
        answers.refresh()

    vault.meanwhile = renewed
    assert answers.load("moon.test") == first
    assert answers.find(old) is None


def test_a_key_that_nobody_asks_for_leaves_memory(world: PullWorld) -> None:
    world.published("moon.test")
    world.published("sun.test")
    answers = world.answers()
    answers.refresh()
    answers.load("moon.test")
    answers.load("sun.test")
    world.seconds += HELD / 2
    assert answers.find(answers.revision_of("sun.test") or "")
    world.seconds += HELD / 2 + 1
    answers.forget()
    assert answers.find(answers.revision_of("moon.test") or "") is None
    assert answers.find(answers.revision_of("sun.test") or "") is not None


def test_without_the_database_what_is_in_memory_is_answered_on(world: PullWorld) -> None:
    expected = world.published("moon.test")
    answers = world.answers()
    assert isinstance(world.storage, Breakable)
    world.storage.down = True
    with pytest.raises(DatabaseUnavailableError):
        answers.refresh()
    known = [answers.known]
    world.storage.down = False
    world.seconds += AGAIN
    answers.refresh()
    answers.load("moon.test")
    world.storage.down = True
    world.seconds += FRESH
    with pytest.raises(DatabaseUnavailableError):
        answers.refresh()
    assert not answers.stale  # it is looked at again after a second, not by each who asks
    assert [*known, answers.known] == [False, True]
    assert answers.find(answers.revision_of("moon.test") or "") == expected


def test_a_key_under_another_vault_is_no_answer(world: PullWorld) -> None:
    world.published("moon.test")
    world.vault = Vault((b"x" * 32,))
    answers = world.answers()
    answers.refresh()
    with pytest.raises(VaultError):
        answers.load("moon.test")


def test_no_key_stands_in_a_repr(world: PullWorld) -> None:
    expected = world.published("moon.test")
    answers = world.answers()
    answers.refresh()
    answers.load("moon.test")
    shown = repr(answers) + repr(answers._kept) + repr(world.target)
    assert expected.splitlines()[-3].decode() not in shown
    assert "PRIVATE" not in shown
