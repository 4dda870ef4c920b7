"""What answers at addresses that are not the platform's: evidence beside the finding that says so, and no more."""

from collections.abc import Mapping
from typing import Any

from services.checks import views
from services.checks.access import errand
from services.checks.access_walk import Errand, proves
from services.checks.case import Case
from services.checks.reach import may_be_used
from services.checks.rules import canonical, parsed

MOST_ASKED = 4
"""Strange addresses that are asked; a name has hardly ever more."""


def gather(case: Case) -> Mapping[str, Mapping[str, Any]]:
    """Return, by address, what plain HTTP answers there for the name; only addresses that may be used are asked.

    Empty where nothing is connected to, or where the platform's own addresses are not configured.
    """
    facts, platform = views.gather(case), case.world.platform
    asked = errand(case, facts.asked, facts.shown)
    if asked is None or not platform.addresses:
        return {}
    ours = {canonical(str(address)) for address in platform.addresses}
    strange = [a for a in (*facts.found(views.v4), *facts.found(views.v6)) if a not in ours]
    allowed = case.world.probing.allow_networks
    usable = [address for address in strange if may_be_used(parsed(address), allowed)][:MOST_ASKED]
    return dict(zip(usable, case.visit(lambda address: _ask(case, asked, address), usable), strict=True))


def _ask(case: Case, asked: Errand, address: str) -> Mapping[str, Any]:
    fetched = asked.web.get("http", parsed(address), case.world.probing.http_port, asked.name, asked.path)
    if fetched.error:
        return {"error": fetched.error, "detail": fetched.detail}
    told = {"server": fetched.server, "location": asked.told(fetched.location)}
    # a proxy in front of the platform answers with the proof: that tells the engineer how the name is set up
    return {
        "status": fetched.status,
        **{key: value for key, value in told.items() if value},
        "leads_to_us": proves(fetched, asked.proof),
    }
