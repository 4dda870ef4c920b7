"""Whether Slack takes the bot's token: asked at the start and every few minutes, for nothing else would tell before somebody asks."""

from datetime import datetime

import structlog
from slack_sdk.web import WebClient

from bot.slack.delivery import THEN, Then
from bot.slack.errors import CALL_ERRORS, read_error
from services.alerting.selfcheck import Refused
from services.model.clock import Clock

_log = structlog.get_logger(__name__)
SECONDS = 300.0
"""How often Slack is asked."""


class TokenWatch:
    """Asks Slack whose token it has (docs: auth.test). Any thread may look, and read what was seen."""

    def __init__(self, client: WebClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._refused: Refused | None = None
        self._team = ""

    @property
    def refused(self) -> Refused | None:
        """Slack's refusal and since when it is known; None if the token was taken, or Slack could not be asked yet."""
        return self._refused

    def look(self) -> None:
        """Ask, and log what is new. Raises nothing for whatever Slack says; an outage leaves what was known."""
        try:
            answer = self._client.auth_test()
        except CALL_ERRORS as error:
            self._failed(read_error(error).code)
            return
        team = str(answer.get("team_id") or "")
        if self._refused is not None or team != self._team:
            _log.info("slack.token_taken", team=team, bot=str(answer.get("user_id") or ""))
        self._refused, self._team = None, team

    def _failed(self, code: str) -> None:
        if THEN.get(code) is not Then.MEND:
            _log.info("slack.token_not_asked", error=code)
            return
        known = self._refused
        if known is None or known.reason != code:
            _log.error("slack.token_refused", error=code, mend="slack.bot_token")
        since: datetime = known.since if known is not None else self._clock()
        self._refused = Refused(code, since)
