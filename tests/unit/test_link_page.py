"""The page behind links to certificates and alerts: one page for all of them, in the reader's language, that leads to Slack."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from bot.link_page import link_page, ways
from bot.pages import Page, Way, reader, shown
from bot.slack.settings import SlackSettings
from bot.text.language import languages
from bot.web import Site, make_app
from services.model.text import say

SETTINGS = SlackSettings(link_domain="certdesk.test", team="T1", app="A1")
PATHS = (
    "/certificates/shop.moon.test",
    "/certificates/shop.sun.test",
    "/certificates/nobodys.test",
    "/certificates/*.moon.test/",
    "/certificates/<script>alert(1)</script>",
    "/certificates/../metrics",
    "/certificates/%00",
    "/certificates",
    "/certificates/?name=x",
    "/alerts/alert_0",
    "/alerts/alert_moon",
    "/alerts/" + "a" * 5000,
)


def client(settings: SlackSettings = SETTINGS) -> FlaskClient:
    """Return a browser at a certdesk that has nothing to look anything up in."""

    def nothing(_token: str) -> None:
        raise AssertionError("something was looked up")

    return make_app(Site(nothing, b"k", list, CollectorRegistry(), settings=settings)).test_client()


def test_every_link_leads_to_the_same_page_to_the_byte() -> None:
    answers = [client().get(path, headers={"Accept-Language": "ko"}) for path in PATHS]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1
    assert len({str(answer.headers) for answer in answers}) == 1
    assert "moon" not in answers[0].text


def test_without_links_there_is_no_such_page() -> None:
    assert client(replace(SETTINGS, link_domain="")).get(PATHS[0]).status_code == 404


def test_only_a_look_is_answered() -> None:
    assert client().head(PATHS[0]).status_code == 200
    assert client().post(PATHS[0]).status_code == 405
    assert client().get("/certificatesx").status_code == 404


@pytest.mark.parametrize("language", languages(), ids=lambda one: one.code)
def test_it_speaks_the_readers_language(language: object) -> None:
    [spoken] = [one for one in languages() if one == language]
    answer = client().get(PATHS[0], headers={"Accept-Language": spoken.code})
    page = link_page(SETTINGS)
    assert f'<html lang="{spoken.code}">' in answer.text
    assert answer.headers["Content-Language"] == spoken.code
    for text in (page.title, *(way.label for way in page.ways)):
        assert spoken.plain(text) in answer.text
    assert "/ssl status NAME" in answer.text


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("fr, ja;q=0.4, en;q=0.2", "ja"),
        ("JA-jp", "ja"),
        ("ko-KR, en;q=0.5", "ko"),
        ("zh-Hant-TW, en-GB;q=0.9, ko;q=0.8", "en"),
        ("de", "en"),
        ("", "en"),
        ("*", "en"),
        ("ko;q=0, ja;q=0.1", "ja"),
        ("ko;q=nonsense", "en"),
        (",;=\x7f" * 50, "en"),
    ],
)
def test_of_the_languages_that_a_browser_asks_for_the_most_welcome_is_spoken(header: str, code: str) -> None:
    answer = client().get(PATHS[0], headers={"Accept-Language": header})
    assert answer.headers["Content-Language"] == code
    assert answer.headers["Vary"] == "Accept-Language"  # so that no cache gives it to others


def test_nothing_can_run_be_kept_be_found_or_be_told_to_others() -> None:
    headers = client().get(PATHS[0]).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "noindex" in headers["X-Robots-Tag"]
    assert "Set-Cookie" not in headers


def test_the_style_is_the_one_that_the_policy_allows() -> None:
    answer = client().get(PATHS[0])
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    assert re.findall(r"\b(?:src|style|on\w+)=|<script|http-equiv", answer.text) == []


HOME = "slack://app?team=T1&id=A1&tab=home"
REDIRECT = "https://slack.com/app_redirect?app=A1"
SEVERAL = replace(SETTINGS, client_id="1.2")


@pytest.mark.parametrize(
    ("settings", "team", "addresses"),
    [
        (SETTINGS, "", [HOME, f"{REDIRECT}&team=T1"]),
        (replace(SETTINGS, team=""), "", [REDIRECT]),
        (replace(SETTINGS, app=""), "", ["slack://open?team=T1"]),
        (SlackSettings(), "", ["slack://open"]),
        (SEVERAL, "", [REDIRECT]),  # nobody knows in which the reader is
        (SEVERAL, "T2", [HOME.replace("T1", "T2"), f"{REDIRECT}&team=T2"]),
    ],
)
def test_it_leads_to_slack(settings: SlackSettings, team: str, addresses: list[str]) -> None:
    assert [way.address for way in ways(settings, team)] == addresses


def test_what_comes_from_outside_is_text() -> None:
    app = make_app(Site(lambda _: None, b"k", list, CollectorRegistry()))
    page = Page(say("{name}", name="<b>&"), (say("{name}", name='"><i>'),), (Way(say("x"), '"onload="y'),))
    with app.test_request_context():
        body = shown(page, reader(app.test_client().get("/").request.accept_languages)).get_data(as_text=True)
    assert "<b>" not in body
    assert "<i>" not in body
    assert '"onload' not in body
    assert "&lt;b&gt;&amp;" in body
