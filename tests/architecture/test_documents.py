"""The documents say what there is: every configuration key, finding code and command; and modules stay small."""

import json
import re
from pathlib import Path

import pytest
import typer
import yaml
from pydantic import BaseModel

from bot import metrics
from bot.__main__ import app
from bot.config import Config, load
from bot.config_alerts import PAGERDUTY, Digest, Route, Webhook
from bot.config_keys import Ca, Limits, Update
from bot.config_targets import MODELS
from bot.slack.soundness import Soundness
from commands.rights import RIGHTS, Action, Reach, Role
from commands.table import COMMANDS
from services.alerting import paging
from services.alerting.causes import OWN_HEALTH
from services.model.alerts import Alert
from services.model.clock import utc_now
from services.model.findings import CODES, Owner
from services.model.settings import Hook
from storage.memory import MemoryStorage
from tests.bench.__main__ import BENCHES

ROOT = Path(__file__).parents[2]
APP_YAML = (ROOT / "app.yaml").read_text(encoding="utf-8")
INSIDE: dict[str, tuple[type[BaseModel], ...]] = {
    "acme": (Ca, Limits),
    "deploy": tuple(MODELS.values()),
    "dns": (Update,),
    "alerts": (Route, Webhook, Digest),
}
"""Sections that have maps of keys in them."""
MODULES = sorted(
    path
    for room in ("bot", "commands", "services", "storage", "tests")
    for path in (ROOT / room).rglob("*.py")
    if "migrations/versions" not in path.as_posix()
)
LONG = {"services/ports.py": "the contracts of every port, most of it docstrings, read in one piece"}
"""Modules that are longer, and why."""


def keys() -> list[tuple[str, str]]:
    found = []
    for section, kind in Config.model_fields.items():
        model = kind.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        found += [(section, key) for key in model.model_fields]
        found += [(section, key) for inner in INSIDE.get(section, ()) for key in inner.model_fields]
    return found


def section(name: str) -> str:
    found = re.search(rf"^{name}:.*?(?=^\w|\Z)", APP_YAML, re.MULTILINE | re.DOTALL)
    assert found, f"app.yaml has no section {name}"
    return found[0]


@pytest.mark.parametrize(("group", "key"), keys())
def test_every_configuration_key_stands_in_app_yaml_with_a_comment(group: str, key: str) -> None:
    lines = re.findall(rf"^[ #-]*{key}:.*$", section(group), re.MULTILINE)
    assert lines, f"{group}.{key} is not in app.yaml"
    assert any(re.search(r"\s# \S", line) for line in lines), f"{group}.{key} has no comment"


def test_app_yaml_as_shipped_says_the_defaults_and_nothing_else() -> None:
    shipped = load({"CERTDESK_CONFIG": str(ROOT / "app.yaml")}).config
    assert shipped == Config()


def test_app_yaml_gives_every_key_that_has_a_plain_default() -> None:
    """Keys that stand as comments alone are those whose default is nothing at all."""
    shown = yaml.safe_load(APP_YAML)
    for name, model in Config().model_dump().items():
        given = {key for key, value in model.items() if value is not None}
        assert set(shown[name]) == given


def test_what_stands_in_comments_is_yaml_that_is_taken() -> None:
    """A reader who takes away the # gets a configuration that can be used."""
    text = re.sub(r"^  (targets|routes|webhooks): \[\].*\n", "", APP_YAML, flags=re.MULTILINE)
    text = re.sub(r'(eab_\w+|key_secret| secret): ""', r"\1: c2VjcmV0", text)
    bare = re.sub(r"^(\s+)# (\s*(?:- )?[a-z_]+:)", r"\1\2", text, flags=re.MULTILINE)
    values = yaml.safe_load(bare)
    config = Config.model_validate(values)
    assert config.dns.update is not None
    assert [target.kind for target in config.deploy.targets] == list(MODELS)
    assert config.deploy.targets[0].settings().reload == ("nginx", "-s", "reload")
    assert config.acme.cas[0].profile == "classic"
    assert config.alerts.routes[0].codes == ("dns.*",)
    assert config.alerts.webhooks[0].url == PAGERDUTY


# --- findings

TABLE = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", CODES)
def test_every_finding_code_stands_in_the_document_as_it_is(code: str) -> None:
    said = CODES[code]
    row = f"| `{code}` | {said.meaning} | {said.owner.value} | {'yes' if said.rule else ''} |"
    assert re.sub(r"\s+\|", " |", row) in re.sub(r"\s+\|", " |", TABLE)


