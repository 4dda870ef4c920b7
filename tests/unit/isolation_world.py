"""A platform of two stores, everybody who may ask, and every way to ask: what the isolation matrix is made of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from commands import requests
from commands.caller import Caller, Doubt, Role
from commands.command import People
from commands.dispatch import dispatch
from commands.hearing import Room
from commands.home import look
from commands.reply import Page, Reply, Sheet
from commands.uploads import Upload
from services import home, linking
from services.desk import Desk
from services.model.audiences import Kind, LinkRequest
from services.model.audit import Entry
from services.model.errors import CertdeskError
from services.model.findings import Owner
from services.model.jobs import Job
from services.model.lifecycle import State
from services.model.proposals import Decider, Proposal
from services.model.text import say
from services.ports import Request
from storage.memory import MemoryStorage
from tests.desks import MOON, NOW, STRANGER, SUPPORT, Bench, finding
from tests.questions import Counted
from tests.unit.commands_world import DAY, alert, desk_of, sighting

OWN, OTHER, UNKNOWN = "moon", "quiz", "dust"
"""Three stores; the names of each are made of its id, of one length, none of them near another."""
CALLERS: Mapping[str, Caller] = {
    "admin": Caller("T1/U_ADMIN", Role.ADMIN, None),
    "support": SUPPORT,
    "oncall": Caller("T1/U_ONCALL", Role.ONCALL, None),
    "merchant": MOON,
    "merchant of another organisation": Caller("T9/U_MOON", Role.MERCHANT, frozenset({OWN})),
    "merchant of many stores": Caller(
        "T1/U_MANY", Role.MERCHANT, frozenset({OWN, *(f"shop{number}" for number in range(60))})
    ),
    "nobody": STRANGER,
    "nobody knows": Caller("T1/U_GONE", Role.NOBODY, doubt=Doubt.PERSON),
}
"""At least one of every role."""
LIMITED = {name: caller for name, caller in CALLERS.items() if caller.limited}
ADMIN_URL = "https://admin.example.test/{store}"
PEOPLE: People = {"U0000NEW": "T9/U0000NEW"}.get
CHANNELS = ("C1", f"C_{OWN}", f"C_{OTHER}", "D1", "")
"""Of no store, of one's own, of another one, of nobody else's ears, and none at all."""


@dataclass
class Seen:
    """`commands.screens.Screens` and `commands.hearing.Rooms`: keeps what was shown."""

    shown: list[Sheet | Page | Reply] = field(default_factory=list)

    def sheet(self, _request: Request, sheet: Sheet) -> bool:
        self.shown.append(sheet)
        return True

    def page(self, _request: Request, page: Page) -> bool:
        self.shown.append(page)
        return True

    def unfurl(self, _request: Request, shown: Mapping[str, Reply]) -> bool:
        self.shown += shown.values()
        return True

    def room(self, _channel: str) -> Room:
        return Room(known=True, staff=True)


@dataclass(frozen=True)
class Told:
    """All that came of a request, with the store's id taken out."""

    message: str
    """The answer as the outbox has it; empty: none."""
    screens: str
    """What was shown in modals and in the Home tab."""
    audited: str
    """What the audit trail says of it: nobody but the platform's people reads it, but it must not be a difference either."""
    questions: tuple[str, ...]
    """What the database was asked, in this order."""

    @property
    def everything(self) -> str:
        return self.message + self.screens


def world(*stores: str) -> Bench:
    """Return a platform where both stores, or these alone, have certificates, trouble, links, a channel and an open request."""
    bench = Bench(MemoryStorage())
    for store in stores or (OWN, OTHER):
        put_into(bench, store)
    return bench


def put_into(bench: Bench, store: str) -> None:
    """Put a store on the platform, with certificates, trouble, links, a channel and an open request."""
    bench.store(store, f"{store}.test", f"shop.{store}.test", f"bad.{store}.example")
    dispatch(f"add {store}.test bad.{store}.example", SUPPORT, bench.desk)
    bench.install(f"{store}.test", f"{store}.test", serial=f"0a{store}")
    blocked = finding("dns.not_hosted", f"bad.{store}.example")
    bench.change(f"bad.{store}.example", [blocked], state=State.BLOCKED, problem=blocked)
    linking.link(bench.desk, Kind.PERSON, f"T1/U_{store}", store, "T1/U_SUPPORT")
    linking.link(bench.desk, Kind.CHANNEL, f"C_{store}", store, "T1/U_SUPPORT")
    _trouble(bench, store)


