"""Who asks: from a Slack person to a Caller, by settings and by what Slack says of the person; in doubt, nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.slack.errors import read_error
from bot.slack.kept import Kept
from bot.slack.settings import SlackSettings
from commands.caller import STAFF, Caller, Doubt, Role
from services.model.audiences import Kind
from services.model.clock import Clock
from services.ports import Request, Storage

_log = structlog.get_logger(__name__)
_GONE = "no_such_subteam"
"""Slack's word for a user group that does not exist: nobody is in it, and that is known."""


@dataclass(frozen=True, slots=True)
class Person:
    """What Slack says of a person."""

    team: str
    """Their own workspace's id, whatever workspace the request came from."""
    enterprise: str = ""
    person: bool = True
    """Whether it is a living account of a human being: no bot, not deactivated."""
    guest: bool = False
    stranger: bool = False
    locale: str = ""
    """Such as de-DE; empty if Slack did not say."""


@dataclass(frozen=True, slots=True)
class Home:
    """Our own workspace."""

    team: str
    enterprise: str = ""


class Identity:
    """Tells who a caller is. Safe to use from many threads; what Slack said is kept for a while."""

    def __init__(
        self,
        client: WebClient,
        settings: SlackSettings,
        clock: Clock,
        keep: timedelta = timedelta(minutes=5),
        *,
        storage: Storage | None = None,
    ) -> None:
        """Make one for the workspace of ``client``'s token; a change at Slack is seen after ``keep`` at the latest.

        Links of people to stores are read from ``storage``, at each request anew.
        """
        self._client, self._settings, self._storage = client, settings, storage
        self._kept = Kept(clock, keep)

    def caller(self, request: Request) -> Caller:
        """Return who asks, with a role that they surely have: who cannot be looked up is nobody, and `Caller.doubt` says so.

        Raises DatabaseUnavailableError if the links cannot be read.
        """
        return self._known(request.user, request.team)

    def known(self, person: str) -> Caller:
        """Return who a person (TEAM/USER) is now: nobody, if that is not to be had. Raises as `caller`."""
        team, _, user = person.rpartition("/")
        return self._known(user, team)

    def reader(self, user: str) -> Caller | None:
        """Return what somebody may see who is in a channel with the bot; None for what is no living person.

        Who cannot be looked up is nobody, as in `caller`. Raises DatabaseUnavailableError as `caller`.
        """
        person = self._person(user)
        return self._known(user, "") if person is None or person.person else None

    def _known(self, user: str, team: str) -> Caller:
        """Return who ``user`` is; a ``team`` that a payload names, other than theirs or ours, leaves them no staff role."""
        person = self._person(user)
        home = self._home()
        if person is None or home is None:
            return Caller(f"{team}/{user}", Role.NOBODY, doubt=Doubt.PERSON)
        if not person.person:
            return Caller(f"{team}/{user}", Role.NOBODY)
        # by the person's own workspace: a link holds wherever they ask from
        name = f"{person.team}/{user}"
        ours = _ours(person, home) and team in ("", home.team, person.team)
        role, doubt = self._staff_role(user) if ours and not person.guest else (None, Doubt.NONE)
        if role is not None:
            return Caller(name, role, None)
        stores = self._stores(user, person, ours=ours)
        return Caller(name, Role.MERCHANT if stores else Role.NOBODY, stores, doubt)

    def named(self, user: str) -> str | None:
        """Return the person as TEAM/USER, by their own workspace; None for who is no living person, or not known."""
        person = self._person(user)
        return f"{person.team}/{user}" if person is not None and person.person else None

    def locale(self, user: str) -> str:
        """Return the person's language, such as de-DE; empty if it is not known."""
        person = self._person(user)
        return person.locale if person else ""

    def remembered_locale(self, user: str) -> str:
        """Return the same without asking Slack: empty for whom it was not asked lately."""
        person: Person | None = self._kept.held(("person", user))
        return person.locale if person else ""

    def _staff_role(self, user: str) -> tuple[Role | None, Doubt]:
        """Return the mightiest role that the settings give the user, and whether a group could not be read for it."""
        doubt = Doubt.NONE
        for role in STAFF:
            ids = self._settings.roles.get(role, ())
            groups = [] if user in ids else [self._members(group) for group in ids if group.startswith("S")]
            if user in ids or any(members is not None and user in members for members in groups):
                return role, Doubt.NONE
            doubt = Doubt.GROUPS if None in groups else doubt
        return None, doubt

    def _stores(self, user: str, person: Person, *, ours: bool) -> frozenset[str]:
        """Return the merchant's stores: those of the settings, and those that support has linked them to.

        People of other workspaces are listed as TEAM/USER: ids are unique in theirs.
        """
        name = f"{person.team}/{user}"
        keys = (user, name) if ours else (name,)
        listed = frozenset(store for key in keys for store in self._settings.merchants.get(key, ()))
        return listed | self._linked(name)

    def _linked(self, name: str) -> frozenset[str]:
        if self._storage is None:
            return frozenset()
        with self._storage.read() as tx:
            return frozenset(link.store for link in tx.links.of(Kind.PERSON, name))

    def _person(self, user: str) -> Person | None:
        found: Person | None = self._kept.get(("person", user), lambda: self._ask_person(user))
        return found

    def _members(self, group: str) -> frozenset[str] | None:
        found: frozenset[str] | None = self._kept.get(("group", group), lambda: self._ask_members(group))
        return found

    def _home(self) -> Home | None:
        found: Home | None = self._kept.get(("home", ""), self._ask_home)
        return found

    def _ask_person(self, user: str) -> Person:
        return read_person(self._client.users_info(user=user, include_locale=True)["user"] or {})

    def _ask_members(self, group: str) -> frozenset[str]:
        try:
            return frozenset(self._client.usergroups_users_list(usergroup=group)["users"] or ())
        except SlackApiError as error:
            if read_error(error).code != _GONE:
                raise
            _log.warning("slack.group_is_gone", id=group)
            return frozenset()

    def _ask_home(self) -> Home | None:
        answer = self._client.auth_test()
        team = self._settings.team or answer.get("team_id")
        return Home(str(team), str(answer.get("enterprise_id") or "")) if team else None


def read_person(user: Mapping[str, Any]) -> Person:
    """Return what users.info says of a person. Raises KeyError if it does not name their workspace."""
    enterprise = user.get("enterprise_user") or {}
    bot = user.get("is_bot") or user.get("is_workflow_bot") or user.get("id") == "USLACKBOT"
    return Person(
        team=str(user["team_id"]),
        enterprise=str(enterprise.get("enterprise_id") or user.get("enterprise_id") or ""),
        person=not (bot or user.get("deleted")),
        guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        stranger=bool(user.get("is_stranger")),
        locale=str(user.get("locale") or ""),
    )


def _ours(person: Person, home: Home) -> bool:
    """Tell whether the person is of our workspace, or of another one of our own enterprise."""
    same = person.team == home.team or bool(home.enterprise and person.enterprise == home.enterprise)
    return same and not person.stranger
