"""Payloads and look-ups as Slack sends them in a channel that two organisations share (Slack Connect).

No stand-in of Slack that can be had models it. The shapes are those of Slack's reference for each payload and for
users.info and conversations.info, cut to what an app can read; ids are made up. The host is the workspace that has
certdesk installed and owns the channel; the other organisation's people act in it from theirs.
"""

from collections.abc import Callable, Mapping
from typing import Any

HOST, OTHER = "T0HOST", "T9OTHER"
HOST_ENTERPRISE, OTHER_ENTERPRISE = "E0HOST", "E9OTHER"
SHARED, PRIVATE = "C0SHARED", "C0PRIVATE"
Body = dict[str, Any]


# --- what arrives --------------------------------------------------------------------------------------------------


def slash(user: str, team: str, text: str = "status") -> Body:
    """Return a slash command: flat, and of the workspace in which its sender has the app."""
    return {
        "token": "gone",
        "team_id": team,
        "team_domain": "somewhere",
        "channel_id": SHARED,
        "channel_name": "privategroup",
        "user_id": user,
        "user_name": "somebody",
        "command": "/ssl",
        "text": text,
        "api_app_id": "A1",
        "is_enterprise_install": "false",
        "response_url": "https://hooks.slack.test/commands/1",
        "trigger_id": f"1.2.{user}",
    }


def block_actions(user: str, team: str, action: str = "certificate.check", value: str = "cert_1") -> Body:
    """Return a click: ``team`` outside is the host's, whoever clicks; the clicker's own stands in ``user``."""
    return {
        "type": "block_actions",
        "user": {"id": user, "username": "somebody", "name": "somebody", "team_id": team},
        "api_app_id": "A1",
        "token": "gone",
        "container": {
            "type": "message",
            "message_ts": "1.1",
            "channel_id": SHARED,
            "is_ephemeral": False,
        },
        "trigger_id": f"2.2.{user}",
        "team": {"id": HOST, "domain": "host"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": SHARED, "name": "privategroup"},
        "message": {
            "bot_id": "B1",
            "type": "message",
            "text": "…",
            "user": "U0BOT",
            "ts": "1.1",
            "team": HOST,
        },
        "state": {"values": {}},
        "response_url": "https://hooks.slack.test/actions/1",
        "actions": [
            {
                "type": "button",
                "action_id": action,
                "block_id": "b1",
                "text": {"type": "plain_text", "text": "Check again", "emoji": True},
                "value": value,
                "action_ts": "3.1",
            }
        ],
    }


def view_submission(user: str, team: str, sheet: str = "add") -> Body:
    """Return a modal that was sent off: its view, too, is of the host's."""
    return {
        "type": "view_submission",
        "team": {"id": HOST, "domain": "host"},
        "user": {"id": user, "username": "somebody", "name": "somebody", "team_id": team},
        "api_app_id": "A1",
        "token": "gone",
        "trigger_id": f"3.2.{user}",
        "view": {
            "id": "V1",
            "team_id": HOST,
            "type": "modal",
            "blocks": [],
            "private_metadata": "",
            "callback_id": sheet,
            "state": {"values": {}},
            "hash": "1.abc",
            "title": {"type": "plain_text", "text": "certdesk", "emoji": True},
            "clear_on_close": False,
            "notify_on_close": False,
            "close": None,
            "submit": None,
            "previous_view_id": None,
            "root_view_id": "V1",
            "app_id": "A1",
            "external_id": "",
            "app_installed_team_id": HOST,
            "bot_id": "B1",
        },
        "response_urls": [],
        "is_enterprise_install": False,
        "enterprise": None,
    }


def app_home_opened(user: str, _team: str) -> Body:
    """Return an opened Home tab: the event does not say of which workspace the person is."""
    return event({"type": "app_home_opened", "user": user, "channel": "D1", "tab": "home", "event_ts": "4.1"})


def link_shared(user: str, team: str, *urls: str, channel: str = SHARED) -> Body:
    """Return a link that was pasted in the shared channel."""
    found = [{"url": url, "domain": "certdesk.example.test"} for url in urls]
    body = event(
        {
            "type": "link_shared",
            "user": user,
            "channel": channel,
            "message_ts": "5.1",
            "links": found,
            "is_bot_user_member": True,
            "unfurl_id": f"{channel}.5.1.abc",
            "source": "conversations_history",
            "event_ts": "5.2",
            "user_team": team,
        }
    )
    return body | {"is_ext_shared_channel": True}


def event(inner: Body) -> Body:
    """Return an event as it is delivered to the host's installation: ``team_id`` is the host's."""
    return {
        "token": "gone",
        "team_id": HOST,
        "context_team_id": HOST,
        "context_enterprise_id": None,
        "api_app_id": "A1",
        "event": inner,
        "type": "event_callback",
        "event_id": f"Ev{inner['type']}{inner['user']}",
        "event_time": 1,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": HOST,
                "user_id": "U0BOT",
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-abc",
    }


PAYLOADS: Mapping[str, Callable[[str, str], Body]] = {
    "command": slash,
    "click": block_actions,
    "submission": view_submission,
    "home": app_home_opened,
}
"""Each kind of request that a person makes: (user, their workspace) -> what arrives."""


# --- what users.info says --------------------------------------------------------------------------------------------


def member(user: str) -> Body:
    """Return a full member of the host."""
    return _person(user, HOST)


def guest(user: str, *, of_one_channel: bool = False) -> Body:
    """Return a guest of the host, of several channels or of one."""
    return _person(user, HOST) | {"is_restricted": True, "is_ultra_restricted": of_one_channel}


def external(user: str, *, stranger: bool = False) -> Body:
    """Return somebody of the other organisation. A stranger shares no channel with the asking bot any more, or not yet."""
    return _person(user, OTHER) | {"is_stranger": stranger}


def external_of_a_grid(user: str) -> Body:
    """Return somebody of the other organisation where that is an Enterprise Grid."""
    enterprise = {
        "id": user,
        "enterprise_id": OTHER_ENTERPRISE,
        "enterprise_name": "Other",
        "is_admin": True,
        "is_owner": True,
        "teams": [OTHER],
    }
    return _person(user, OTHER) | {"enterprise_user": enterprise, "enterprise_id": OTHER_ENTERPRISE}


def posing_guest(user: str) -> Body:
    """Return one whom Slack shows under the host's team though they are a stranger to it."""
    return _person(user, HOST) | {"is_stranger": True}


def _person(user: str, team: str) -> Body:
    return {
        "id": user,
        "team_id": team,
        "name": "somebody",
        "deleted": False,
        "color": "9f69e7",
        "real_name": "Somebody",
        "tz": "Europe/Berlin",
        "profile": {"real_name": "Somebody", "display_name": "", "team": team},
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": False,
        "is_app_user": False,
        "updated": 1,
        "locale": "de-DE",
    }


# --- what conversations.info says ------------------------------------------------------------------------------------


def channel_info(channel: str, **facts: Any) -> Body:
    """Return a public channel of the host, with ``facts`` on top."""
    plain = {
        "id": channel,
        "name": "somewhere",
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": False,
        "is_archived": False,
        "is_general": False,
        "is_shared": False,
        "is_org_shared": False,
        "is_ext_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "context_team_id": HOST,
        "conversation_host_id": HOST,
        "is_member": True,
        "name_normalized": "somewhere",
    }
    return plain | facts
