"""The contract of `services.ports.DeployTarget`, over every kind of target, each looked at from outside."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.targets import KINDS
from services.deployment.fitness import Guarded
from services.model.certificates import Revision
from services.model.errors import DeployError
from services.ports import UNTOLD, DeployTarget
from tests.contract.target_places import PLACES, Place
from tests.minted import Mint

NAMES = ("*.moon.test", "moon.test")


@pytest.fixture(params=list(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return PLACES[request.param](request, tmp_path)


@pytest.fixture
def mint() -> Mint:
    return Mint()


@pytest.fixture
def target(place: Place) -> DeployTarget:
    return Guarded(place.target(), lambda: datetime.now(UTC))


def pair(served: tuple[str, str] | None) -> str:
    """Return the serial number of what is served, whose key and certificate are each other's."""
    assert served is not None
    chain, key = served
    leaf = x509.load_pem_x509_certificate(chain.encode())
    assert load_pem_private_key(key.encode(), None).public_key() == leaf.public_key()
    return f"{leaf.serial_number:x}"


def deploy_all(target: DeployTarget, made: Sequence[tuple[Revision, str]]) -> None:
    for revision, key in made:
        target.deploy(revision, key)


def has(place: Place, revision: Revision, *names: str) -> None:
    """Assert that the place serves the revision for these names, and that the target says so."""
    for name in names or revision.names:
        assert pair(place.served(name)) == (revision.serial or "").lstrip("0"), name
        assert place.target().current(name) in (revision.serial, UNTOLD), name


def test_every_kind_has_a_place_in_this_suite() -> None:
    assert list(PLACES) == list(KINDS)


def test_a_place_without_anything_says_so(place: Place, target: DeployTarget) -> None:
    assert target.current("moon.test") in (None, UNTOLD)
    assert place.served("moon.test") is None


def test_a_revision_is_served_for_each_of_its_names(place: Place, target: DeployTarget, mint: Mint) -> None:
    revision, key = mint.revision(*NAMES)
    target.deploy(revision, key)
    has(place, revision)
    chain, _ = place.served("moon.test") or ("", "")
    assert chain.strip() == (revision.chain or "").strip()
    assert target.current("other.test") in (None, UNTOLD)
    assert target.current("deep.moon.test") in (None, UNTOLD)  # asked is the name alone, not what covers it


def test_the_same_again_changes_nothing(place: Place, target: DeployTarget, mint: Mint) -> None:
    revision, key = mint.revision(*NAMES)
    target.deploy(revision, key)
    before = place.served("moon.test")
    target.deploy(revision, key)
    place.target().deploy(revision, key)
    assert place.served("moon.test") == before


def test_a_renewal_takes_the_place_of_the_former_one(place: Place, target: DeployTarget, mint: Mint) -> None:
    first, first_key = mint.revision(*NAMES)
    second, second_key = mint.revision(*NAMES)
    target.deploy(first, first_key)
    target.deploy(second, second_key)
    has(place, second)


def test_key_and_certificate_are_each_others_at_every_moment(
    place: Place, target: DeployTarget, mint: Mint
) -> None:
    made = [mint.revision("moon.test") for _ in range(12)]
    target.deploy(*made[0])
    serials = {(revision.serial or "").lstrip("0") for revision, _ in made}
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(deploy_all, target, made[1:])
        while not work.done():
            assert pair(place.served("moon.test")) in serials
        work.result()
    has(place, made[-1][0])


def test_a_roll_back_is_to_deploy_the_former_one(place: Place, target: DeployTarget, mint: Mint) -> None:
    first, first_key = mint.revision(*NAMES)
    second, second_key = mint.revision(*NAMES)
    for revision, key in ((first, first_key), (second, second_key), (first, first_key)):
        target.deploy(revision, key)
    has(place, first)


def test_it_rolls_back_even_to_what_was_discarded(place: Place, target: DeployTarget, mint: Mint) -> None:
    first, first_key = mint.revision(*NAMES)
    target.deploy(first, first_key)
    target.deploy(*mint.revision(*NAMES))
    assert target.discard(first)
    target.deploy(first, first_key)
    has(place, first)


def test_a_name_that_a_revision_lacks_keeps_what_it_has(
    place: Place, target: DeployTarget, mint: Mint
) -> None:
    first, first_key = mint.revision(*NAMES)
    second, second_key = mint.revision("moon.test")
    target.deploy(first, first_key)
    target.deploy(second, second_key)
    has(place, second, "moon.test")
    has(place, first, "*.moon.test")


