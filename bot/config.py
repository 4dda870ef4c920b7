"""app.yaml and CERTDESK_* environment -> frozen, validated settings; an unknown key is an error that names it."""

import difflib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.config_alerts import Alerts
from bot.config_keys import (
    Acme,
    Approvals,
    Database,
    Deploy,
    Dns,
    Http,
    Log,
    Platform,
    Policy,
    Probe,
    Rdap,
    Renewal,
    Slack,
    VaultKeys,
)
from bot.config_scan import Scan
from bot.config_sentences import sentences
from services.model.errors import CertdeskError
from services.model.text import say

PREFIX = "CERTDESK_"
NESTED = "__"
NOT_KEYS = frozenset({"CERTDESK_CONFIG"})
"""Environment names with the prefix that are no configuration keys."""


class ConfigurationError(CertdeskError):
    """The configuration cannot be used; each line names a key, its value and what is allowed."""


class Config(BaseModel):
    """The whole configuration; app.yaml describes each key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database: Database = Database()
    platform: Platform = Platform()
    acme: Acme = Acme()
    policy: Policy = Policy()
    dns: Dns = Dns()
    probe: Probe = Probe()
    rdap: Rdap = Rdap()
    http: Http = Http()
    deploy: Deploy = Deploy()
    vault: VaultKeys = VaultKeys()
    renewal: Renewal = Renewal()
    alerts: Alerts = Alerts()
    approvals: Approvals = Approvals()
    scan: Scan = Scan()
    slack: Slack = Slack()
    log: Log = Log()


class Loaded:
    """A configuration and the folder that its relative paths start from."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        self.folder = folder

    def path(self, path: Path) -> Path:
        """Return ``path`` made absolute: relative ones start at the configuration file's folder."""
        return path if path.is_absolute() else self.folder / path

    @property
    def database_url(self) -> str:
        """Return the database's URL with a relative SQLite path made absolute."""
        url = self.config.database.url
        prefix = "sqlite:///"
        return prefix + str(self.path(Path(url.removeprefix(prefix)))) if url.startswith(prefix) else url


def load(environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> Loaded:
    """Read the configuration file (CERTDESK_CONFIG, else app.yaml in ``cwd``, else none) and the environment.

    Raises ConfigurationError with one line for each thing that is wrong.
    """
    env = os.environ if environment is None else environment
    here = (cwd or Path.cwd()).resolve()
    path = here / env.get("CERTDESK_CONFIG", "app.yaml")
    values = _merged(_read(path, named="CERTDESK_CONFIG" in env), _from_environment(env))
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        lines = "\n".join(sentences(error, Config, path.name))
        raise ConfigurationError(say("The configuration cannot be used:\n{lines}", lines=lines)) from None
    return Loaded(config, path.parent.resolve())


def _read(path: Path, *, named: bool) -> dict[str, Any]:
    if not path.is_file():
        if named:
            raise ConfigurationError(say("CERTDESK_CONFIG names {path}, which is not there.", path=str(path)))
        return {}
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        why = _why(error)
        raise ConfigurationError(
            say("{path} cannot be read as YAML: {why}.", path=str(path), why=why)
        ) from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigurationError(say("{path} must hold a map of keys, such as `platform:`.", path=str(path)))
    return {str(key): value for key, value in values.items() if value is not None}


def _why(error: Exception) -> str:
    """Return what is wrong and where, without the line itself, which may hold a secret."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return (
            f"{error.problem} in line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1}"
        )
    return (error.strerror or "") if isinstance(error, OSError) else type(error).__name__


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the keys that CERTDESK_SECTION__KEY names set; lists and maps are JSON, deeper keys nest with ``__``.

    A name with the prefix that is no key is refused: a typing mistake must not be passed over in silence.
    """
    values: dict[str, Any] = {}
    for name, text in sorted(env.items()):  # a map before the keys inside it
        if not name.startswith(PREFIX) or name in NOT_KEYS:
            continue
        section, *rest = name.removeprefix(PREFIX).lower().split(NESTED)
        _refuse_unknown(name, section, rest[0] if rest else "")
        *outer, last = [section, *rest]
        here = values
        for part in outer:
            here = here.setdefault(part, {})
            if not isinstance(here, dict):
                raise ConfigurationError(
                    say(
                        "{name} in the environment is a key inside {part}, which is given as a text.",
                        name=name,
                        part=part,
                    )
                )
        here[last] = _value(name, text)
    return values


def _refuse_unknown(name: str, section: str, key: str) -> None:
    fields = _sections().get(section)
    if fields is not None and (not key or key in fields):
        return
    known = [f"{PREFIX}{s.upper()}{NESTED}{k.upper()}" for s, keys in _sections().items() for k in keys]
    close = difflib.get_close_matches(name, known, 1)
    hint = say(" Did you mean {name}?", name=close[0]) if close else say("")
    raise ConfigurationError(
        say("{name} in the environment is not a configuration key.{hint}", name=name, hint=hint)
    )


def _value(name: str, text: str) -> Any:
    if text[:1] not in ("[", "{"):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            say("{name} does not hold valid JSON: {why}.", name=name, why=str(error))
        ) from None


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``under`` with the keys of ``over`` laid on top, map by map; lists are replaced as a whole."""
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        both[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return both


def _sections() -> dict[str, tuple[str, ...]]:
    """Return each section with its keys."""
    return {
        name: tuple(getattr(field.annotation, "model_fields", {}))
        for name, field in Config.model_fields.items()
    }
