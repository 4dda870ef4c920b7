"""The kubernetes target: what it asks of the API, whose secrets it leaves alone, and what it says when the API refuses."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from services.deployment import kubernetes_api
from services.deployment.kubernetes import LONGEST, KubernetesSettings, KubernetesTarget
from services.model.errors import DeployError
from tests.kubernetes_world import NAMESPACE, KubernetesWorld, RefusedError
from tests.minted import Mint

NAMES = ("*.moon.test", "moon.test")
PATH = f"/api/v1/namespaces/{NAMESPACE}/secrets"


@pytest.fixture
def mint() -> Mint:
    return Mint()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[KubernetesWorld]:
    made = KubernetesWorld(tmp_path)
    yield made
    made.stop()


def refusal(target: KubernetesTarget, mint: Mint) -> str:
    """Return the sentence with which a deployment fails."""
    with pytest.raises(DeployError) as refused:
        target.deploy(*mint.revision(*NAMES))
    return refused.value.text.plain()


def test_every_write_is_rehearsed_before_the_first_one(world: KubernetesWorld, mint: Mint) -> None:
    world.target().deploy(*mint.revision(*NAMES))
    assert world.asked == [
        f"GET {PATH}/moon.test.wildcard",
        f"GET {PATH}/moon.test",
        f"POST {PATH}?dryRun=All",
        f"POST {PATH}?dryRun=All",
        f"POST {PATH}",
        f"POST {PATH}",
    ]


def test_a_secret_is_what_an_ingress_takes_and_says_whose_it_is(world: KubernetesWorld, mint: Mint) -> None:
    revision, key = mint.revision("moon.test")
    world.target("tls-").deploy(revision, key)
    [found] = world.secrets.values()
    assert (found["kind"], found["type"]) == ("Secret", "kubernetes.io/tls")
    assert found["metadata"]["name"] == "tls-moon.test"
    assert found["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "certdesk"}
    assert found["metadata"]["annotations"] == {
        "certdesk/name": "moon.test",
        "certdesk/serial": revision.serial,
    }
    assert world.pair("tls-moon.test") == (revision.chain, key)


def test_what_is_right_already_is_not_written(world: KubernetesWorld, mint: Mint) -> None:
    revision, key = mint.revision(*NAMES)
    world.target().deploy(revision, key)
    before = json.dumps(world.secrets)
    world.asked.clear()
    world.target().deploy(revision, key)
    assert [asked.split()[0] for asked in world.asked] == ["GET", "GET"]
    assert json.dumps(world.secrets) == before


def foreign(world: KubernetesWorld, mint: Mint, **labels: str) -> None:
    """Let somebody else's secret be there for moon.test."""
    world.target().deploy(*mint.revision("moon.test"))
    world.secrets["moon.test"]["metadata"]["labels"] = labels


def test_another_ones_secret_is_left_alone(world: KubernetesWorld, mint: Mint) -> None:
    foreign(world, mint, **{"app.kubernetes.io/managed-by": "Helm"})
    before = json.dumps(world.secrets)
    assert refusal(world.target(), mint) == (
        "Target edge: the secret moon.test in stores is not certdesk's and is left alone: it lacks the label "
        "app.kubernetes.io/managed-by=certdesk. Delete it, give it the label, or set another prefix."
    )
    assert world.target().current("moon.test") is None
    world.target().remove("moon.test")
    assert json.dumps(world.secrets) == before


def test_one_that_comes_between_is_read_again(world: KubernetesWorld, mint: Mint) -> None:
    first, first_key = mint.revision("moon.test")
    world.target().deploy(first, first_key)
    theirs = dict(world.secrets["moon.test"])
    world.meddling = [
        {**theirs, "metadata": {**theirs["metadata"], "annotations": {"n": str(number)}}}
        for number in range(3)
    ]
    second, second_key = mint.revision("moon.test")
    world.target().deploy(second, second_key)
    assert world.pair("moon.test") == (second.chain, second_key)
    assert world.meddling == []


def test_a_secret_that_becomes_anothers_before_it_is_deleted_stays(
    world: KubernetesWorld, mint: Mint
) -> None:
    world.target().deploy(*mint.revision("moon.test"))
    ours = world.secrets["moon.test"]
    world.meddling = [{**ours, "metadata": {**ours["metadata"], "labels": {}}}]
    world.target().remove("moon.test")
    assert world.meddling == []
    assert "moon.test" in world.secrets


def test_a_fight_over_a_secret_ends_and_is_told(world: KubernetesWorld, mint: Mint) -> None:
    revision, key = mint.revision("moon.test")
    world.target().deploy(revision, key)
    theirs = dict(world.secrets["moon.test"])
    other, other_key = mint.revision("moon.test")
    world.meddling = [dict(theirs) for _ in range(100)]
    with pytest.raises(DeployError, match=r"answers 409: Operation cannot be fulfilled"):
        world.target().deploy(other, other_key)
    assert 50 < len(world.meddling) < 100


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            RefusedError(403, "Forbidden", "secrets is forbidden: quota."),
            "answers 403: secrets is forbidden: quota.",
        ),
        (RefusedError(500, "InternalError", "etcd is away"), "answers 500: etcd is away."),
    ],
)
def test_a_refusal_is_quoted_and_changes_nothing(
    world: KubernetesWorld, mint: Mint, status: RefusedError, said: str
) -> None:
    world.refusing = status  # after one more write, which is a rehearsal
    assert refusal(world.target(), mint) == f"Target edge: the Kubernetes API at {world.url} {said}"
    assert world.secrets == {}


