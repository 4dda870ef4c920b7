"""Slack workspaces in which certdesk is installed, and how channels of several of them are told apart. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

HOME = ""
"""How rows name the support workspace, which is the only one unless others are let in."""


class WorkspaceState(StrEnum):
    """Whether certdesk can work in a workspace."""

    ACTIVE = "active"
    UNINSTALLED = "uninstalled"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Workspace:
    """One installation. Secrets are sealed, and stay out of `repr` all the same."""

    team: str
    """The workspace's id (T…)."""
    enterprise: str
    """The organisation that it belongs to (E…); empty for none."""
    name: str
    bot_user: str
    """Id of the bot's user there (U…)."""
    sealed_token: bytes = field(repr=False)
    """The bot's token, sealed for `token_binding`."""
    installed_by: str
    """TEAM/USER."""
    installed_at: datetime
    sealed_refresh: bytes | None = field(default=None, repr=False)
    """What the next token is had with, sealed for `refresh_binding`; None where tokens do not rotate."""
    expires_at: datetime | None = None
    """When the token ends; None: never."""
    state: WorkspaceState = WorkspaceState.ACTIVE
    generation: int = 1
    """Grows with each pair of tokens, so that what is said of a former one is not taken for this one."""
    alert_channel: str = ""
    """Id (C…) of the channel there in which merchants are told what they have to do; empty: none was chosen."""

    @property
    def token_binding(self) -> str:
        """What the sealed token is bound to."""
        return f"workspace:{self.team}:token"

    @property
    def refresh_binding(self) -> str:
        """What the sealed refresh token is bound to."""
        return f"workspace:{self.team}:refresh"

    @property
    def active(self) -> bool:
        """Whether certdesk can work there, as far as it knows."""
        return self.state is WorkspaceState.ACTIVE


def placed(team: str, channel: str) -> str:
    """Return how a channel is written where several workspaces are: C… in the support workspace, else TEAM/C….

    Ids of channels are unique in their workspace alone. Without a channel the workspace stays: TEAM/.
    """
    return f"{team}/{channel}" if team else channel


def place(channel: str) -> tuple[str, str]:
    """Return (workspace, channel) of what `placed` wrote; the workspace is HOME for a channel of the support workspace."""
    team, _, within = channel.rpartition("/")
    return team, within
