"""Where an alert is told: every route that fits, or the one channel for all else; webhooks by severity. Pure."""

from collections.abc import Collection
from fnmatch import fnmatchcase

from services.alerting.causes import OWN_HEALTH
from services.model.alerts import Severity
from services.model.findings import Owner
from services.model.settings import Alerting, Route

LEAST = Severity.WARNING
"""Nothing is told below this, whatever a route says."""


def channels_for(
    code: str, owner: Owner, severity: Severity, tags: Collection[str], policy: Alerting
) -> tuple[str, ...]:
    """Return the ids of the channels that an alert is told in, each once, in the order of the routes.

    ``tags``: those of the stores concerned. Without a route that fits it is `Alerting.channel`; empty if that is not set.
    """
    if severity < LEAST:
        return ()
    routed = (route.channel for route in policy.routes if fits(route, code, owner, severity, tags))
    found = tuple(dict.fromkeys(channel for channel in routed if channel))
    return found or ((policy.channel,) if policy.channel else ())


def fits(route: Route, code: str, owner: Owner, severity: Severity, tags: Collection[str]) -> bool:
    """Tell whether a route takes such an alert: every condition that it has holds."""
    return (
        severity >= route.severity
        and (not route.owners or owner.value in route.owners)
        and (not route.codes or any(fnmatchcase(code, pattern) for pattern in route.codes))
        and (not route.tags or not {*route.tags}.isdisjoint(tags))
    )


def tags_in_use(policy: Alerting) -> tuple[str, ...]:
    """Return the tags that any route asks for, sorted."""
    return tuple(sorted({tag for route in policy.routes for tag in route.tags}))


def hooks_for(code: str, severity: Severity, policy: Alerting) -> tuple[str, ...]:
    """Return the names of the webhooks that are told of an alert: of certdesk's own health every one, whatever it asks for.

    A dead man's switch that Slack cannot show has no other way out.
    """
    if severity < LEAST:
        return ()
    return tuple(hook.name for hook in policy.hooks if severity >= hook.severity or code in OWN_HEALTH)


def mentions(severity: Severity, policy: Alerting) -> tuple[str, ...]:
    """Return the ids of the user groups that are called: on-call from urgent on, the managers when it is critical."""
    groups = (
        (Severity.URGENT, policy.oncall_group),
        (Severity.CRITICAL, policy.manager_group),
    )
    return tuple(group for least, group in groups if group and severity >= least)
