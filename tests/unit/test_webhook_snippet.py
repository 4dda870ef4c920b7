"""The check of a webhook's sender in docs/alerts.md does what it says, for what certdesk really sends."""

import textwrap
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.alerting.paging import headers
from services.model.clock import utc_now
from services.model.settings import Hook

DOCUMENT = Path(__file__).parents[2] / "docs" / "alerts.md"
HOOK = Hook("own", "json", "https://hooks.test/", "hush")
BODY = b'{"event":"trigger"}'


def sent(age: timedelta = timedelta()) -> dict[str, str]:
    """Return the headers that certdesk signs now, or signed that long ago."""
    return dict(headers(HOOK, BODY, "msg_1.1", utc_now() - age))


def checked(secret: str, received: Mapping[str, str], body: bytes) -> bool:
    """Return what the document's own code says."""
    text = DOCUMENT.read_text()
    begin = text.index("    import hashlib, hmac, time")
    code = textwrap.dedent(text[begin : text.index("\n## ", begin)])
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own document
    answer: bool = names["is_from_certdesk"](secret, received, body)
    return answer


def test_what_certdesk_sends_is_believed() -> None:
    assert checked("hush", sent(), BODY)


@pytest.mark.parametrize(
    ("secret", "changes", "body"),
    [
        ("other", {}, BODY),
        ("hush", {}, BODY + b" "),
        ("hush", {"X-Certdesk-Signature": "v1="}, BODY),
        ("hush", {"X-Certdesk-Signature": "v1=é"}, BODY),
        ("hush", {"X-Certdesk-Timestamp": "soon"}, BODY),
        ("hush", {"X-Certdesk-Timestamp": "²"}, BODY),
    ],
)
def test_what_others_send_is_not(secret: str, changes: Mapping[str, str], body: bytes) -> None:
    assert not checked(secret, {**sent(), **changes}, body)


def test_what_is_old_is_not() -> None:
    assert not checked("hush", sent(timedelta(minutes=6)), BODY)


def test_without_the_headers_nothing_is_believed() -> None:
    assert not checked("hush", {}, BODY)
