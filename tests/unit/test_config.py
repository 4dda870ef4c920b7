"""app.yaml and environment become settings; whatever is wrong is named with its key, its value and what is allowed."""

import json
import math
import re
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic_core.core_schema import ErrorType

from bot import settings
from bot.config import Config, ConfigurationError, Loaded, load
from bot.config_alerts import PAGERDUTY, Digest, Route, Webhook
from bot.config_keys import Ca, Limits, Update, host_and_port
from bot.config_sentences import ALLOWED
from bot.config_targets import MODELS
from bot.wiring import vault_keys
from services.model.alerts import Severity
from services.model.settings import Alerting, RdapSettings
from storage.vault import new_key


def loaded(folder: Path, text: str = "", **environment: str) -> Loaded:
    (folder / "app.yaml").write_text(text, encoding="utf-8")
    return load({f"CERTDESK_{name}": value for name, value in environment.items()}, folder)


def refused(folder: Path, text: str = "", **environment: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        loaded(folder, text, **environment)
    return str(error.value)


# --- where values come from


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    found = load({}, tmp_path)
    assert found.config.database.url == "sqlite:///var/certdesk.db"
    assert found.config.acme.cas[0].name == "letsencrypt"
    assert found.folder == tmp_path.resolve()


def test_an_empty_file_and_empty_sections_say_nothing(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").config == load({}, tmp_path / "elsewhere").config
    assert loaded(tmp_path, "dns:\nacme:\n").config == loaded(tmp_path, "").config


def test_a_file_holds_only_the_keys_that_differ_and_the_environment_goes_over_it(tmp_path: Path) -> None:
    text = "dns: {timeout: 1, delegation_from: resolver}\nprobe: {http_port: 8080}\n"
    config = loaded(tmp_path, text, DNS__TIMEOUT="2.5", DNS__RESOLVERS='["10.0.0.53", "[::1]:5300"]').config
    assert config.dns.timeout == 2.5
    assert config.dns.delegation_from == "resolver"
    assert config.dns.resolvers == ("10.0.0.53", "[::1]:5300")
    assert config.probe.http_port == 8080


def test_deeper_keys_nest_and_go_over_a_map_that_is_given_as_json(tmp_path: Path) -> None:
    whole = json.dumps({"server": "10.0.0.53", "key_name": "k", "key_secret": "c2VjcmV0"})
    config = loaded(tmp_path, "", DNS__UPDATE=whole, DNS__UPDATE__PORT="5353").config
    assert config.dns.update is not None
    assert (config.dns.update.port, config.dns.update.key_name) == (5353, "k")


def test_a_lone_value_is_a_list_of_one_and_an_empty_one_an_empty_list(tmp_path: Path) -> None:
    config = loaded(tmp_path, "", DNS__RESOLVERS="10.0.0.53", PLATFORM__ADDRESSES="").config
    assert config.dns.resolvers == ("10.0.0.53",)
    assert config.platform.addresses == ()


def test_names_are_normalised_where_they_enter(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, "platform: {name_servers: [NS1.Platform.Test.], default_domains: [한국.test]}\n"
    ).config
    assert config.platform.name_servers == ("ns1.platform.test",)
    assert config.platform.default_domains == ("xn--3e0b707e.test",)


def test_relative_paths_start_at_the_files_folder(tmp_path: Path) -> None:
    inner = tmp_path / "etc"
    inner.mkdir()
    (inner / "desk.yaml").write_text(
        "database: {url: 'sqlite:///data/x.db'}\ndeploy: {targets: [{name: e, directory: certs}]}\n"
    )
    found = load({"CERTDESK_CONFIG": "etc/desk.yaml"}, tmp_path)
    assert found.database_url == f"sqlite:///{inner.resolve()}/data/x.db"
    assert settings.targets(found)[0].settings.directory == inner.resolve() / "certs"
    assert found.path(Path("/abs")) == Path("/abs")


def test_other_environment_is_left_alone(tmp_path: Path) -> None:
    assert load({"HOME": "/root", "CERTDESKTOP": "x"}, tmp_path).config == load({}, tmp_path).config


# --- what is wrong is named


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dns: {timeout: -1}", ("dns.timeout", "-1", "greater than 0")),
        ("rdap: {servers: {test: '127.0.0.1:9000'}}", ("rdap.servers.test", "127.0.0.1:9000", "a base URL")),
        ("rdap: {servers: {test: 'http://[::1'}}", ("rdap.servers.test", "a base URL")),
        ("rdap: {servers: {test: 'https://rdap.test/?q=1'}}", ("rdap.servers.test", "a base URL")),
        ("dns: {timeouts: 1}", ("dns.timeouts", "no such key", "did you mean dns.timeout?")),
        ("dsn: {timeout: 1}", ("dsn", "no such key", "did you mean dns?")),
        ("probe: {https_port: 70000}", ("probe.https_port", "70000", "65535")),
        ("database: {url: mysql://x}", ("database.url", "mysql://…", "postgresql+psycopg://")),
        (
            "acme: {cas: [{name: x, directory: http://ca.test/dir}]}",
            ("acme.cas[0].directory", "https:// URL is needed"),
        ),
        ("acme: {cas: []}", ("acme.cas", "an empty list", "at least one entry")),
        ("acme: {challenges: [tls-alpn-01]}", ("acme.challenges", "tls-alpn-01", "http-01")),
        ("acme: {key_type: rsa-1024}", ("acme.key_type", "rsa-1024", "ec-p256")),
        ("platform: {name_servers: ['not a name']}", ("platform.name_servers[0]", "host name is needed")),
        (
            "platform: {addresses: [edge.test]}",
            ("platform.addresses[0]", "edge.test", "IPv4 or IPv6 address"),
        ),
        ("dns: {resolvers: ['10.0.0.53:port']}", ("dns.resolvers[0]", "ADDRESS or ADDRESS:PORT")),
        ("dns: {resolvers: [dns.google]}", ("dns.resolvers[0]", "'dns.google'", "ADDRESS or ADDRESS:PORT")),
        (
            "dns: {update: {server: ns1.p.test, key_name: k, key_secret: s}}",
            ("dns.update.server", "'ns1.p.test'", "ADDRESS or ADDRESS:PORT", "host names"),
        ),
        (
            "dns: {update: {server: 10.0.0.1, key_name: k, key_secret: s, algorithm: hmac-sha3}}",
            ("dns.update.algorithm", "'hmac-sha3'", "hmac-sha256, hmac-sha384"),
        ),
        (
            "probe: {allow_networks: [10.1.2.3/8]}",
            ("probe.allow_networks[0]", "10.1.2.3/8", "write 10.0.0.0/8"),
        ),
        (
            "probe: {allow_networks: [lan, 7]}",
            ("allow_networks[0]: 'lan'", "allow_networks[1]: 7", "10.20.0.0/16"),
        ),
        ("probe: {http_port: true}", ("probe.http_port", "true", "a number is needed")),
        ("probe: {http_port: http}", ("probe.http_port", "'http'", "a whole number is needed")),
        ("probe: {timeout: .nan}", ("probe.timeout", "nan", "a number")),
        ("renewal: {lease_seconds: yes}", ("renewal.lease_seconds", "true", "a number is needed")),
        ("renewal: {backoff_minutes: [1, .inf]}", ("renewal.backoff_minutes[1]", "inf")),
        ("http: {listen: '8402'}", ("http.listen", "'8402'", "ADDRESS:PORT")),
        ("http: {listen: 8402}", ("http.listen", "8402", "ADDRESS:PORT")),
        ("http: {listen: 127.0.0.1}", ("http.listen", "'127.0.0.1'", "ADDRESS:PORT")),
        (
            "acme: {cas: [{name: x, directory: 'https://a.test', eab_kid: k}]}",
            ("acme.cas[0]: eab_kid is given without eab_hmac",),
        ),
        (
            "acme: {cas: [{name: x, directory: 'https://a.test', eab_hmac: aHVzaA}]}",
            ("acme.cas[0]: eab_hmac is given without eab_kid",),
        ),
        (
            "acme: {cas: [{name: x, directory: 'https://a.test', eab_kid: k, eab_hmac: 'a+b/'}]}",
            ("acme.cas[0].eab_hmac: …", "base64url"),
        ),
        (
            "acme: {cas: [{name: x, directory: 'https://a.test'}, {name: x, directory: 'https://b.test'}]}",
            ("acme.cas: more than one entry has the name 'x'",),
        ),
        (
            "deploy: {targets: [{name: e, directory: a}, {name: e, directory: b}]}",
            ("deploy.targets: more than one entry has the name 'e'",),
        ),
        (
            "deploy: {targets: [{name: e, directory: a, reload: nginx -s reload}]}",
            ("deploy.targets[0].reload", "'nginx -s reload'", "list of the command's arguments"),
        ),
        ("deploy: {targets: [{name: e, directroy: a}]}", ("did you mean deploy.targets[0].directory?",)),
        (
            "platform: {name_servers: [5, '']}",
            ("name_servers[0]: 5", "text", "name_servers[1]: ''", "host name"),
        ),
        ("dns: {timeout: null}", ("dns.timeout: nothing", "a number is needed")),
        ("renewal: {ari_hours: 24}", ("renewal.ari_hours", "24", "12")),
        ("slack: {command: ssl}", ("slack.command", "ssl")),
        (
            "deploy: {targets: [{name: e, kind: ftp, directory: x}]}",
            ("deploy.targets[0].kind", "ftp", "files"),
        ),
        (
            "acme: {cas: [{name: x, directory: 'https://a.test', limits: {order: 1 per 3h}}]}",
            ("limits.orders?",),
        ),
        (
            "acme: {cas: [{name: x, directory: 'https://a.test', limits: {orders: 300}}]}",
            ("acme.cas[0].limits.orders: 300", "300 per 3h"),
        ),
        (
            "alerts: {channel: '#ssl-alerts'}",
            ("alerts.channel", "#ssl-alerts", "C0123456789", "not its name"),
        ),
        ("alerts: {oncall_group: C012}", ("alerts.oncall_group", "C012", "S0123456789")),
        ("alerts: {urgent_days: 30}", ("alerts: warning_days must be larger", "21, 30 and 2")),
        ("alerts: {critical_days: 7}", ("urgent_days", "21, 7 and 7")),
        ("alerts: {urgent_days: 0}", ("alerts.urgent_days", "greater than 0")),
        ("alerts: {routes: [{channel: ''}]}", ("alerts.routes[0].channel", "must not be empty")),
        (
            "alerts: {routes: [{channel: C1, severity: page}]}",
            ("alerts.routes[0].severity", "'page'", "info, warning, urgent or critical"),
        ),
        (
            "alerts: {routes: [{channel: C1, owners: shop}]}",
            ("routes[0].owners[0]", "merchant, platform or ca"),
        ),
        (
            "alerts: {webhooks: [{name: w, kind: json, url: 'http://hook.test/', secret: s}]}",
            ("alerts.webhooks[0].url", "http://hook.test/", "https:// URL is needed"),
        ),
        ("alerts: {webhooks: [{name: w, kind: json, secret: s}]}", ("alerts.webhooks[0]: url is missing",)),
        ("alerts: {webhooks: [{name: w, kind: pagerduty}]}", ("alerts.webhooks[0].secret: is missing",)),
        (
            "alerts: {webhooks: [{name: w, kind: pagerduty, secret: a}, {name: w, kind: pagerduty, secret: b}]}",
            ("alerts.webhooks: more than one entry has the name 'w'",),
        ),
        ("alerts: {digest: {daily: 9}}", ("alerts.digest.daily", "9", '"09:00"')),
        ("alerts: {digest: {daily: '24:00'}}", ("alerts.digest.daily", "24:00", "time of day")),
        (
            "alerts: {digest: {weekly: someday}}",
            ("alerts.digest.weekly", "someday", "monday, tuesday", 'or "" is'),
        ),
        (
            "alerts: {routes: [{channel: C1, codes: [dns.*, dns.lam]}]}",
            ("alerts.routes[0].codes[1]", "'dns.lam'", "a pattern that fits some"),
        ),
        ("alerts: {digest: {timezone: Mars/Base}}", ("alerts.digest.timezone", "Mars/Base", "Europe/Berlin")),
        ("alerts: {digest: {timezone: Europe}}", ("alerts.digest.timezone", "Europe/Berlin")),
        ("- a list", ("must hold a map",)),
        ("a: [", ("cannot be read as YAML",)),
    ],
)
def test_an_error_names_key_value_and_rule(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    said = refused(tmp_path, text)
    assert all(word in said for word in words), said


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    said = refused(tmp_path, "dns: {timeout: 0}\nprobe: {http_port: 0}\nnothing: 1\n")
    assert said.count("\n") == 3


def test_a_list_is_not_named_beside_what_is_wrong_inside_of_it(tmp_path: Path) -> None:
    said = refused(tmp_path, "acme: {cas: [{name: x, directory: http://ca.test}]}")
    assert said.splitlines()[1:] == [
        "  acme.cas[0].directory: 'http://ca.test' does not do: an https:// URL is needed (RFC 8555 §6.1)"
    ]


GARBAGE: tuple[object, ...] = (
    True,
    None,
    -1,
    0.5,
    10**30,
    math.inf,
    "",
    "?",
    "x" * 500,
    [],
    [None],
    [[]],
    ["", {}],
    {},
    {"a": None},
    {5: []},
)
INNER = {
    "acme.cas": {"name": "x", "directory": "https://a.test"},
    "deploy.targets": {"name": "x", "directory": "x"},
    "dns.update": {"server": "10.0.0.1", "key_name": "k", "key_secret": "s"},
    "alerts.routes": {"channel": "C1"},
    "alerts.webhooks": {"name": "x", "kind": "pagerduty", "secret": "s"},
    "alerts.digest": {},
}
INNER_KEYS = {
    "acme.cas": Ca.model_fields,
    "deploy.targets": MODELS["files"].model_fields,
    "dns.update": Update.model_fields,
    "alerts.routes": Route.model_fields,
    "alerts.webhooks": Webhook.model_fields,
    "alerts.digest": Digest.model_fields,
}
OF_PYDANTIC = re.compile(r"Input|[Vv]alid\b|validation|function-|lax|tuple|Tuple|dictionary|instance|<class")


def keys_with_what_is_beside_them() -> Iterator[tuple[str, ...]]:
    for section, field in Config.model_fields.items():
        yield (section,)
        assert field.annotation is not None
        for key in dict(field.annotation()):
            yield section, key
            yield from ((section, key, name) for name in INNER_KEYS.get(f"{section}.{key}", ()))


def with_garbage(key: tuple[str, ...], garbage: object) -> str:
    value = garbage
    if len(key) == 3:
        entry = INNER[".".join(key[:2])] | {key[2]: garbage}
        value = entry if key[1] in {"update", "digest"} else [entry]
    return yaml.safe_dump({key[0]: {key[1]: value} if len(key) > 1 else value})


def said_of(folder: Path, text: str) -> str:
    try:
        loaded(folder, text)
    except ConfigurationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("key", list(keys_with_what_is_beside_them()), ids=".".join)
def test_whatever_is_given_for_a_key_the_answer_is_in_peoples_words(
    tmp_path: Path, key: tuple[str, ...]
) -> None:
    answers = [said_of(tmp_path, with_garbage(key, garbage)) for garbage in GARBAGE]
    assert any(answers)
    lines = [line for answer in answers for line in answer.splitlines()]
    assert not [line for line in lines if OF_PYDANTIC.search(line) or len(line) > 300]


def test_every_kind_of_error_in_the_table_is_one_of_pydantics() -> None:
    assert set(ALLOWED) - {"path_type"} <= set(get_args(ErrorType))  # that one is made where paths are read


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("HMAC-SHA512.", "hmac-sha512"),
        ("hmac-md5.sig-alg.reg.int.", "hmac-md5"),
        ("hmac-sha256", "hmac-sha256"),
    ],
)
def test_tsig_algorithms_may_be_written_as_name_servers_write_them(
    tmp_path: Path, given: str, found: str
) -> None:
    text = f"dns: {{update: {{server: 10.0.0.1, key_name: k, key_secret: s, algorithm: {given}}}}}"
    update = settings.dns(loaded(tmp_path, text)).update
    assert update is not None
    assert update.algorithm == found