def test_the_document_has_no_code_that_does_not_exist() -> None:
    named = re.findall(r"^\| `([a-z_]+\.[a-z_0-9]+)`", TABLE, re.MULTILINE)
    assert named == list(CODES)


# --- commands


def readable() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def commands(group: typer.Typer, path: str = "") -> list[str]:
    here = [one.name or str(getattr(one.callback, "__name__", "")) for one in group.registered_commands]
    below = [(one.name, one.typer_instance) for one in group.registered_groups]
    deeper = [found for name, one in below if one is not None for found in commands(one, f"{path}{name} ")]
    return [f"{path}{name}" for name in here] + deeper


@pytest.mark.parametrize("command", commands(app))
def test_every_command_of_the_terminal_is_in_the_documents(command: str) -> None:
    assert re.search(rf"certdesk {re.escape(command)}\b", readable()), f"certdesk {command}"


@pytest.mark.parametrize("command", [one.name for one in COMMANDS])
def test_every_command_of_slack_is_in_the_documents(command: str) -> None:
    assert re.search(rf"/ssl {command}\b", readable()), f"/ssl {command}"


@pytest.mark.parametrize("bench", BENCHES)
def test_every_bench_is_in_the_figures_with_its_command(bench: str) -> None:
    assert f"`./certdesk bench {bench}` |" in (ROOT / "docs" / "figures.md").read_text("utf-8")


# --- metrics and health


def test_every_metric_is_in_the_document_and_no_other() -> None:
    storage = MemoryStorage()
    collector = metrics.CertdeskCollector(storage, {"x": lambda: {"get": 1}}, utc_now, Soundness().counts)
    exposed = {sample.name for metric in collector.collect() for sample in metric.samples}
    named = set(
        re.findall(r"^\| `(certdesk_\w+)`", (ROOT / "docs" / "metrics.md").read_text("utf-8"), re.MULTILINE)
    )
    assert named == exposed


def test_every_page_of_health_is_in_the_documents() -> None:
    assert all(
        f"`GET {path}`" in readable() for path in ("/health", "/health/live", "/health/ready", "/metrics")
    )


def test_the_document_of_alerts_says_what_is_checked_and_sent() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text("utf-8")
    assert all(f"`{code}`" in page for code in OWN_HEALTH)
    alert = Alert("a", "k", "dns.lame", "ns1", Owner.PLATFORM, wide=True, opened_at=utc_now())
    sent = json.loads(paging.body(Hook("h", "json", "https://h.test", "s"), alert))
    assert not [key for key in sent if f"`{key}`" not in page]


# --- modules


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_stay_small_and_say_what_they_are_for(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.relative_to(ROOT).as_posix() not in LONG and path.relative_to(ROOT).parts[0] != "tests":
        assert len(lines) <= 320
    assert not lines or lines[0].startswith('"""')


RIGHT_WORDS = {
    Action.HELP: "read what there is",
    Action.ASK_LINK: "ask for a link to a store",
    Action.LOOK: "look",
    Action.CHANGE: "change",
    Action.REVOKE: "have a certificate revoked, which another person of the platform approves",
    Action.ROLL_BACK: "put the certificate before the present one back, which another person approves",
    Action.SCAN: "have the pages of a store looked at, which asks its servers for them",
    Action.ALERTS: "see and handle what is wrong across stores",
    Action.TELL: "tell a merchant, in the channels of their store, what they have to do",
    Action.LINK: "say who belongs to which store, of any person, channel or workspace",
    Action.LANGUAGE: "choose the language of a channel: merchants where it is linked to their store",
}
REACH_WORDS = {Reach.NONE: "–", Reach.OWN: "own", Reach.ALL: "all"}  # noqa: RUF001 - as the document has it


def test_the_rights_of_the_document_are_those_of_the_code() -> None:
    shown = (ROOT / "docs" / "isolation.md").read_text(encoding="utf-8")
    table = re.findall(r"^\|.*\|$", shown.partition("## Rights")[2].partition("\n## ")[0], re.MULTILINE)
    rows = []
    for action in RIGHTS:
        typed = ", ".join(sorted(one.name for one in COMMANDS if one.action is action))
        cells = (REACH_WORDS[RIGHTS[action][role]] for role in Role)
        rows.append(" | ".join((f"| {RIGHT_WORDS[action]}", typed, *cells)).replace("|  |", "| |") + " |")
    assert table[2:] == rows
    assert set(RIGHTS) == set(Action)
