"""Who asks, whatever the workspace: in the support workspace by `bot.slack.identity`, elsewhere a merchant at most."""

from dataclasses import replace
from datetime import timedelta

from bot.slack.identity import Identity, Person, read_person
from bot.slack.kept import Kept
from bot.slack.workspaces import ByWorkspace
from commands.caller import Caller, Doubt, Role
from services.model.audiences import Kind
from services.model.clock import Clock
from services.model.workspaces import HOME, place
from services.ports import Request, Storage


class Callers:
    """Tells who a caller is. Safe to use from many threads; what Slack said of people is kept for a while."""

    def __init__(
        self,
        home: Identity,
        clients: ByWorkspace,
        storage: Storage,
        clock: Clock,
        keep: timedelta = timedelta(minutes=5),
    ) -> None:
        """``clients`` ask other workspaces than the support workspace. Links are read at each request anew."""
        self._home, self._clients, self._storage = home, clients, storage
        self._kept = Kept(clock, keep)

    def placed(self, request: Request) -> Request:
        """Return the request as made in the support workspace if the workspace that it names never had certdesk.

        So it is with a person of another organisation in a channel that the support workspace shares with it: their
        command names their own. Raises DatabaseUnavailableError if that cannot be read.
        """
        if not request.workspace:
            return request
        with self._storage.read() as tx:
            known = tx.workspaces.get(request.workspace) is not None
        return request if known else replace(request, workspace=HOME)

    def caller(self, request: Request) -> Caller:
        """Return who asks. Raises DatabaseUnavailableError if the links cannot be read."""
        if not request.workspace:
            return self._home.caller(request)
        return self._visitor(request.workspace, request.user, request.team)

    def known(self, person: str, workspace: str) -> Caller:
        """Return who a person (TEAM/USER, or the user's id) is now in the workspace in which they asked, as `caller` would.

        Nobody, if that is not to be had. Raises as `caller`.
        """
        if not workspace:
            return self._home.known(person)
        team, _, user = person.rpartition("/")
        return self._visitor(workspace, user, team)

    def reader(self, who: str) -> Caller | None:
        """Return what somebody may see who is in a channel with the bot; None for what is no living person.

        ``who`` is written as for `locale`. Who cannot be looked up is nobody, as in `caller`. Raises as `caller`.
        """
        workspace, user = place(who)
        if not workspace:
            return self._home.reader(user)
        person = self._person(workspace, user)
        return self._visitor(workspace, user, "") if person is None or person.person else None

    def locale(self, who: str) -> str:
        """Return the language of a person, such as de-DE; empty if it is not known.

        ``who`` is U… in the support workspace, elsewhere WORKSPACE/U… (`services.model.workspaces.placed`).
        """
        workspace, user = place(who)
        if not workspace:
            return self._home.locale(user)
        person = self._person(workspace, user)
        return person.locale if person is not None else ""

    def named(self, who: str) -> str | None:
        """Return a person, written as for `locale`, as TEAM/USER by their own workspace; None if they are not known."""
        workspace, user = place(who)
        if not workspace:
            return self._home.named(user)
        person = self._person(workspace, user)
        return f"{person.team}/{user}" if person is not None and person.person else None

    def _visitor(self, workspace: str, user: str, team: str) -> Caller:
        """Return who asks in another workspace: they see what is linked to it and to themselves, and have no staff role."""
        person = self._person(workspace, user)
        if person is None:
            return Caller(f"{team}/{user}", Role.NOBODY, doubt=Doubt.PERSON)
        name = f"{person.team}/{user}"
        if not person.person:
            return Caller(name, Role.NOBODY)
        with self._storage.read() as tx:
            there = {link.store for link in tx.links.of(Kind.WORKSPACE, workspace)}
            theirs = {link.store for link in tx.links.of(Kind.PERSON, name)}
        stores = frozenset(there & theirs)
        return Caller(name, Role.MERCHANT if stores else Role.NOBODY, stores)

    def _person(self, workspace: str, user: str) -> Person | None:
        found: Person | None = self._kept.get((workspace, user), lambda: self._ask(workspace, user))
        return found

    def _ask(self, workspace: str, user: str) -> Person:
        answer = self._clients(workspace).users_info(user=user, include_locale=True)
        return read_person(answer["user"] or {})