@pytest.mark.parametrize("listen", ["127.0.0.1:8402", "[::1]:8402", "localhost:0"])
def test_the_listener_is_an_address_with_a_port(tmp_path: Path, listen: str) -> None:
    assert loaded(tmp_path, f"http: {{listen: '{listen}'}}").config.http.listen == listen


def test_an_empty_binding_is_none(tmp_path: Path) -> None:
    text = "acme: {cas: [{name: x, directory: 'https://a.test', eab_kid: '', eab_hmac: ''}]}"
    assert loaded(tmp_path, text).config.acme.cas[0].name == "x"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DNS__TIMEOUTS", "1", ("CERTDESK_DNS__TIMEOUTS", "Did you mean CERTDESK_DNS__TIMEOUT?")),
        ("DNS_TIMEOUT", "1", ("CERTDESK_DNS_TIMEOUT", "not a configuration key")),
        ("WHATEVER", "1", ("CERTDESK_WHATEVER", "not a configuration key")),
        ("DNS__RESOLVERS", "[1", ("CERTDESK_DNS__RESOLVERS", "valid JSON")),
        ("DNS__UPDATE__SERVERS", "x", ("dns.update.servers", "no such key")),
        ("CONFIG", "missing.yaml", ("CERTDESK_CONFIG", "missing.yaml", "not there")),
        ("DATABASE", "sqlite:///x", ("database",)),
    ],
)
def test_an_error_in_the_environment_is_named(
    tmp_path: Path, name: str, value: str, words: tuple[str, ...]
) -> None:
    said = refused(tmp_path, "", **{name: value})
    assert all(word in said for word in words), said


