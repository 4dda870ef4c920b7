"""The app manifest: what a workspace's owner pastes at api.slack.com/apps to create the app, with the fewest rights."""

from typing import Any
from urllib.parse import urlsplit

from bot.slack.settings import SlackSettings
from services.model.errors import CertdeskError
from services.model.text import say

BOT_SCOPES = (
    "commands",  # to offer the slash command
    "chat:write",  # to post answers where the bot is a member, and to edit them in place
    "im:write",  # to open a direct message where the bot may not write in the channel, or the answer is private
    "users:read",  # to see guests, strangers, bots and deactivated people (users.info), who get no staff role
    "channels:read",  # to see who can read an answer in a public channel: whether it is shared with others (conversations.info)
    "groups:read",  # the same of private channels, and who is in them (conversations.members)
    "mpim:read",  # the same of direct messages among several
    "files:read",  # to fetch a list of names that somebody has put into a channel, for /ssl add --file (files.list)
    "files:write",  # to post the picture of /ssl report, and other files that belong to an answer
    "usergroups:read",  # to see who is in the user groups (S…) that roles name
)
"""Everything the bot may do, each with its reason; it cannot read messages or e-mail addresses."""
CANARY_SCOPES = (
    "reactions:write",  # to put a reaction on its own message in slack.canary_channel
    "reactions:read",  # to be told of it: the event reaction_added
)
"""What `bot.slack.canary` needs on top, where it is switched on."""
LINK_SCOPES = (
    "links:read",  # to be told of links to slack.link_domain that somebody shares: the event link_shared
    "links:write",  # to show below them what they lead to (chat.unfurl)
)
"""What links need on top, where slack.link_domain is set."""
LINK_EVENTS = ("link_shared",)
EVENTS = ("app_home_opened",)
"""What certdesk is told of: somebody looks at its Home tab, which is then filled. No scope is needed for it."""
CANARY_EVENTS = ("reaction_added",)

DEPARTURES = ("app_uninstalled", "tokens_revoked")
"""Events by which `bot.slack.departures` hears that a workspace is left; they take no scope."""


def manifest(settings: SlackSettings, url: str = "") -> dict[str, Any]:
    """Return the manifest (version 1 of Slack's schema) as JSON-ready data.

    ``url`` is the https address at which Slack reaches certdesk, such as https://certdesk.example.com; without one it is
    a Socket Mode app, whatever `settings` say: the app is made before its tokens are known. Raises CertdeskError if it
    is not an https address.
    """
    socket = not url
    canary = socket and bool(settings.canary_channel)
    if not socket and not _is_https(url):
        text = "Slack sends its requests to an https:// address, and “{url}” is none. Without a URL it is a Socket Mode app."
        raise CertdeskError(say(text, url=url))
    links = settings.link_domain
    endpoint = {} if socket else {"url": f"{url.rstrip('/')}/slack/events"}
    request = {} if socket else {"request_url": endpoint["url"]}
    events = [
        *EVENTS,
        *(CANARY_EVENTS if canary else ()),
        *(LINK_EVENTS if links else ()),
        *(DEPARTURES if settings.several else ()),
    ]
    return {
        "_metadata": {"major_version": 1},
        "display_information": {
            "name": "certdesk",
            "description": "TLS certificates for stores: get, renew and check them",
            "background_color": "#1d3557",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,  # the page "Manage certificates"
                "messages_tab_enabled": True,  # where direct messages of certdesk are read, and commands can be typed
                "messages_tab_read_only_enabled": False,
            },
            **({"unfurl_domains": [links]} if links else {}),
            "bot_user": {"display_name": "certdesk", "always_online": True},
            "slash_commands": [
                {
                    "command": settings.command,
                    "description": "Certificates: add, renew, status, check",
                    "usage_hint": "add shop.example.com",
                    "should_escape": True,  # people and channels arrive by id; commands.words undoes the links made of names
                    **endpoint,
                }
            ],
        },
        "oauth_config": {
            **({"redirect_urls": [settings.redirect_url]} if settings.several else {}),
            "scopes": {
                "bot": [*BOT_SCOPES, *(CANARY_SCOPES if canary else ()), *(LINK_SCOPES if links else ())]
            },
        },
        "settings": {
            "interactivity": {"is_enabled": True, **request},
            "event_subscriptions": {"bot_events": events, **request},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            # a token that stands in the settings would end; one that Slack gave to certdesk is renewed
            "token_rotation_enabled": settings.several and not settings.bot_token,
        },
    }


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)