def test_a_removed_name_is_served_no_more_and_others_are(
    place: Place, target: DeployTarget, mint: Mint
) -> None:
    revision, key = mint.revision(*NAMES)
    other, other_key = mint.revision("sun.test")
    target.deploy(revision, key)
    target.deploy(other, other_key)
    target.remove("moon.test")
    target.remove("moon.test")
    target.remove("never.test")
    assert place.served("moon.test") is None
    assert target.current("moon.test") in (None, UNTOLD)
    has(place, revision, "*.moon.test")
    has(place, other)
    target.deploy(revision, key)
    has(place, revision)


def test_what_is_in_use_is_not_discarded_and_what_was_replaced_is(
    place: Place, target: DeployTarget, mint: Mint
) -> None:
    first, first_key = mint.revision(*NAMES)
    second, second_key = mint.revision(*NAMES)
    target.deploy(first, first_key)
    if place.kept():
        assert not target.discard(first)
    target.deploy(second, second_key)
    assert target.discard(first)
    assert target.discard(first)
    has(place, second)


def spoilt(  # noqa: PLR0911 - a way each
    way: str, mint: Mint
) -> tuple[Revision, str]:
    """Return a revision and a key that do not fit in this way."""
    revision, key = mint.revision(*NAMES)
    other, other_key = mint.revision(*NAMES)
    match way:
        case "another key":
            return revision, other_key
        case "another's certificate":
            return replace(revision, chain=other.chain), key
        case "a text":
            return replace(revision, chain="-----BEGIN nonsense"), key
        case "nothing":
            return replace(revision, chain=None), key
        case "a name too many":
            return replace(revision, names=(*NAMES, "sun.test")), key
        case "another's issuer":
            leaf = (revision.chain or "").partition("-----END CERTIFICATE-----")
            return replace(revision, chain="".join(leaf[:2]) + "\n" + Mint("Other").root), key
        case _:
            return mint.revision(*NAMES, lasts=timedelta(minutes=-30))


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("another key", "another key"),
        ("another's certificate", "another key"),
        ("a text", "not a certificate chain"),
        ("nothing", "not a certificate chain"),
        ("a name too many", "does not cover"),
        ("another's issuer", "do not follow"),
        ("run out", "which is over"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_touched(
    place: Place, target: DeployTarget, mint: Mint, way: str, why: str
) -> None:
    first, first_key = mint.revision(*NAMES)
    target.deploy(first, first_key)
    with pytest.raises(DeployError, match=why) as refused:
        target.deploy(*spoilt(way, mint))
    assert "Target edge" in str(refused.value)
    has(place, first)


def test_a_failure_half_way_leaves_the_old_one_served_and_the_next_try_completes_it(
    place: Place, target: DeployTarget, mint: Mint
) -> None:
    first, first_key = mint.revision(*NAMES)
    second, second_key = mint.revision(*NAMES)
    target.deploy(first, first_key)
    with place.failing(), pytest.raises(DeployError, match="Target edge"):
        target.deploy(second, second_key)
    has(place, first)
    target.deploy(second, second_key)
    has(place, second)


def test_of_several_at_once_one_wins_whole(place: Place, mint: Mint) -> None:
    made = [mint.revision("moon.test") for _ in range(6)]
    with ThreadPoolExecutor(len(made)) as pool:
        for done in [pool.submit(place.target().deploy, revision, key) for revision, key in made]:
            done.result()
    won = pair(place.served("moon.test"))
    [revision] = [one for one, _ in made if (one.serial or "").lstrip("0") == won]
    has(place, revision)


def test_of_several_names_at_once_none_is_lost(place: Place, mint: Mint) -> None:
    made = [mint.revision(f"shop{number}.test", f"*.shop{number}.test") for number in range(6)]
    with ThreadPoolExecutor(len(made)) as pool:
        for done in [pool.submit(place.target().deploy, revision, key) for revision, key in made]:
            done.result()
    for revision, _ in made:
        has(place, revision)


def test_the_key_stands_in_no_error(place: Place, target: DeployTarget, mint: Mint) -> None:
    target.deploy(*mint.revision(*NAMES))
    revision, key = mint.revision(*NAMES)
    with place.failing(), pytest.raises(DeployError) as refused:
        target.deploy(revision, key)
    body = key.splitlines()[1]
    assert body[:20] not in str(refused.value)