@pytest.mark.parametrize("order", [1, -1])
def test_a_section_that_is_no_map_is_named_beside_keys_inside_it(tmp_path: Path, order: int) -> None:
    pairs = {"DATABASE": "x", "DATABASE__URL": "sqlite:///x"}
    said = refused(tmp_path, "", **dict(list(pairs.items())[::order]))
    assert "CERTDESK_DATABASE__URL" in said


def test_secrets_are_not_shown_in_errors(tmp_path: Path) -> None:
    said = refused(tmp_path, "", VAULT__KEY="my-secret", SLACK__BOT_TOKEN='["xoxb-secret"]')
    assert "secret" not in said
    assert "32 bytes" in said


@pytest.mark.parametrize(
    "text",
    [
        "acme: {cas: [{name: x, eab_hmac: hush}]}",
        "acme: {cas: {name: x, eab_hmac: hush}}",
        "alerts: {webhooks: [{name: x, secret: [hush]}]}",
        "alerts: {webhooks: hush}",
        "dns: {update: {server: x, key_secret: hush}}",
        "database: {url: 'postgres://desk:hush@db.test/x'}",
        "slack: {merchants: {U1: {bot_token: hush}}}",
    ],
)
def test_secrets_inside_of_what_is_wrong_are_not_shown_either(tmp_path: Path, text: str) -> None:
    assert "hush" not in refused(tmp_path, text)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path, "deploy: {targets: [{name: e}]}")
    assert "deploy.targets[0].directory: is missing" in said


