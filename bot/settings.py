"""From the configuration to what the services need of it: one function per group, no decisions."""

from datetime import timedelta
from pathlib import Path

from bot.config import Loaded
from bot.config_alerts import PAGERDUTY, Webhook
from bot.config_keys import Ca, host_and_port, minutes
from bot.slack.settings import SlackSettings
from bot.targets import TargetEntry
from commands.caller import Role
from services.model.alerts import Severity
from services.model.settings import (
    Alerting,
    Approving,
    CaSettings,
    DnsSettings,
    DnsUpdate,
    Hook,
    Issuing,
    Platform,
    Probing,
    RdapSettings,
    Renewing,
    Route,
    Scanning,
)

SHORT_PROFILES = frozenset({"tlsserver", "shortlived"})
"""Profiles of Let's Encrypt whose certificates have 25 names at most (letsencrypt.org/docs/profiles)."""


def platform(loaded: Loaded) -> Platform:
    """Return where stores' DNS and traffic should lead."""
    keys = loaded.config.platform
    return Platform(
        keys.name_servers, keys.addresses, keys.default_domains, keys.cname_target, keys.admin_url
    )


def cas(loaded: Loaded) -> tuple[CaSettings, ...]:
    """Return the CAs in order of preference."""
    return tuple(
        CaSettings(
            name=ca.name,
            directory=ca.directory,
            profile=ca.profile,
            eab_kid=ca.eab_kid,
            eab_hmac=ca.eab_hmac,
            ca_bundle=loaded.path(ca.ca_bundle) if ca.ca_bundle else None,
            caa_domains=ca.caa_domains,
            contact=ca.contact,
            limits={kind: limit for kind, limit in ca.limits if limit is not None},
            max_names=_max_names(ca),
        )
        for ca in loaded.config.acme.cas
    )


def _max_names(ca: Ca) -> int:
    return ca.max_names or (25 if ca.profile in SHORT_PROFILES else 100)


def dns(loaded: Loaded) -> DnsSettings:
    """Return how DNS is asked and written."""
    keys = loaded.config.dns
    update = None
    if keys.update is not None:
        server, port = host_and_port(keys.update.server, keys.update.port)
        update = DnsUpdate(server, keys.update.key_name, keys.update.key_secret, port, keys.update.algorithm)
    resolvers = tuple(host_and_port(text, 53) for text in keys.resolvers)
    return DnsSettings(resolvers, keys.delegation_from, keys.timeout, keys.per_server, update)


def rdap(loaded: Loaded) -> RdapSettings:
    """Return how registrations are looked up."""
    keys = loaded.config.rdap
    return RdapSettings(keys.servers, keys.timeout)


def probing(loaded: Loaded) -> Probing:
    """Return how what is served is looked at."""
    keys = loaded.config.probe
    bundle = loaded.path(keys.ca_bundle) if keys.ca_bundle else None
    return Probing(keys.http_port, keys.https_port, keys.allow_networks, bundle, keys.timeout)


def issuing(loaded: Loaded) -> Issuing:
    """Return what certificates are asked for."""
    acme, policy = loaded.config.acme, loaded.config.policy
    return Issuing(acme.key_type, acme.challenges, policy.blocked_names, policy.max_names)


def renewing(loaded: Loaded) -> Renewing:
    """Return when to renew and to try again."""
    keys = loaded.config.renewal
    return Renewing(
        backoff=tuple(minutes(value) for value in keys.backoff_minutes),
        dns_recheck=minutes(keys.dns_recheck_minutes),
        blocked_recheck=minutes(keys.blocked_recheck_minutes),
        strikes=keys.strikes,
        ari_every=timedelta(hours=keys.ari_hours),
        lease=timedelta(seconds=keys.lease_seconds),
        watch=timedelta(hours=keys.watch_hours),
        rollback_hold=timedelta(days=keys.rollback_hold_days),
        keep=timedelta(days=loaded.config.deploy.keep_days),
        many=keys.many,
        plan_width=keys.plan_width,
    )