def test_a_token_that_is_not_taken_is_told(world: KubernetesWorld, mint: Mint, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("of another account")
    target = KubernetesTarget("edge", replace(world.settings(), token_file=other))
    assert refusal(target, mint).endswith("answers 401: Unauthorized.")


def test_a_token_that_was_replaced_is_read_anew(world: KubernetesWorld, mint: Mint) -> None:
    target = world.target()
    target.deploy(*mint.revision("moon.test"))
    world.token_file.write_text("the next token")
    revision, key = mint.revision("moon.test")
    target.deploy(revision, key)
    assert world.pair("moon.test") == (revision.chain, key)


@pytest.mark.parametrize("missing", ["token_file", "ca_file"])
def test_a_file_that_is_not_there_is_named(
    world: KubernetesWorld, mint: Mint, tmp_path: Path, missing: str
) -> None:
    nowhere = tmp_path / "nowhere"
    target = KubernetesTarget("edge", replace(world.settings(), **{missing: nowhere}))  # type: ignore[arg-type] # paths both
    assert str(nowhere) in refusal(target, mint)


def test_a_server_that_nobody_trusts_gets_no_token(
    world: KubernetesWorld, mint: Mint, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.pem"
    stranger.write_text(Mint().root)
    target = KubernetesTarget("edge", replace(world.settings(), ca_file=stranger))
    assert "certificate verify failed" in refusal(target, mint)
    assert world.asked == []


def test_an_api_that_is_away_is_told(world: KubernetesWorld, mint: Mint) -> None:
    target = KubernetesTarget("edge", replace(world.settings(), server="https://127.0.0.1:9"))
    assert refusal(target, mint) == (
        "Target edge: the Kubernetes API at https://127.0.0.1:9 cannot be asked (Connection refused)."
    )


def test_what_is_no_json_is_a_refusal(
    world: KubernetesWorld, mint: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = requests.Response()
    answer.status_code, answer.reason, answer._content = 200, "OK", b"<html>"  # no other way to make one
    monkeypatch.setattr(requests.Session, "request", lambda *_, **__: answer)
    assert refusal(world.target(), mint).endswith("answers 200: OK.")


def test_a_pod_needs_no_keys(
    world: KubernetesWorld, mint: Mint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text(world.token_file.read_text())
    (account / "ca.crt").write_text(world.ca_file.read_text())
    (account / "namespace").write_text(NAMESPACE)
    monkeypatch.setattr(kubernetes_api, "ACCOUNT", account)
    host, _, port = world.url.removeprefix("https://").partition(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # of the surroundings: not for the token
    target = KubernetesTarget("edge", KubernetesSettings())
    revision, key = mint.revision("moon.test")
    target.deploy(revision, key)
    assert target.current("moon.test") == revision.serial
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    assert kubernetes_api.Access().host() == f"https://[fd00::1]:{port}"


def test_without_a_cluster_and_a_server_it_is_told(mint: Mint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    said = refusal(KubernetesTarget("edge", KubernetesSettings(NAMESPACE)), mint)
    assert said == (
        "Target edge: server is not set, and certdesk does not run in a cluster that would tell it."
    )


def test_a_key_that_is_not_the_certificates_counts_as_nothing(world: KubernetesWorld, mint: Mint) -> None:
    world.target().deploy(*mint.revision("moon.test"))
    world.target().deploy(*mint.revision("sun.test"))
    there = world.secrets
    there["moon.test"]["data"]["tls.key"] = there["sun.test"]["data"]["tls.key"]
    assert world.target().current("moon.test") is None


def test_a_name_that_is_too_long_for_a_secret_is_told_before_anything_is_asked(
    world: KubernetesWorld, mint: Mint
) -> None:
    name = ".".join(["a" * 60] * 4)
    with pytest.raises(DeployError, match="longer than Kubernetes takes"):
        world.target("p" * (LONGEST - len(name) + 1)).deploy(*mint.revision(name))
    assert world.asked == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"namespace": "Stores"}, "namespace: lower-case"),
        ({"namespace": "a" * 64}, "namespace: lower-case"),
        ({"prefix": "-tls"}, "prefix: lower-case"),
        ({"prefix": "tls_"}, "prefix: lower-case"),
        ({"server": "http://10.0.0.1"}, "server: a URL that begins with https://"),
    ],
)
def test_keys_that_cannot_be_are_refused(keys: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        KubernetesSettings(**keys)  # type: ignore[arg-type] # texts all of them


@pytest.mark.parametrize("prefix", ["", "tls-", "certdesk.", "a.b-", "x"])
def test_prefixes_that_can_be(prefix: str) -> None:
    assert KubernetesSettings(prefix=prefix).prefix == prefix