def test_secrets_are_not_shown_by_the_configuration_itself(tmp_path: Path) -> None:
    key = new_key()
    config = loaded(tmp_path, "", VAULT__KEY=key, SLACK__SIGNING_SECRET="hush").config
    assert key not in repr(config)
    assert "hush" not in repr(config)


# --- the vault's keys


def test_without_a_key_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="certdesk keys new"):
        vault_keys(loaded(tmp_path))


def test_the_key_may_lie_in_a_file_as_the_line_that_keys_new_prints(tmp_path: Path) -> None:
    key = new_key()
    (tmp_path / "key").write_text(f"CERTDESK_VAULT__KEY={key}\n")
    assert vault_keys(loaded(tmp_path, "vault: {key_file: key}")) == vault_keys(
        loaded(tmp_path, "", VAULT__KEY=key)
    )
    with pytest.raises(ConfigurationError, match="cannot be read"):
        vault_keys(loaded(tmp_path, "vault: {key_file: nowhere}"))


def test_former_keys_come_after_the_present_one(tmp_path: Path) -> None:
    now, before = new_key(), new_key()
    keys = vault_keys(loaded(tmp_path, "", VAULT__KEY=now, VAULT__OLD_KEYS=json.dumps([before])))
    assert len(keys) == 2
    assert keys[0] != keys[1]