def _trouble(bench: Bench, store: str) -> None:
    """Put an alert of the store's alone, an open request for a link to it, and a row of the audit trail."""
    name = f"bad.{store}.example"
    made = alert(
        "dns.not_hosted",
        name,
        id=f"alert_{store}",
        owner=Owner.MERCHANT,
        wide=False,
        lead=finding("dns.not_hosted", name),
    )
    member = sighting(made, certificate=bench.certificate(name).id, store=store, name=name)
    with bench.storage.write() as tx:
        assert tx.alerts.add(made)
        tx.alerts.put_sighting(member)
        tx.links.ask(LinkRequest(f"link_{store}", STRANGER.person, store, "C1", NOW), NOW)
        unlink = {"kind": "person", "who": f"T1/U_{store}", "store": store, "stores": [store]}
        tx.proposals.add(
            Proposal(
                f"prop_{store}", "unlink", unlink, "T1/U_ADMIN", "admin", "C1", NOW, NOW + DAY, Decider.SELF
            )
        )
        tx.jobs.add(
            Job(f"job_{store}", "renew", {"code": "dns.lame", "stores": [store]}, "T1/U_ADMIN", NOW, 1), []
        )
        tx.audit.append(Entry(NOW, "T1/U_SUPPORT", "support", "add", f"{store}.test", "done"))


@dataclass(frozen=True)
class Given:
    """One use of a command, a click or a sheet; ``{}`` stands for the store's id, ``{cert}`` for its certificate's."""

    text: str = ""
    form: Mapping[str, Any] = field(default_factory=dict)
    upload: str = ""
    """The list that the person has put into the channel or into the modal; empty: none."""

    def latest(self, _channel: str, _person: str) -> Upload | None:
        """Be `commands.uploads.Uploads`."""
        return Upload("names.csv", self.upload.encode()) if self.upload else None

    def filled(self, store: str, certificate: str) -> "Given":
        """Return what is really sent for a store with this certificate."""

        def put(value: Any) -> Any:
            if isinstance(value, Mapping):
                return {key: put(one) for key, one in value.items()}
            if isinstance(value, list):
                return [put(one) for one in value]
            if isinstance(value, str):
                return value.replace("{cert}", certificate).replace("{}", store)
            return value

        return Given(put(self.text), put(self.form), put(self.upload))

    def handed_in(self, _channel: str, _file: str, _person: str) -> Upload:
        """Be `commands.uploads.Uploads`: the same list, put into a modal."""
        if not self.upload:
            raise CertdeskError(say("There is no such file."))
        return Upload("names.csv", self.upload.encode())


def filled(store: str, bench: Bench, given: Given) -> Given:
    """Return what is really sent for a store; a certificate of an unknown one has an id that leads nowhere."""
    known = {one.store: one.id for one in bench.certificates() if one.wanted[0].startswith("bad.")}
    return given.filled(store, known.get(store, "cert_" + "0" * 26))


def ask(bench: Bench, kind: str, given: Given, caller: Caller, store: str, channel: str = "C1") -> Told:
    """Send it in as Slack would, have a worker perform it, and return what came of it."""
    sent = filled(store, bench, given)
    team, _, user = caller.person.rpartition("/")
    view = "V1" if sent.form else ""
    request = Request(
        "req_1",
        "once",
        team,
        user,
        channel,
        sent.text,
        bench.now,
        kind=kind,
        trigger="t",
        view=view,
        form=sent.form,
    )
    counted = Counted(bench.storage)
    platform = replace(bench.desk.platform, admin_url=ADMIN_URL)
    desk = replace(desk_of(bench), storage=counted.port, platform=platform)
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, DAY, 10)
        last = tx.audit.last()
    screens = Seen()
    requests.perform(desk, claimed, caller, PEOPLE, screens, rooms=screens, uploads=sent)
    look_home(desk, caller, screens)
    with bench.storage.read() as tx:
        message = tx.outbox.by_key("request:req_1") or tx.outbox.by_key("view:req_1")
        entries = tx.audit.entries(last.number if last else 0)
    ids = {one.id: one.id[:5] for one in bench.certificates()}

    def bare(text: str) -> str:
        for one, short in ids.items():
            text = text.replace(one, short)
        return (
            text.replace("cert_" + "0" * 26, "cert_")
            .replace(store, "STORE")
            .replace(store.capitalize(), "STORE")
            .replace(store.upper(), "STORE")
        )

    told = (
        "" if message is None else json.dumps([message.kind, message.private, message.body], sort_keys=True)
    )
    rows = [(one.actor, one.role, one.action, one.subject, one.result, one.reason) for one in entries]
    return Told(bare(told), bare(repr(screens.shown)), bare(repr(rows)), tuple(counted.asked))


def look_home(desk: Desk, caller: Caller, screens: Seen) -> None:
    """Publish the Home tab if it is owed, as a worker does."""
    with desk.storage.write() as tx:
        owed = tx.outbox.claim(desk.clock(), DAY, 10, via=home.HOME)
    screens.shown += [look(desk, caller, message).page for message in owed]


def state(bench: Bench, store: str) -> object:
    """Return all that a request could change of a store."""
    with bench.storage.read() as tx:
        decided = tx.links.request(f"link_{store}")
        proposed = tx.proposals.get(f"prop_{store}")
        return (
            [one for one in bench.certificates() if one.store == store],
            tx.stores.get(store),
            tuple(tx.stores.domains(store)),
            tuple(tx.links.to(store)),
            decided and decided.decided_at,
            proposed and proposed.stage,
            tx.jobs.get(f"job_{store}"),
            tx.alerts.get(f"alert_{store}"),
        )
