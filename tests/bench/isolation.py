"""What an outsider could learn by the clock: times of answers about another store's names beside those about nobody's.

And what identity costs: look-ups in Slack for each 1,000 commands.

Each way to ask is taken from the tables of the isolation matrix. Names of another store and of nobody are asked for in turns, in
an order that chance decides; and so that the bench itself is measured too, those of nobody are two groups, asked for alike: what one
time tells about which of these two it was is the control, and nothing more may be told about another store.
"""

import random
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

from bot.slack.clients import asking_client
from bot.slack.identity import Identity
from bot.slack.rooms import SlackRooms
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import alone
from commands import requests
from commands.caller import Caller, Role
from commands.home import look
from services import home
from services.desk import Desk
from services.model.identity import new_id
from services.ports import Request
from storage.database import Database
from tests.bench.figures import aim, median, table
from tests.desks import MOON, Bench
from tests.unit.commands_world import DAY, desk_of
from tests.unit.isolation_ways import WAYS
from tests.unit.isolation_world import ADMIN_URL, OWN, PEOPLE, Given, Seen, put_into
from tests.unit.slack_connect import HOST, channel_info, member
from tests.unit.slack_world import FakeClock, SlackApi, ok

STORES = 120
"""Of others; and so many ids of nobody in each of two groups."""
ROUNDS, MORE = 100, 8
"""How often each way is tried with each of the three groups; and how many times as often where something seems to be told."""
SURE = 3.0
"""Standard errors from a coin's at which something seems to be told: of 70 rows one in five runs has one by chance, and it is then asked anew."""
PEOPLE_ASKING, CHANNELS, COMMANDS = 50, 10, 1000
AIM_LOOKUPS = 100
"""Look-ups for 1,000 commands within five minutes, by 50 people in 10 channels of 10."""
MANY = Caller("T1/U_MANY", Role.MERCHANT, frozenset({OWN, *(f"shop{number}" for number in range(60))}))
ASKERS: Mapping[str, Caller] = {"": MOON, " (of 61 stores)": MANY}


def bench(folder: Path) -> bool:
    """Print both, and tell whether the aims hold."""
    storage = Database.open(f"sqlite:///{folder}/bench.db")
    try:
        held = _times(World.made(storage))
    finally:
        storage.close()
    return lookups(folder) and held


# --- the clock -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """A platform of many stores, and ids of nobody that look the same."""

    desk: Desk
    bench: Bench
    groups: tuple[Sequence[str], Sequence[str], Sequence[str]]
    """Ids of other stores, and twice of nobody."""
    certificates: Mapping[str, str]
    """The certificate that each of them has, or could have."""
    chance: random.Random

    @classmethod
    def made(cls, storage: Database) -> "World":
        """Fill an empty database."""
        chance = random.Random(4)  # noqa: S311 - which names are asked for is no secret
        ids = [f"q{number:03}" for number in range(3 * STORES)]
        chance.shuffle(ids)
        groups = ids[:STORES], ids[STORES : 2 * STORES], ids[2 * STORES :]
        bench = Bench(storage)
        for store in (OWN, *groups[0]):
            put_into(bench, store)
        known = {one.store: one.id for one in bench.certificates() if one.wanted[0].startswith("bad.")}
        platform = replace(bench.desk.platform, admin_url=ADMIN_URL)
        desk = replace(desk_of(bench), platform=platform)
        certificates = {store: known.get(store) or new_id("cert") for store in ids}
        return cls(desk, bench, groups, certificates, chance)


@dataclass(frozen=True)
class Told:
    """What the times of a row tell: of another store or nobody, and of one nobody or another."""

    theirs: float
    nobodys: float
    """Microseconds, the medians."""
    guess: float
    control: float
    error: float
    """The standard error of a coin's guesses."""

    @property
    def seems(self) -> bool:
        """Whether it seems to tell something."""
        return abs(self.guess - 0.5) > SURE * self.error


def _times(world: World) -> bool:
    rows = _rows()
    for some in rows.values():  # what is loaded once
        _measured(world, some, 5)
    found = {row: _measured(world, some, ROUNDS) for row, some in rows.items()}
    again = [row for row, told in found.items() if told.seems]
    found |= {row: _measured(world, rows[row], ROUNDS * MORE) for row in again}
    table(
        ("asked by a merchant", "another store's", "nobody's", "guessed right", "control", "noise"),
        [_line(row, told) for row, told in found.items()],
    )
    if again:
        print(
            f"  measured again with {MORE} times as many, because they seemed to tell something: {', '.join(again)}\n"
        )
    whole = sum(told.guess for told in found.values()) / len(found)
    control = sum(told.control for told in found.values()) / len(found)
    noise = sqrt(sum(told.error**2 for told in found.values())) / len(found)
    print(f"  all together: guessed right {whole:.4f}, control {control:.4f}, noise {noise:.4f}\n")
    return aim(
        "by the time of an answer nobody can tell another store's name from nobody's: it tells no more than the control",
        holds=not any(told.seems for told in found.values()) and abs(whole - 0.5) <= SURE * noise,
    )


