"""certdesk answers by messages that it can edit for as long as it likes: no response_url is ever used.

Slack takes five answers to one, within thirty minutes (its docs, "Handling user interaction"); then it says used_url. The work on a
certificate takes longer, and is told of more often.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for room in ("bot", "commands", "services", "storage") for path in (ROOT / room).rglob("*.py")
)
USED = re.compile(r"response_url|hooks\.slack\.com|WebhookClient|slack_sdk\.webhook|\brespond\b\s*[(:,=]")
"""How Slack's libraries let one be used: by the payload's field, their client for it, or Bolt's argument `respond`."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_response_url_is_used(path: Path) -> None:
    assert USED.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        'requests.post(body["response_url"])',
        "from slack_sdk.webhook import WebhookClient",
        "def handler(ack, respond): ...",
        'respond("done")',
    ],
)
def test_a_use_would_be_found(line: str) -> None:
    assert USED.search(
        line + "\n" if not line.startswith("def") else line.replace("respond)", "respond: Respond)")
    )
