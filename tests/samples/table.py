"""All samples: one table of what is made, and of what there has to be a sample.

A new message or view is added here once. Then it is judged by all who take their samples from here: that no English leaks
(tests/unit/test_leaks.py), that Slack's limits are kept in every language (tests/unit/test_slack_samples.py), and that Slack's
own types know it (tests/integration/test_slack_types.py). What is missing here fails tests/unit/test_slack_samples.py.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial

from commands import live, messages, unfurling
from commands.proposables import PROPOSABLES
from commands.sheets import SHEETS
from services.model.findings import CODES
from services.model.jobs import JobState
from services.model.lifecycle import State
from services.model.proposals import Stage
from tests.samples import alarms, asked, recalls, rollbacks, scanned, work, workspaces
from tests.samples.sample import Sample
from tests.unit.isolation_ways import CASES, IDS

SAMPLES: Mapping[str, Callable[[], Iterable[Sample]]] = {
    # every way to ask
    **{name: partial(asked.asked, kind, given) for name, (kind, _, given) in zip(IDS, CASES, strict=True)},
    "menus": asked.menus,
    "names to be ticked": asked.names,
    "home tabs": asked.homes,
    # certificates at work
    **{f"{verb} {state}": partial(work.at_work, verb, state) for verb in ("add", "renew") for state in State},
    # what waits for a yes, and the jobs that come of it
    **{
        f"yes to {action} {number}": partial(work.waits, wish)
        for action, wishes in work.WISHES.items()
        for number, wish in enumerate(wishes)
    },
    "a proposal that is gone": work.gone,
    "what a CA recalls": recalls.plans,
    "a roll-back gets on": rollbacks.got_on,
    "a roll-back ends otherwise": rollbacks.ended_otherwise,
    # alerts, and what is told because of them
    **{f"alert {code}": partial(alarms.alert, code) for code in sorted(CODES)},
    "alert of many": alarms.many,
    "for merchants": alarms.to_merchants,
    "scans": scanned.news,
    "digest": alarms.summaries,
    "hand-overs": alarms.hand_overs,
    # other workspaces, links to stores, and what is not shown any more
    "news of a workspace": workspaces.news,
    "end of a token": workspaces.endings,
    "requests for links": workspaces.requests,
    "not shown any more": workspaces.endmost,
}
"""What makes the samples, by a name for them."""

NEEDED = frozenset(
    {
        *(f"message {kind}" for kind in messages.COMPOSERS),
        *(f"modal {kind}" for kind in live.KINDS),
        *(f"sheet {name}" for name in (*SHEETS, "menu", live.NOTE)),
        *(f"proposal {action} {stage}" for action in PROPOSABLES for stage in Stage),
        *(f"job {state}" for state in JobState),
        *(f"link {kind}" for kind in unfurling.KINDS),
        "home",
    }
)
"""Of what there has to be a sample (`Sample.of`)."""


@cache
def made(name: str) -> tuple[Sample, ...]:
    """Return the samples of this name, each once; they are made once for all who judge them."""
    return tuple({(one.of, repr(one.shown)): one for one in SAMPLES[name]()}.values())
