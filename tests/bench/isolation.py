"""What an outsider could learn by the clock: times of answers about another store's names beside those about nobody's.

And what identity costs: look-ups in Slack for each 1,000 commands.
"""

import random
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bot.slack.clients import asking_client
from bot.slack.identity import Identity
from bot.slack.rooms import SlackRooms
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import alone
from commands.caller import Caller, Role
from commands.dispatch import dispatch
from services.desk import Desk
from services.model.certificates import Certificate
from services.model.settings import Alerting
from services.model.stores import Domain, Store
from services.ports import Request
from storage.database import Database
from tests.bench.figures import aim, median, table
from tests.desks import NOW, Bench
from tests.unit.slack_connect import HOST, channel_info, member
from tests.unit.slack_world import FakeClock, SlackApi, ok

STORES, NAMES = 500, 4
ROUNDS = 1500
VERBS = ("status", "history", "renew", "add", "link")
AIM_RATIO, AIM_GUESS = 0.1, 0.1
"""Medians may differ by so much of themselves; and who guesses by one answer's time may be right so much more often than by a coin."""
PEOPLE, CHANNELS, COMMANDS = 50, 10, 1000
AIM_LOOKUPS = 100
"""Look-ups for 1,000 commands within five minutes, by 50 people in 10 channels of 10."""


def bench(folder: Path) -> bool:
    """Print both, and tell whether the aims hold."""
    storage = Database.open(f"sqlite:///{folder}/bench.db")
    try:
        held = _times(replace(Bench(storage).desk, alerting=Alerting(support_channel="C_SUPPORT")))
    finally:
        storage.close()
    return lookups(folder) and held


# --- the clock -------------------------------------------------------------------------------------------------------


def _times(desk: Desk) -> bool:
    chance = random.Random(4)  # noqa: S311 - which names are asked for is no secret
    numbers = list(range(1, 2 * STORES))
    chance.shuffle(numbers)  # so that names of others and of nobody are as like the asker's own
    here, nowhere = numbers[: STORES - 1], numbers[STORES - 1 :]
    _filled(desk, (0, *here))
    merchant = Caller("T1/U1", Role.MERCHANT, frozenset({"store0000"}))
    rows, held = [], []
    for verb in VERBS:
        theirs, nobodys = _asked(desk, merchant, verb, (here, nowhere), chance)
        ratio, guess = median(theirs) / median(nobodys), distinguished(theirs, nobodys)
        rows.append(
            (verb, f"{median(theirs):.0f} us", f"{median(nobodys):.0f} us", f"{ratio:.3f}", f"{guess:.3f}")
        )
        held.append(abs(ratio - 1) <= AIM_RATIO and abs(guess - 0.5) <= AIM_GUESS)
    table(("command", "another store's", "nobody's", "ratio", "guessed right"), rows)
    return aim("by the time of an answer nobody can tell another store's name from nobody's", holds=all(held))


def _filled(desk: Desk, numbers: Sequence[int]) -> None:
    with desk.storage.write() as tx:
        for number in numbers:
            tx.stores.put(Store(f"store{number:04}"))
            for each in range(NAMES):
                tx.stores.put_domain(Domain(f"shop{each}.s{number:04}.test", f"store{number:04}"))
            tx.certificates.add(
                Certificate(
                    f"cert_{number}",
                    f"store{number:04}",
                    f"s{number:04}.test",
                    (f"shop0.s{number:04}.test",),
                    NOW,
                    NOW,
                )
            )


def _asked(
    desk: Desk, caller: Caller, verb: str, numbers: tuple[list[int], list[int]], chance: random.Random
) -> tuple[list[float], list[float]]:
    """Ask for names of others and of nobody in turns, in an order that chance decides; return microseconds."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * ROUNDS):
        known = number % 2 == 0 if chance.random() < 0.5 else number % 2 == 1
        at = chance.choice(numbers[0 if known else 1])
        word = f"store{at}" if verb == "link" else f"shop{chance.randrange(NAMES)}.s{at:04}.test"
        began = time.perf_counter()
        dispatch(f"{verb} {word}", caller, desk)
        found[known].append((time.perf_counter() - began) * 1e6)
    # the first ones load what is loaded once
    return found[True][50:], found[False][50:]


def distinguished(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how often somebody is right who says of two times, one of each kind, which is which: 0.5 is a coin's (Mann-Whitney)."""
    ranked = sorted(other)
    above = sum(bisect_left(ranked, value) + bisect_right(ranked, value) for value in one)
    return above / (2 * len(one) * len(other))


# --- look-ups --------------------------------------------------------------------------------------------------------


def lookups(_: Path) -> bool:
    """Print how often Slack is asked about persons, groups and channels for 1,000 commands."""
    rows = [_lookups(seconds) for seconds in (300, 3600)]
    table(("1,000 commands within", "persons", "groups", "channels", "all"), rows)
    return aim(
        f"{AIM_LOOKUPS} look-ups at the most for 1,000 commands in five minutes",
        holds=int(rows[0][4]) <= AIM_LOOKUPS,
    )


def _lookups(seconds: int) -> tuple[str, ...]:
    api, clock = SlackApi(), FakeClock()
    try:
        api.tell("auth.test", ok(team_id=HOST))
        api.tell("users.info", ok(user=member("U")))
        api.tell("usergroups.users.list", ok(users=[f"U{number}" for number in range(PEOPLE)]))
        api.tell("conversations.info", ok(channel=channel_info("C", is_private=True)))
        api.tell("conversations.members", ok(members=[f"U{number}" for number in range(10)]))
        settings = SlackSettings(api_url=api.url, bot_token="xoxb-bench", roles={Role.SUPPORT: ("S1",)})
        client = asking_client(settings)
        identity = Identity(client, settings, clock)
        rooms = SlackRooms(alone(client), settings, identity.reader, clock)
        _worked(identity, rooms.room, clock, seconds)
        asked = api.methods
    finally:
        api.stop()
    persons = asked.count("users.info")
    groups = asked.count("usergroups.users.list") + asked.count("auth.test")
    channels = asked.count("conversations.info") + asked.count("conversations.members")
    return f"{seconds // 60} minutes", str(persons), str(groups), str(channels), str(len(asked))


def _worked(identity: Identity, room: Callable[[str], object], clock: FakeClock, seconds: int) -> None:
    """Have people type 1,000 commands, some of them far more often than others."""
    chance = random.Random(5)  # noqa: S311 - who types is no secret
    weights = [1 / (1 + number) for number in range(PEOPLE)]
    for number in range(COMMANDS):
        [who] = chance.choices(range(PEOPLE), weights)
        where = f"C{chance.randrange(CHANNELS)}"
        identity.caller(Request(f"req_{number}", str(number), HOST, f"U{who}", where, "status", clock()))
        room(where)
        clock.advance(seconds=seconds / COMMANDS)
