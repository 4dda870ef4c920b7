"""What the Slack side needs to know of the configuration, as a frozen type; bot/config.py fills it from app.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urljoin

from commands.caller import Role

Mode = Literal["", "http", "socket"]
API_URL = "https://slack.com/api/"


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """How certdesk is connected to one workspace. Secrets stay out of `repr`, and so out of logs."""

    mode: Mode = ""
    """``http``: Slack sends signed requests to us; ``socket``: we hold a connection to Slack; empty: no Slack."""
    bot_token: str = field(default="", repr=False)
    """The bot's token (xoxb-…), with which every Web API call is made."""
    signing_secret: str = field(default="", repr=False)
    """What HTTP requests from Slack are signed with."""
    app_token: str = field(default="", repr=False)
    """The app-level token (xapp-…, scope connections:write) that opens Socket Mode connections."""
    api_url: str = API_URL
    team: str = ""
    """Id (T…) of our workspace; empty: Slack is asked once whose token it is."""
    roles: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    """Who is what: ids of people (U…, W…) and of user groups (S…) for each role."""
    merchants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids of the stores of each merchant. The key is a person of our workspace (U…), guests included, or TEAM/USER for
    a person of another workspace in a shared channel."""
    client_id: str = ""
    """The app's client id; with it certdesk can be installed in other workspaces (OAuth v2). Empty: it cannot."""
    client_secret: str = field(default="", repr=False)
    redirect_url: str = ""
    """Where Slack sends the browser back to: https://…/slack/oauth/callback."""
    pkce: bool = False
    """Whether PKCE is switched on for the app at Slack, which is for good."""
    command: str = "/ssl"
    """The slash command's name, with its slash."""
    date_tokens: bool = True
    """Whether moments are sent as Slack's date tokens; False for workspaces that know less mark-up (`bot.slack.plainer`)."""
    canary_channel: str = ""
    """Id of a channel (C…), of which the bot is a member, where Socket Mode is tested end to end; empty: it is not."""
    app: str = ""
    """Id (A…) of the app at Slack, by which pages in a browser lead to it; empty: they lead to Slack."""
    link_domain: str = ""
    """Host of links that are shown below the messages in which they are shared; empty: none are."""
    staff_channels: frozenset[str] = frozenset()
    """Ids of channels that are for the platform's own people: what staff ask there, everybody there may hear."""

    @property
    def several(self) -> bool:
        """Whether certdesk may be installed in more than the support workspace."""
        return bool(self.client_id)

    @property
    def install_url(self) -> str:
        """Where a browser begins to install certdesk in a workspace; empty where it cannot be."""
        return urljoin(self.redirect_url, "/slack/install") if self.redirect_url else ""

    def workspace(self, team: str) -> str:
        """Return how rows name the workspace ``team`` (T…): empty for the support workspace, as which all count if it is alone."""
        return team if self.several and team != self.team else ""
