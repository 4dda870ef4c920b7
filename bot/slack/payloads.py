"""What Slack's payloads say, as plain facts: their shape is looked at, not trusted, for an app is sent clicks of any age."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_FAMILIES = ("alert", "approval", "bulk", "certificate", "home", "link", "menu", "sheet", "store")
"""What our actions are about: the first word of their ids."""
_AT_HOME = frozenset({"alert", "home", "menu"})
"""Those that stand in the Home tab, where a local workspace tells of a click without a view: Slack always names one.

What it carries proves nothing anyhow; without its view a page cannot be turned, and nothing is typed.
"""
ENGLISH = "en"
"""Code of the language that need not be named."""
HOME = "home"
"""The kind of view that the Home tab is."""
_ACTION = re.compile(rf"((?:{'|'.join(_FAMILIES)})\.[a-z_]{{1,40}})(?::\d{{1,3}})?")
"""An action of ours; the number behind it tells apart what stands twice in a message (`bot.slack.render_actions`)."""
_SHEET = re.compile(r"([a-z]{1,20}(?:\.[a-z_]{1,40})?)(?::([A-Za-z_]{2,20}))?")
"""The name of a sheet of ours, and the language in which it was shown (`sheet_id`)."""
MAX_CLICK = 150
"""Characters of a click's value, as `commands.reply.Button` promises."""
MAX_VALUE = 3000
"""Characters of a field's text; what is more is cut."""
MAX_LINKS = 20
"""Links of one message that are read."""
MAX_FILES = 10
"""Files of one field that are read."""
MAX_FIELDS = 100
"""Fields of one view that are read."""


class NotOursError(Exception):
    """A payload that is of nothing that certdesk has ever shown; its message says why."""


@dataclass(frozen=True, slots=True)
class Clicked:
    """A click."""

    channel: str
    """Where the clicked message stands; empty for a click in a view."""
    text: str
    """The action, a blank, and the value: of the button, or of the option that was chosen."""
    view: str = ""
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A modal that was sent off."""

    text: str
    """The sheet's name."""
    once: str
    """What a second delivery has in common with the first."""
    view: str
    form: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """A Home tab that was opened."""

    team: str
    user: str
    once: str


