"""Every kind of deploy target: what its keys are, and how one is made. A new kind is a file and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.deployment.command import ExecSettings, ExecTarget
from services.deployment.files import FilesSettings, FilesTarget
from services.deployment.haproxy import HaproxySettings, HaproxyTarget
from services.deployment.kubernetes import KubernetesSettings, KubernetesTarget
from services.deployment.pull import PullSettings, PullTarget
from services.model.clock import Clock
from services.ports import DeployTarget, Storage, Vault


@dataclass(frozen=True, slots=True)
class Around:
    """What a target may need besides its own keys."""

    storage: Storage
    vault: Vault
    clock: Clock


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of deploy target."""

    settings: type[Any]
    """Its keys in app.yaml: a frozen dataclass of paths, texts, numbers, truths and tuples of them. Paths are made absolute;
    what is wrong between keys it says by a ValueError."""
    make: Callable[[str, Any, Around], DeployTarget]
    """Makes one, from its name, its settings and what is around it."""


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """One entry of deploy.targets."""

    name: str
    kind: str
    settings: Any
    """Of the kind's `Kind.settings`."""


def _alone(make: Callable[[str, Any], DeployTarget]) -> Callable[[str, Any, Around], DeployTarget]:
    """Return ``make`` for a target that needs nothing but its keys."""
    return lambda name, settings, _: make(name, settings)


KINDS: Mapping[str, Kind] = {
    "files": Kind(FilesSettings, _alone(FilesTarget)),
    "haproxy": Kind(HaproxySettings, _alone(HaproxyTarget)),
    "http": Kind(PullSettings, lambda name, settings, around: PullTarget(name, settings, around.storage)),
    "kubernetes": Kind(KubernetesSettings, _alone(KubernetesTarget)),
    "exec": Kind(ExecSettings, _alone(ExecTarget)),
}
"""In the order in which docs/targets.md describes them; the first one is meant where an entry names none."""
DEFAULT = next(iter(KINDS))
