"""Fetches the lists that people drop into a channel: files.list, then url_private with the bot's token, from Slack's hosts alone."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import requests
import structlog
from slack_sdk.web import WebClient
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from bot.slack.errors import CALL_ERRORS, read_error
from bot.slack.workspaces import ByWorkspace
from commands.uploads import TYPES, Upload
from services.bulk.lists import MOST_BYTES
from services.model.clock import Clock
from services.model.errors import CertdeskError
from services.model.text import say
from services.model.workspaces import place

_log = structlog.get_logger(__name__)
RECENT = timedelta(hours=1)
TIMEOUT = 10
"""Seconds that Slack may take."""


class SlackUploads:
    """`commands.uploads.Uploads` by Slack's Web API (files:read)."""

    def __init__(self, clients: ByWorkspace, api_url: str, clock: Clock) -> None:
        """``clients`` ask with the workspace's token; the file itself is fetched with the same."""
        self._clients, self._api_url, self._clock = clients, api_url, clock

    def latest(self, channel: str, person: str) -> Upload | None:
        """Return the newest list of this person in the channel; None without one. Raises CertdeskError."""
        team, within = place(channel)
        user = person.rpartition("/")[2]
        client = self._clients(team)
        since = int((self._clock() - RECENT).timestamp())
        try:
            answer = client.files_list(channel=within, user=user, ts_from=str(since), count=20)
        except CALL_ERRORS as error:
            raise _unfetched(read_error(error).code) from None
        files: list[Any] = answer.get("files") or []
        mine = [one for one in files if one.get("user") == user and _list(one)]
        if not mine:
            return None
        return self._upload(client, max(mine, key=lambda one: int(one.get("created") or 0)))

    def handed_in(self, channel: str, file: str, person: str) -> Upload:
        """Return the list that was put into a modal; what Slack says of it now counts, not what the modal said."""
        client = self._clients(place(channel)[0])
        try:
            found: Any = client.files_info(file=file).get("file")
        except CALL_ERRORS as error:
            raise _unfetched(read_error(error).code) from None
        if not isinstance(found, Mapping) or found.get("user") != person.rpartition("/")[2]:
            raise _unfetched("file_not_found")
        if not _list(found):
            raise CertdeskError(
                say(
                    "This is no text or CSV file that Slack keeps. Nothing was done; choose one from your computer."
                )
            )
        return self._upload(client, found)

    def _upload(self, client: WebClient, file: Mapping[str, Any]) -> Upload:
        return Upload(
            str(file.get("name") or "file"), self._fetched(client, str(file.get("url_private") or ""))
        )

    def _fetched(self, client: WebClient, url: str) -> bytes:
        if not ours(url, self._api_url):
            raise _unfetched("url_not_allowed")
        headers = {"Authorization": f"Bearer {client.token}"}
        try:
            with requests.get(
                url, headers=headers, timeout=TIMEOUT, stream=True, allow_redirects=False
            ) as answer:
                if answer.status_code != requests.codes.ok or "html" in answer.headers.get(
                    "Content-Type", ""
                ):
                    raise _unfetched(
                        str(answer.status_code)
                    )  # without the scope Slack shows a page to log in
                return answer.raw.read(MOST_BYTES + 1, decode_content=True)
        except requests.RequestException as error:
            _log.warning("slack.file_not_fetched", error=type(error).__name__)
            raise _unfetched("no_answer") from None


def _list(file: Mapping[str, Any]) -> bool:
    """Tell whether a file can be a list that Slack itself keeps: the address of an external one is somebody else's."""
    return str(file.get("filetype", "")).lower() in TYPES and not file.get("is_external")


def ours(url: str, api_url: str) -> bool:
    """Tell whether the bot's token may be sent to this address: to Slack's hosts by https, or to that of the Web API.

    The address is read by the parser that `requests` connects by, for another one may see another host in it (behind a
    backslash, say); one that is written in any unusual way is refused besides.
    """
    if "\\" in url or not url.isprintable():
        return False
    try:
        parts, api = parse_url(url), parse_url(api_url)
    except LocationParseError:
        return False
    if parts.auth is not None or not parts.host:
        return False
    if (parts.scheme, parts.host, parts.port) == (api.scheme, api.host, api.port):
        return True
    slack = parts.host == "slack.com" or parts.host.endswith(".slack.com")
    return parts.scheme == "https" and parts.port in (None, 443) and slack


def _unfetched(code: str) -> CertdeskError:
    return CertdeskError(
        say(
            "Slack did not give certdesk the file ({code}). Nothing was done. Whoever runs certdesk should give the app the"
            " scope {scope} and install it anew; then try again.",
            code=code,
            scope="files:read",
        )
    )