def sender(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return (team id, user id) of the person who acted.

    Buttons and modals name the person's own team inside ``user``; the outer ``team`` is the workspace where it
    happened, which for a person of another workspace in a shared channel is not theirs. Slash commands are flat.
    """
    user = body.get("user")
    if isinstance(user, Mapping):
        return str(user.get("team_id") or ""), str(user["id"])
    return str(body.get("team_id") or ""), str(body["user_id"])


def workspace(body: Mapping[str, Any]) -> str:
    """Return the id of the workspace in which something was done: the one whose installation of certdesk hears of it.

    That need not be the person's own (`sender`). Events name it under ``authorizations``, clicks and modals as ``team``.
    """
    authorizations = body.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else None
    if isinstance(first, Mapping) and first.get("team_id"):
        return str(first["team_id"])
    team = body.get("team")
    if isinstance(team, Mapping) and team.get("id"):
        return str(team["id"])
    return str(body.get("team_id") or "")


def clicked(body: Mapping[str, Any]) -> Clicked:
    """Return what was clicked (Slack's block_actions). Raises NotOursError if it is nothing of ours."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions else None
    if not isinstance(action, Mapping):
        raise NotOursError("a click without an action")
    ours = _ACTION.fullmatch(str(action.get("action_id")))
    if ours is None:
        raise NotOursError("a click on an unknown action")
    chosen = action.get("selected_option")
    value = chosen.get("value") if isinstance(chosen, Mapping) else action.get("value")
    if isinstance(body.get("view"), Mapping):
        # what was typed or ticked is in the form; only buttons and menus have a value of their own
        short = value if isinstance(value, str) and len(value) <= MAX_CLICK else ""
        view, form = _view(body)
        return Clicked("", f"{ours[1]} {short}".strip(), view, form)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_CLICK:
        raise NotOursError("a click without a value")
    text = f"{ours[1]} {value}"
    where = _where(body)
    if not where and _at_home(body, ours[1]):
        return Clicked("", text, form={"kind": HOME})
    if not where:
        raise NotOursError("a click outside of a channel")
    return Clicked(where, text)


def submitted(body: Mapping[str, Any]) -> Submitted:
    """Return what was filled in (Slack's view_submission). Raises NotOursError if it is no sheet of ours."""
    view, form = _view(body)
    sheet = _SHEET.fullmatch(str(body["view"].get("callback_id")))
    if sheet is None:
        raise NotOursError("a view of an unknown kind")
    return Submitted(sheet[1], f"{view}:{form['hash']}", view, form)


def sheet_id(sheet: str, language: str) -> str:
    """Return what a modal is known by: the sheet's name, and the language in which it is shown.

    So its acknowledgement, for which nobody can be asked, speaks as the modal does.
    """
    return sheet if language == ENGLISH else f"{sheet}:{language}"


def shown_in(body: Mapping[str, Any]) -> str:
    """Return the language's code in which the modal was shown that ``body`` is of; empty if it does not say."""
    view = body.get("view")
    sheet = _SHEET.fullmatch(str(view.get("callback_id"))) if isinstance(view, Mapping) else None
    return (sheet[2] or "") if sheet is not None else ""


def opened(body: Mapping[str, Any]) -> Opened:
    """Return whose Home tab was opened (the event app_home_opened). Raises NotOursError for the tab of messages."""
    event = body.get("event")
    if not isinstance(event, Mapping) or event.get("tab") != "home":
        raise NotOursError("another tab than Home")
    return Opened(team_of_event(body), str(event["user"]), str(body["event_id"]))


@dataclass(frozen=True, slots=True)
class Shared:
    """Links that somebody has shared in a message."""

    team: str
    user: str
    channel: str
    once: str
    form: Mapping[str, Any]
    """``links``, and what Slack knows the place by: ``unfurl_id`` and ``source``."""


def shared(body: Mapping[str, Any], domain: str) -> Shared:
    """Return which links to ``domain`` were shared (the event link_shared). Raises NotOursError if there is none to be shown.

    What is not sent yet is shown to nobody: Slack tells of links in the box in which a message is written, too.
    """
    event = body.get("event")
    if not isinstance(event, Mapping) or event.get("source") != "conversations_history":
        raise NotOursError("links that are not in a message")
    found = event.get("links")
    links = [
        str(one.get("url")) for one in (found if isinstance(found, list) else ()) if isinstance(one, Mapping)
    ]
    ours = [storable(link) for link in links[:MAX_LINKS] if _host(link) == domain]
    if not domain or not ours:
        raise NotOursError("links to another domain")
    form = {"links": ours, "unfurl_id": str(event["unfurl_id"]), "source": str(event["source"])}
    return Shared(team_of_event(body), str(event["user"]), str(event["channel"]), str(body["event_id"]), form)


def _host(link: str) -> str:
    try:
        return (urlsplit(link).hostname or "") if len(link) <= MAX_VALUE else ""
    except ValueError:
        return ""


def team_of_event(body: Mapping[str, Any]) -> str:
    """Return the id of the workspace of who caused an event; empty where the event does not say.

    The outer ``team_id`` is the workspace that certdesk hears the event for, and so in a shared channel perhaps not the
    person's: there only what the event itself says of the person counts.
    """
    event = body.get("event")
    own = event.get("user_team") if isinstance(event, Mapping) else None
    if own or body.get("is_ext_shared_channel"):
        return str(own or "")
    return str(body.get("team_id") or "")


def _view(body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return (id of the view, its form). Raises NotOursError if there is no view."""
    view = body.get("view")
    if not isinstance(view, Mapping) or not isinstance(view.get("id"), str):
        raise NotOursError("a view without an id")
    state = view.get("state")
    blocks = state.get("values") if isinstance(state, Mapping) else None
    form = {
        "values": _values(blocks) if isinstance(blocks, Mapping) else {},
        **_handed_in(blocks if isinstance(blocks, Mapping) else {}),
        "memory": storable(str(view.get("private_metadata") or "")[:MAX_VALUE]),
        "hash": str(view.get("hash") or ""),
        "kind": str(view.get("type") or ""),
    }
    return str(view["id"]), form


def _values(blocks: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Return field (its action's id) -> what was typed or chosen; a field that was left empty is left out."""
    found: dict[str, str | list[str]] = {}
    for elements in list(blocks.values())[:MAX_FIELDS]:
        for name, element in elements.items() if isinstance(elements, Mapping) else ():
            value = _value(element) if isinstance(element, Mapping) else None
            if value:
                found[str(name)] = value
    return found


def _handed_in(blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``files``: field -> what was put into it, without the addresses: whoever needs one asks Slack by the id."""
    found: dict[str, list[dict[str, Any]]] = {}
    for elements in list(blocks.values())[:MAX_FIELDS]:
        for name, element in elements.items() if isinstance(elements, Mapping) else ():
            files = element.get("files") if isinstance(element, Mapping) else None
            if isinstance(files, list) and files:
                found[str(name)] = [_file(one) for one in files[:MAX_FILES] if isinstance(one, Mapping)]
    return {"files": found} if found else {}


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    size = file.get("size")
    return {
        "id": storable(str(file.get("id") or ""))[:MAX_CLICK],
        "name": storable(str(file.get("name") or ""))[:MAX_CLICK],
        "kind": storable(str(file.get("filetype") or ""))[:MAX_CLICK],
        "size": size if isinstance(size, int) else 0,
        "external": bool(file.get("is_external")),
    }


def _value(element: Mapping[str, Any]) -> str | list[str] | None:
    several = element.get("selected_options")
    if isinstance(several, list):
        return [storable(str(one["value"])) for one in several if isinstance(one, Mapping) and "value" in one]
    chosen = element.get("selected_option")
    value = chosen.get("value") if isinstance(chosen, Mapping) else element.get("value")
    return storable(value[:MAX_VALUE]) if isinstance(value, str) else None


def _at_home(body: Mapping[str, Any], action: str) -> bool:
    """Tell whether a click that names neither a channel nor a view is one in the Home tab of a local workspace."""
    container = body.get("container")
    of_view = isinstance(container, Mapping) and container.get("type") == "view"
    return action.partition(".")[0] in _AT_HOME and not of_view


def _where(body: Mapping[str, Any]) -> str:
    """Return the channel of the message that was clicked; empty for none."""
    for name, key in (("channel", "id"), ("container", "channel_id")):
        place = body.get(name)
        if isinstance(place, Mapping) and place.get(key):
            return str(place[key])
    return ""


def storable(text: str) -> str:
    """Return ``text`` without what a database refuses: NUL characters and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
