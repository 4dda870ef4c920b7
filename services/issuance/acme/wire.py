"""The one way to a CA: a ClientNetwork that keeps what the library's loses, and refuses what must not happen.

It keeps status and headers of every reply, spends nonces well, ends each call at a deadline, speaks https alone and
only with the directory's own hosts, follows no redirect, and never logs a payload.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from acme.client import ClientNetwork
from requests.structures import CaseInsensitiveDict

from services.issuance.acme.errors import PREFIX, Answer, Where, judge
from services.issuance.acme.jws import Signer
from services.issuance.acme.times import retry_after
from services.issuance.acme.traffic import Traffic
from services.issuance.acme.trust import proxies_for, roots
from services.issuance.acme.unreached import why
from services.model.clock import Clock
from services.model.errors import CaError

NONCE_RETRIES = 10
"""How often a request is sent again after badNonce (RFC 8555 §6.5)."""
CONNECT_SECONDS = 10.0
LARGEST = 1 << 20
"""Bytes that a reply may have; a chain has a few thousand."""

_NONCE = re.compile(r"[A-Za-z0-9_-]+")
_BAD_NONCE = PREFIX + "badNonce"
_JOSE = {"Content-Type": "application/jose+json"}
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "Connection": "keep-alive"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful reply."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    retry_at: datetime | None
    """What its Retry-After means, if it has one."""

    @property
    def location(self) -> str:
        """The URL of what was created; empty if the reply names none."""
        return self.headers.get("Location", "")


@dataclass(frozen=True, slots=True)
class Post:
    """A signed request."""

    url: str
    payload: Mapping[str, Any] | None = None
    """What is sent; None makes it a POST-as-GET (RFC 8555 §6.3)."""
    accept: str = ""
    """The content type wanted, where there is a choice."""
    where: Where = Where.REPLY
    """What kind of answer it gets, for the judgement of a refusal."""

    def headers(self) -> dict[str, str]:
        """Return the headers that go with it."""
        return {**_JOSE, "Accept": self.accept} if self.accept else dict(_JOSE)


class Wire(ClientNetwork):
    """One thread's connections to one CA. Not for two threads at once: nonces and connections are its own."""

    def __init__(
        self, ca: str, directory: str, ca_bundle: str | None, user_agent: str, clock: Clock, traffic: Traffic
    ) -> None:
        super().__init__(user_agent=user_agent)
        self._hosts = frozenset({urlsplit(directory).netloc})
        self._ca, self._clock, self._traffic = ca, clock, traffic
        self._until = 0.0
        self._budget = 0.0
        self._fresh: list[str] = []
        self._roots = self.session.verify = roots(ca_bundle)
        self.session.proxies = proxies_for(directory)
        self.session.trust_env = False  # read once, above: per request it costs as much as signing

    def speak_to(self, hosts: frozenset[str]) -> None:
        """Let these hosts, with their ports if they have any, be the ones that may be asked."""
        self._hosts = hosts

    def begin(self, seconds: float) -> None:
        """Start a call that ends, whatever the CA does, within ``seconds``."""
        self._budget = seconds
        self._until = time.monotonic() + seconds

    def seconds_left(self) -> float:
        """Return the seconds that are left of the call, at least 0."""
        return max(0.0, self._until - time.monotonic())

    def fetch(self, url: str, where: Where = Where.ENDPOINT) -> Reply:
        """GET without a signature: the directory and renewal information. Raises CaError for anything but a success."""
        return self._judged(url, *self._exchange("GET", url), where)

    def send(self, post: Post, signer: Signer, new_nonce: str) -> Reply:
        """Send it signed, with a nonce of ``new_nonce`` if none is at hand. Raises CaError for anything but a success."""
        for attempt in range(1 + NONCE_RETRIES):
            body = signer.jws(post.url, self._nonce(new_nonce), post.payload)
            response, content = self._exchange("POST", post.url, data=body, headers=post.headers())
            if response.ok or _kind(content) != _BAD_NONCE or attempt == NONCE_RETRIES:
                break
            self._traffic.add("bad_nonce")
        return self._judged(post.url, response, content, post.where)

    def _nonce(self, new_nonce: str) -> str:
        if not self._fresh:
            response, content = self._exchange("HEAD", new_nonce)
            self._judged(new_nonce, response, content, Where.ENDPOINT)
        if not self._fresh:
            raise self._unavailable("The CA's newNonce gave no usable nonce.")
        return self._fresh.pop()

    def _exchange(self, method: str, url: str, **options: Any) -> tuple[requests.Response, bytes]:
        """Make one exchange and read its body. Raises CaError if there is no whole reply in time."""
        self._guard(url)
        response: requests.Response | None = None
        try:
            response = self._send_request(method, url, **options)
            self._traffic.dated(response.headers, time.monotonic())
            content = self._read(response)
        except (OSError, urllib3.exceptions.HTTPError) as error:
            if response is not None:
                response.close()
            raise self._unavailable(why(error, urlsplit(url).netloc, self._budget)) from error
        self._keep_nonce(response, content)
        return response, content

    def _guard(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https":
            raise self._unavailable(f"certdesk speaks https alone, and {url!r} is not.")
        if parts.netloc not in self._hosts:
            raise self._unavailable(
                f"{parts.netloc} is not a host of the CA's directory; certdesk sends it nothing."
            )

    def _send_request(self, method: str, url: str, *_: Any, **kwargs: Any) -> requests.Response:
        """Send without logging, following no redirect, within what is left of the call; the body is not read yet."""
        left = self.seconds_left()
        if left == 0:
            raise requests.Timeout("the call's time is up")
        self._traffic.add(method.lower())
        return self.session.get_adapter(url).send(
            self._prepared(method, url, **kwargs),
            stream=True,
            timeout=(min(CONNECT_SECONDS, left), left),
            verify=self._roots,
            proxies=self.session.proxies,
        )

    def _prepared(
        self, method: str, url: str, data: bytes = b"", headers: Mapping[str, str] = MappingProxyType({})
    ) -> requests.PreparedRequest:
        """Return the request, put together here: what the session's own way adds (cookies, hooks, checks) costs as much as TLS."""
        request = requests.PreparedRequest()
        request.method, request.url, request.body, request.hooks = method, url, data or None, {}
        request.headers = CaseInsensitiveDict(_HEADERS)
        request.headers.update({**headers, "User-Agent": self.user_agent})
        if data:
            request.headers["Content-Length"] = str(len(data))
        return request

    def _read(self, response: requests.Response) -> bytes:
        """Return the body, however it trickles in, or raise at the deadline; a whole body leaves the connection open."""
        pieces: list[bytes] = []
        size = 0
        while piece := response.raw.read1(1 << 16):
            size += len(piece)
            if size > LARGEST:
                raise requests.RequestException(f"the reply is larger than {LARGEST} bytes")
            if time.monotonic() > self._until:
                raise requests.Timeout("the call's time is up")
            pieces.append(piece)
        response.raw.read()  # nothing is left: tells http.client so, which gives the connection back
        return b"".join(pieces)

    def _keep_nonce(self, response: requests.Response, content: bytes) -> None:
        """Keep the nonce of any reply, an error's too; after badNonce the older ones are as stale, so they go."""
        if not response.ok and _kind(content) == _BAD_NONCE:
            self._fresh.clear()
        nonce = response.headers.get(self.REPLAY_NONCE_HEADER, "")
        if _NONCE.fullmatch(nonce):
            self._fresh.append(nonce)

    def _judged(self, url: str, response: requests.Response, content: bytes, where: Where) -> Reply:
        """Return the reply if it is a success. Raises CaError otherwise."""
        now = self._clock()
        wait = retry_after(response.headers.get("Retry-After"), now)
        if 200 <= response.status_code < 300:
            return Reply(url, response.headers, content, wait)
        raise judge(
            Answer(
                ca=self._ca,
                now=now,
                status=response.status_code,
                problem=_document(content) if content else {},
                retry_at=wait,
                text=_not_acme(url, response),
                where=where,
            )
        )

    def _unavailable(self, text: str) -> CaError:
        return judge(Answer(ca=self._ca, now=self._clock(), text=text))


def _document(content: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _kind(content: bytes) -> object:
    return (_document(content) or {}).get("type")


def _not_acme(url: str, response: requests.Response) -> str:
    """Say what came instead of an ACME document."""
    host = urlsplit(url).netloc
    if response.is_redirect or 300 <= response.status_code < 400:
        target = response.headers.get("Location", "nowhere")
        return f"{host} redirects to {target}, which certdesk does not follow; check the directory URL in app.yaml."
    kind = response.headers.get("Content-Type", "no content type").partition(";")[0]
    return f"{host} answered {response.status_code} with {kind} that is no ACME problem document."