def alerting(loaded: Loaded) -> Alerting:
    """Return who is told of what, and when."""
    keys = loaded.config.alerts
    return Alerting(
        channel=keys.channel,
        support_channel=keys.support_channel,
        routes=tuple(
            Route(route.channel, route.owners, Severity[route.severity.upper()], route.codes, route.tags)
            for route in keys.routes
        ),
        warning=timedelta(days=keys.warning_days),
        urgent=timedelta(days=keys.urgent_days),
        critical=timedelta(days=keys.critical_days),
        confirm=minutes(keys.confirm_minutes),
        reopen=minutes(keys.reopen_minutes),
        burst=keys.burst,
        settle=timedelta(seconds=keys.settle_seconds),
        oncall_group=keys.oncall_group,
        manager_group=keys.manager_group,
        hooks=tuple(_hook(webhook) for webhook in keys.webhooks),
        digest_daily=keys.digest.daily,
        digest_weekly=keys.digest.weekly,
        timezone=keys.digest.timezone,
        digest_quiet=keys.digest.quiet,
    )


def approving(loaded: Loaded) -> Approving:
    """Return what one person may do without another one's yes."""
    return Approving(loaded.config.approvals.alone)


def scanning(loaded: Loaded) -> Scanning:
    """Return how stores' pages are looked at; a theme's folder is absolute."""
    keys = loaded.config.scan
    source = keys.theme_source
    if source and "://" not in source:
        source = str(loaded.path(Path(source)))
    return Scanning(
        paths=keys.paths,
        pages=keys.pages,
        sheets=keys.sheets,
        lookups=keys.lookups,
        delay=keys.delay,
        timeout=keys.timeout,
        total=keys.total,
        page_bytes=keys.page_bytes,
        theme_source=source,
        automatic=keys.automatic,
        workers=keys.workers,
    )


def _hook(keys: Webhook) -> Hook:
    return Hook(keys.name, keys.kind, keys.url or PAGERDUTY, keys.secret, Severity[keys.severity.upper()])


def targets(loaded: Loaded) -> tuple[TargetEntry, ...]:
    """Return the deploy targets, with paths that are absolute."""
    return tuple(
        TargetEntry(target.name, target.kind, target.settings(loaded.path))
        for target in loaded.config.deploy.targets
    )


def slack(loaded: Loaded) -> SlackSettings:
    """Return how Slack is connected; no mode without a bot token."""
    keys = loaded.config.slack
    return SlackSettings(
        mode=keys.mode if keys.bot_token or keys.client_id else "",
        bot_token=keys.bot_token,
        signing_secret=keys.signing_secret,
        app_token=keys.app_token,
        api_url=keys.api_url,
        team=keys.team,
        roles={Role.ADMIN: keys.admins, Role.SUPPORT: keys.support, Role.ONCALL: keys.oncall},
        merchants=keys.merchants,
        client_id=keys.client_id,
        client_secret=keys.client_secret,
        redirect_url=keys.redirect_url,
        pkce=keys.pkce,
        command=keys.command,
        date_tokens=keys.date_tokens,
        canary_channel=keys.canary_channel,
        app=keys.app_id or _app_of(keys.app_token),
        link_domain=keys.link_domain.lower(),
        staff_channels=_staff_channels(loaded),
    )


def _app_of(token: str) -> str:
    """Return the app's id that stands in an app-level token, xapp-1-A0123-…; empty if it does not."""
    parts = token.split("-")
    return parts[2] if len(parts) > 3 and parts[0] == "xapp" and parts[2].startswith("A") else ""


def _staff_channels(loaded: Loaded) -> frozenset[str]:
    """Return the channels that are for the platform's own people: alerts of all stores stand in theirs anyway."""
    alerts = loaded.config.alerts
    told = (alerts.channel, alerts.support_channel, *(route.channel for route in alerts.routes))
    return frozenset((*loaded.config.slack.staff_channels, *(channel for channel in told if channel)))
