"""What is never deployed, and that the attempt goes on to something better."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config import load
from bot.wiring import build
from services.deployment.fitness import trial, unfit
from services.model.errors import DeployError
from services.model.lifecycle import State
from services.model.settings import CaSettings
from storage.vault import new_key
from tests.building import Built
from tests.minted import Mint

NOW = datetime(2027, 2, 10, tzinfo=UTC)
CAS = {
    "real": CaSettings("real", "https://acme-v02.api.letsencrypt.org/directory"),
    "trial": CaSettings("trial", "https://acme-staging-v02.api.letsencrypt.org/directory"),
}
REAL, STAGING = Mint("ISRG Root X1", NOW), Mint("(STAGING) Pretend Pear X1", NOW)


@pytest.mark.parametrize(
    ("mint", "ca", "is_trial"),
    [(REAL, "real", False), (STAGING, "gone", True), (REAL, "trial", True), (STAGING, "real", True)],
)
def test_a_trial_is_known_by_its_chain_or_its_directory(mint: Mint, ca: str, *, is_trial: bool) -> None:
    assert trial(mint.revision("moon.test", ca=ca)[0], CAS) is is_trial


def test_a_trial_takes_no_trusted_ones_place() -> None:
    installed, _ = REAL.revision("moon.test", ca="real")
    said = unfit(*STAGING.revision("moon.test", ca="trial"), NOW, installed=installed, cas=CAS)
    assert said is not None
    assert "no browser trusts" in said.plain()


def test_a_trial_may_stand_where_nothing_better_does() -> None:
    trial_one, _ = STAGING.revision("moon.test")
    for installed in (None, trial_one):
        assert unfit(*STAGING.revision("moon.test"), NOW, installed=installed, cas=CAS) is None
    assert unfit(*REAL.revision("moon.test", ca="real"), NOW, installed=trial_one, cas=CAS) is None


def test_what_has_run_out_on_its_way_is_not_deployed_and_another_one_is_ordered() -> None:
    built = Built(names_of_cas=("first",))
    built.target.full = 10**6
    built.add("moon.test")
    built.advance(timedelta(hours=1))
    assert built.state() is State.DEPLOYING
    built.now += timedelta(days=400)  # certdesk was down
    built.target.full = 0
    built.work()
    one = built.one
    assert one.state is State.FAILED
    assert one.problem is not None
    assert one.problem.code == "deploy.failed"
    assert "which is over" in one.problem.summary.plain()
    assert (one.strikes, built.target.serials) == (0, {})
    built.advance(timedelta(minutes=5))
    assert built.state() is State.INSTALLED
    assert len(built.ca.orders) == 2


def test_a_trial_cas_renewal_leaves_the_trusted_one_and_says_why() -> None:
    built = Built(names_of_cas=("first",))
    built.add("moon.test")
    installed = built.settle().serial
    built.limits["first"] = replace(CAS["trial"], name="first", limits={})
    with built.storage.write() as tx:  # the first one was ordered while app.yaml named another CA
        tx.certificates.put_revision(replace(built.live, ca="real"))
    built.renew("moon.test")
    built.advance(timedelta(minutes=1))
    one = built.one
    assert one.state is State.FAILED
    assert one.problem is not None
    assert one.problem.code == "deploy.failed"
    assert "a CA for trials" in one.problem.summary.plain()
    assert built.target.serials == {"moon.test": installed}


def test_every_target_of_app_yaml_is_guarded(tmp_path: Path) -> None:
    places = [{"name": name, "directory": str(tmp_path / name)} for name in ("one", "two")]
    environment = {
        "CERTDESK_DATABASE__URL": f"sqlite:///{tmp_path}/x.db",
        "CERTDESK_VAULT__KEY": new_key(),
        "CERTDESK_DEPLOY__TARGETS": json.dumps(places),
    }
    application = build(load(environment, tmp_path), clock=lambda: NOW)
    revision, _ = REAL.revision("moon.test")
    _, another_key = REAL.revision("moon.test")
    assert [target.name for target in application.parts.targets] == ["one", "two"]
    for target in application.parts.targets:
        with pytest.raises(DeployError, match="was not given a certificate"):
            target.deploy(revision, another_key)
    application.close()
