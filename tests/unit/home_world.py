"""Homes for tests: who opens one, what is clicked in it, and what it shows then."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from bot.slack.limits import view_violations
from bot.slack.render_views import home as drawn
from commands import requests
from commands.caller import Caller, Role
from commands.home import Seen, look
from services import home
from services.desk import Desk
from services.issuance.adding import add
from services.model.certificates import Certificate
from services.model.lifecycle import State
from services.model.sight import EVERY
from services.model.stores import Store
from services.ports import Message, Request
from tests.desks import NOW, SUPPORT, Bench
from tests.unit.commands_world import desk_of, make_bench

ONCALL = Caller("T1/U_ONCALL", Role.ONCALL, None)
ADMIN = Caller("T1/U_ADMIN", Role.ADMIN, None)
LEASE = timedelta(minutes=1)


@dataclass
class HomeWorld:
    """A bench, and Homes of people over it; every view that is looked at keeps Slack's limits."""

    bench: Bench = field(default_factory=make_bench)
    clicks: int = 0

    @property
    def desk(self) -> Desk:
        return desk_of(self.bench)

    def fleet(self, count: int, store: str = "moon", state: State = State.INSTALLED, **changes: Any) -> None:
        """Put so many certificates, each with a name of its own."""
        with self.bench.storage.write() as tx:
            tx.stores.put(Store(store))
            for number in range(count):
                assert tx.certificates.add(self.certificate(number, store, state, **changes))

    def certificate(self, number: int, store: str, state: State, **changes: Any) -> Certificate:
        name = f"{store}{number:03}.test"
        live: dict[str, Any] = {"not_after": NOW + timedelta(days=60 + number / 100), "installed": "rev"}
        plain = Certificate(f"cert_{store}_{number:03}", store, name, (name,), NOW, NOW, state=state)
        return replace(plain, **((live if state is State.INSTALLED else {}) | changes))

    def add(self, *names: str, store: str = "moon") -> None:
        add(self.desk, names, store=store, visible=EVERY, actor="T1/U_SUPPORT")

    def open(self, caller: Caller) -> "View":
        self.perform(caller, "", kind="home")
        return self.published(caller)

    def click(self, caller: Caller, view: "View", text: str, **values: str) -> "View":
        """Click in a view; return what the person's Home shows then."""
        form = {"values": values, "memory": view.memory, "hash": "1", "kind": "home"}
        self.perform(caller, text, kind="click", form=form)
        return self.published(caller)

    def perform(self, caller: Caller, text: str, **changes: Any) -> None:
        self.clicks += 1
        team, _, user = caller.person.rpartition("/")
        number = f"req_{self.clicks}"
        request = replace(Request(number, number, team, user, "", text, self.bench.now), **changes)
        with self.bench.storage.write() as tx:
            assert tx.requests.add(request)
            [claimed] = tx.requests.claim(self.bench.now, LEASE, 5)
        requests.perform(self.desk, claimed, caller)

    def owed(self, after: timedelta = timedelta(0)) -> list[Message]:
        """Claim the Homes that would be published so long from now."""
        with self.bench.storage.write() as tx:
            now = self.bench.now + after - home.SETTLES
            return list(tx.outbox.claim(now, LEASE, 10, via=home.HOME))

    def published(self, caller: Caller) -> "View":
        """Return the one Home that is owed, as it is published to ``caller``."""
        [message] = self.owed()
        assert message.user == caller.person.rpartition("/")[2]
        seen = look(self.desk, caller, message)
        with self.bench.storage.write() as tx:
            tx.outbox.follow(message, sorted(seen.follows))
            tx.outbox.delivered(message, "home", final=False)
        return View(seen)


@dataclass(frozen=True)
class View:
    """A Home as Slack gets it."""

    seen: Seen

    @property
    def content(self) -> dict[str, Any]:
        view = drawn(self.seen.page)
        assert view_violations(view) == []
        return view

    @property
    def memory(self) -> str:
        return str(self.content["private_metadata"])

    @property
    def text(self) -> str:
        """Return all that stands in it."""
        return json.dumps(self.content["blocks"], ensure_ascii=False)

    @property
    def shown(self) -> list[str]:
        """Return the domains whose certificates are shown, in order."""
        lines = [
            block["text"]["text"]
            for block in self.content["blocks"]
            if block["type"] == "section" and "text" in block
        ]
        return [
            line.split("`")[1]
            for line in lines
            if line[1:3] in (" `", "️ ") and "found" not in line and "`" in line
        ]

    def buttons(self, action: str) -> list[dict[str, Any]]:
        """Return the buttons with this action, whatever number stands behind it."""
        elements = [
            one for block in self.content["blocks"] if block["type"] == "actions" for one in block["elements"]
        ]
        return [one for one in elements if one["action_id"].partition(":")[0] == action]


__all__ = ["ADMIN", "ONCALL", "SUPPORT", "HomeWorld", "View"]