def _line(row: str, told: Told) -> tuple[str, ...]:
    return (
        row,
        f"{told.theirs:.0f} us",
        f"{told.nobodys:.0f} us",
        f"{told.guess:.3f}",
        f"{told.control:.3f}",
        f"{told.error:.3f}",
    )


Way = tuple[str, Given, Caller]


def _rows() -> dict[str, list[Way]]:
    """Return the ways of every command and family of clicks by each asker, and of every sheet and link by one."""
    rows: dict[str, list[Way]] = {}
    for kind, ways in WAYS.items():
        askers = ASKERS if kind in (requests.COMMAND, requests.CLICK) else {"": MOON}
        for name, some in ways.items():
            label = f"/ssl {name}" if kind == requests.COMMAND else f"{kind} {name.partition('.')[0]}"
            for words, caller in askers.items():
                rows.setdefault(label + words, []).extend((kind, given, caller) for given in some)
    return rows


def _measured(world: World, ways: Sequence[Way], rounds: int) -> Told:
    """Ask in each way so often, about names of others and of nobody in turns, in an order that chance decides."""
    rights, errors = [], []
    all_times: tuple[list[float], list[float], list[float]] = ([], [], [])
    for way in ways:
        times: tuple[list[float], list[float], list[float]] = ([], [], [])
        for _ in range(rounds):
            for group in world.chance.sample(range(3), 3):
                times[group].append(_asked(world, way, world.chance.choice(world.groups[group])))
        theirs, one, other = times
        rights.append((distinguished(theirs, one + other), distinguished(one, other)))
        errors.append(sqrt((3 * rounds + 1) / (24 * rounds * rounds)))
        for group in range(3):
            all_times[group].extend(times[group])
    return Told(
        median(all_times[0]),
        median(all_times[1] + all_times[2]),
        sum(guess for guess, _ in rights) / len(rights),
        sum(control for _, control in rights) / len(rights),
        sqrt(sum(error**2 for error in errors)) / len(errors),
    )


def _asked(world: World, way: Way, store: str) -> float:
    """Ask about a store; return the microseconds from when a worker has the request until the answer is kept, and Home made."""
    kind, given, caller = way
    sent = given.filled(store, world.certificates[store])
    request, screens = _claimed(world, kind, sent, caller), Seen()
    began = time.perf_counter()
    requests.perform(world.desk, request, caller, PEOPLE, screens, rooms=screens, uploads=sent)
    took = time.perf_counter() - began
    if kind in (requests.CLICK, requests.HOME):
        took += _home(world, caller)
    return took * 1e6


def _home(world: World, caller: Caller) -> float:
    """Make the Home tab if it is owed; return the seconds that it took."""
    with world.desk.storage.write() as tx:
        owed = tx.outbox.claim(world.bench.now, DAY, 10, via=home.HOME)
    began = time.perf_counter()
    for message in owed:
        look(world.desk, caller, message)
    took = time.perf_counter() - began
    with world.desk.storage.write() as tx:
        for message in owed:
            tx.outbox.delivered(message, "shown", final=False)
    return took


def _claimed(world: World, kind: str, sent: Given, caller: Caller) -> Request:
    id_, (team, _, user) = new_id("req"), caller.person.rpartition("/")
    request = Request(
        id_, id_, team, user, "C1", sent.text, world.bench.now, kind=kind, trigger="t",
        view="V1" if sent.form else "", form=sent.form,
    )  # fmt: skip
    with world.desk.storage.write() as tx:
        tx.requests.add(request)
        [claimed] = tx.requests.claim(world.bench.now, DAY, 10)
    return claimed


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
        api.tell("usergroups.users.list", ok(users=[f"U{number}" for number in range(PEOPLE_ASKING)]))
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
    weights = [1 / (1 + number) for number in range(PEOPLE_ASKING)]
    for number in range(COMMANDS):
        [who] = chance.choices(range(PEOPLE_ASKING), weights)
        where = f"C{chance.randrange(CHANNELS)}"
        identity.caller(Request(f"req_{number}", str(number), HOST, f"U{who}", where, "status", clock()))
        room(where)
        clock.advance(seconds=seconds / COMMANDS)
