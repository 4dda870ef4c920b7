"""What somebody tries on another store leaves no trace in what its merchant is told, and sends its merchant nothing."""

import pytest

from commands.caller import Caller, Role
from commands.dispatch import dispatch
from services.ports import Message
from tests.desks import Bench
from tests.unit.commands_world import DAY, desk_of
from tests.unit.isolation_ways import CASES, IDS
from tests.unit.isolation_world import LIMITED, OTHER, Given, ask, world

QUIZ = Caller(f"T1/U_{OTHER}", Role.MERCHANT, frozenset({OTHER}))
LOOKS = (
    f"history {OTHER}.test",
    f"history bad.{OTHER}.example",
    "status",
    "report",
    f"links {OTHER}",
    "forecast",
)


def told(bench: Bench) -> list[str]:
    return [repr(dispatch(look, QUIZ, desk_of(bench), "C1")) for look in LOOKS]


def owed(bench: Bench) -> list[Message]:
    with bench.storage.write() as tx:
        return list(tx.outbox.claim(bench.now + DAY, DAY, 1000))


@pytest.mark.parametrize(("kind", "name", "given"), CASES, ids=IDS)
@pytest.mark.parametrize("caller", LIMITED.values(), ids=list(LIMITED))
def test_a_merchant_learns_nothing_of_what_others_tried_on_their_store(
    caller: Caller, kind: str, name: str, given: Given
) -> None:
    bench = world()
    before = told(bench)
    owed(bench)
    ask(bench, kind, given, caller, OTHER)
    assert told(bench) == before, name
    theirs = (f"C_{OTHER}", f"U_{OTHER}")
    assert not [one for one in owed(bench) if {one.channel, one.user} & set(theirs)], name