# --- what the services get


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.0.0.1", ("10.0.0.1", 53)),
        ("10.0.0.1:5300", ("10.0.0.1", 5300)),
        ("::1", ("::1", 53)),
        ("[::1]:5300", ("::1", 5300)),
        ("[::1]", ("::1", 53)),
        (" dns.test:1 ", ("dns.test", 1)),
    ],
)
def test_endpoints(text: str, found: tuple[str, int]) -> None:
    assert host_and_port(text, 53) == found


@pytest.mark.parametrize("text", ["", ":53", "a:b", "a:99999", "[]"])
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match="ADDRESS or ADDRESS:PORT"):
        host_and_port(text, 53)


def test_every_group_reaches_the_services(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        """
platform: {name_servers: [ns1.p.test], addresses: [10.0.0.1, "::1"], cname_target: edge.p.test, admin_url: "https://a.p.test/s/{store}"}
acme: {key_type: rsa-3072, challenges: dns-01, cas: [{name: x, directory: "https://ca.test/d", ca_bundle: r.pem}]}
policy: {blocked_names: ["*.x.test"], max_names: 7}
dns: {update: {server: "10.0.0.2:54", key_name: k, key_secret: s}}
probe: {allow_networks: 10.0.0.0/8}
renewal: {backoff_minutes: [2, 20], strikes: 5, lease_seconds: 30, dns_recheck_minutes: 30}
slack: {bot_token: xoxb-1, support: [U1], merchants: {U2: [moon]}}
""",
    )
    platform, issuing, renewing = settings.platform(found), settings.issuing(found), settings.renewing(found)
    assert platform.addresses == (ip_address("10.0.0.1"), ip_address("::1"))
    assert platform.admin_url == "https://a.p.test/s/{store}"
    assert (issuing.key_type, issuing.challenges, issuing.max_names) == ("rsa-3072", ("dns-01",), 7)
    assert renewing.backoff == (timedelta(minutes=2), timedelta(minutes=20))
    assert (renewing.strikes, renewing.lease, renewing.dns_recheck) == (
        5,
        timedelta(seconds=30),
        timedelta(minutes=30),
    )
    [ca] = settings.cas(found)
    assert ca.ca_bundle == tmp_path.resolve() / "r.pem"
    update = settings.dns(found).update
    assert update is not None
    assert (update.server, update.port) == ("10.0.0.2", 54)
    assert settings.probing(found).allow_networks == (ip_network("10.0.0.0/8"),)
    slack = settings.slack(found)
    assert slack.mode == "http"
    assert slack.merchants == {"U2": ("moon",)}
    assert settings.slack(loaded(tmp_path)).mode == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CERTDESK_DNS__UPDATE", "SEKRET"),
        ("CERTDESK_SLACK", "SEKRET"),
        ("CERTDESK_DATABASE__URL", "postgres://user:SEKRET/x@host/db"),
        ("CERTDESK_DATABASE__URL", "postgres://user:x@SEKRET@host/db"),
        ("CERTDESK_DATABASE__URL", "postgres://host/db?password=SEKRET"),
    ],
)
def test_what_may_be_a_secret_is_not_shown_wherever_it_stands(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({name: value}, tmp_path)
    assert "SEKRET" not in str(caught.value)
    assert name.removeprefix("CERTDESK_").lower().replace("__", ".") in str(caught.value)


def test_a_mistake_in_yaml_names_its_place_and_not_its_line(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("slack:\n  bot_token: xoxb-SEKRET: oops\n")
    with pytest.raises(ConfigurationError, match=r"in line 2, column \d+\.$") as caught:
        load({}, tmp_path)
    assert "SEKRET" not in str(caught.value)


def test_lists_and_people_may_be_given_plainly_in_the_environment(tmp_path: Path) -> None:
    env = {"CERTDESK_SLACK__SUPPORT": "U1, U2", "CERTDESK_SLACK__MERCHANTS__U0123": "moon"}
    slack = load(env, tmp_path).config.slack
    assert slack.support == ("U1", "U2")
    assert slack.merchants == {"U0123": ("moon",)}


NAMES_FOR_IDS = [
    (
        "CERTDESK_SLACK__ADMINS",
        "mina",
        "slack.admins[0]",
        "the id of a person or a user group in Slack is needed",
    ),
    ("CERTDESK_SLACK__ADMINS", '["U1", "mina"]', "slack.admins[1]", "such as U0123456789 or S0123456789"),
    ("CERTDESK_SLACK__SUPPORT", '["@mina"]', "slack.support[0]", "not its name"),
    ("CERTDESK_SLACK__SUPPORT", '[""]', "slack.support[0]", "it must not be empty"),
    ("CERTDESK_SLACK__ONCALL", "C0123", "slack.oncall[0]", "not its name"),
    (
        "CERTDESK_SLACK__STAFF_CHANNELS",
        '["#x"]',
        "slack.staff_channels[0]",
        "the id of a Slack channel is needed",
    ),
    ("CERTDESK_SLACK__CANARY_CHANNEL", "#x", "slack.canary_channel", "the id of a Slack channel is needed"),
    ("CERTDESK_SLACK__TEAM", "my-team", "slack.team", "the id of a Slack workspace is needed"),
    ("CERTDESK_SLACK__APP_ID", "certdesk", "slack.app_id", "the id of a Slack app is needed"),
    (
        "CERTDESK_SLACK__MERCHANTS",
        '{"sora": ["moon"]}',
        "slack.merchants",
        "'sora' does not do: the id of a person",
    ),
    ("CERTDESK_SLACK__MERCHANTS", '{"uma": ["moon"]}', "slack.merchants", "'uma' does not do"),
    ("CERTDESK_SLACK__MERCHANTS", '{"S01": ["moon"]}', "slack.merchants", "not a name"),
    ("CERTDESK_SLACK__MERCHANTS", '{"my/U01": ["moon"]}', "slack.merchants", "T0123456789/U0123456789"),
    ("CERTDESK_SLACK__MERCHANTS", '{"T01/": ["moon"]}', "slack.merchants", "not a name"),
]


@pytest.mark.parametrize(("variable", "value", "key", "sentence"), NAMES_FOR_IDS)
def test_a_name_where_slack_knows_an_id_is_refused(
    tmp_path: Path, variable: str, value: str, key: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({variable: value}, tmp_path)
    assert f"  {key}: " in str(caught.value)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "person", ["U0123", "W0123", "T0456/U0789", "E0456/W0789", "u0123", "t0456/u0789", "uabcdefgh"]
)
def test_a_merchant_is_an_id_in_the_case_that_the_environment_leaves(tmp_path: Path, person: str) -> None:
    slack = load({"CERTDESK_SLACK__MERCHANTS": json.dumps({person: "moon"})}, tmp_path).config.slack
    assert slack.merchants == {person.upper(): ("moon",)}


# --- alerts and politeness


def test_alerts_reach_the_services(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        """
acme: {cas: [{name: x, directory: "https://ca.test/d", profile: shortlived, limits: {orders: 300/3h, set: 5 per 7D}}]}
dns: {per_server: 3, authority_port: 5300}
renewal: {watch_hours: 12}
rdap: {servers: {test: "http://127.0.0.1:9000/"}, timeout: 2}
alerts:
  channel: C1
  routes: [{channel: C2, owners: merchant, severity: Urgent, codes: "dns.*", tags: [enterprise]}]
  warning_days: 14
  confirm_minutes: 5
  settle_seconds: 2
  manager_group: S9
  webhooks: [{name: pager, kind: pagerduty, secret: key}, {name: own, kind: json, url: "http://127.0.0.1:9/", secret: k, severity: urgent}]
  digest: {daily: 10:30, weekly: Friday, timezone: Asia/Seoul, quiet: false}
""",
    )
    alerting = settings.alerting(found)
    assert alerting.routes[0].severity is Severity.URGENT
    assert (alerting.routes[0].owners, alerting.routes[0].tags) == (("merchant",), ("enterprise",))
    assert (alerting.warning, alerting.urgent) == (timedelta(days=14), timedelta(days=7))
    assert (alerting.confirm, alerting.settle) == (timedelta(minutes=5), timedelta(seconds=2))
    assert [hook.url for hook in alerting.hooks] == [PAGERDUTY, "http://127.0.0.1:9/"]
    assert [hook.severity for hook in alerting.hooks] == [Severity.CRITICAL, Severity.URGENT]
    assert (alerting.digest_daily, alerting.digest_weekly) == ("10:30", "friday")
    assert (alerting.timezone, alerting.digest_quiet) == ("Asia/Seoul", False)
    [ca] = settings.cas(found)
    assert ca.limits == {"orders": (300, timedelta(hours=3)), "set": (5, timedelta(days=7))}
    assert ca.max_names == 25
    assert settings.dns(found).per_server == 3
    assert settings.renewing(found).watch == timedelta(hours=12)
    assert settings.rdap(found) == RdapSettings({"test": "http://127.0.0.1:9000/"}, 2)
    assert "key" not in repr(alerting.hooks)


def test_without_settings_the_services_own_defaults_hold(tmp_path: Path) -> None:
    assert settings.alerting(loaded(tmp_path)) == Alerting()
    [ca] = settings.cas(loaded(tmp_path))
    assert ca.limits["orders"] == (300, timedelta(hours=3))
    assert ca.max_names == 100


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("300 per 3h", timedelta(hours=3)),
        ("300/3h", timedelta(hours=3)),
        ("300 per h", timedelta(hours=1)),
        ("300 per 90 m", timedelta(minutes=90)),
        ("300 PER 7D", timedelta(days=7)),
    ],
)
def test_limits_are_written_as_people_say_them(given: str, found: timedelta) -> None:
    assert Limits.model_validate({"orders": given}).orders == (300, found)


@pytest.mark.parametrize("given", ["", "300", "0 per 3h", "300 per 0h", "300 per 3w", "many", "-1 per 3h"])
def test_what_is_no_limit(given: str) -> None:
    with pytest.raises(ValueError, match="300 per 3h"):
        Limits.model_validate({"orders": given})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://[::1]/", "http://localhost:80/x", "https://h.test"]
)
def test_where_webhooks_may_go(url: str) -> None:
    assert Webhook(name="w", kind="json", url=url, secret="s").url == url


@pytest.mark.parametrize(
    "url", ["", "http://10.0.0.1/", "https://", "ftp://h.test", "https://h.test:x/", "https://[x/"]
)
def test_where_webhooks_may_not_go(url: str) -> None:
    with pytest.raises(ValueError, match="https:// URL is needed"):
        Webhook(name="w", kind="json", url=url, secret="s")


@pytest.mark.parametrize(
    "url",
    ["https://a.test/stores", "a.test/{store}", "https://a.test/{store}/{store}", "ftp://a.test/{store}"],
)
def test_a_stores_page_needs_one_place_for_the_store(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"platform.admin_url.*\{store\} stands once"):
        loaded(tmp_path, f'platform: {{admin_url: "{url}"}}')
