"""Installed in a workspace through a Slack that we did not write (emulate): off with a state, back with a code, a token that works."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from bot.demo.parts.emulate_slack import CLIENT_ID, CLIENT_SECRET, EmulatedSlack
from bot.demo.parts.errors import PartError
from bot.slack.installing import LASTS, Installer
from bot.slack.manifest import BOT_SCOPES
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import Clients, WorkspaceGoneError
from bot.web import Site, make_app
from commands.messages import compose
from services.model.settings import Alerting
from services.model.workspaces import Workspace, WorkspaceState
from services.ports import Message
from storage.memory import MemoryStorage
from storage.vault import Vault
from tests.desks import Bench

CALLBACK = "http://127.0.0.1:8402/slack/oauth/callback"
HOME = "T0HOME"


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedSlack]:
    folder: Path = tmp_path_factory.mktemp("emulate")
    try:
        part = EmulatedSlack.start(folder, redirect_urls=[CALLBACK], scopes=BOT_SCOPES)
    except PartError as error:
        pytest.fail(str(error), pytrace=False)
    with part:
        yield part


class World:
    """certdesk's pages, and a browser that follows Slack's."""

    def __init__(self, slack: EmulatedSlack, *, pkce: bool = False) -> None:
        self.storage, self.vault = MemoryStorage(), Vault([bytes(32)])
        self.settings = SlackSettings(
            mode="http",
            api_url=slack.api_url,
            team=HOME,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            redirect_url=CALLBACK,
            pkce=pkce,
            app="A0CERTDESK",
        )
        self.bench = Bench(self.storage)
        self.desk = replace(self.bench.desk, alerting=Alerting(support_channel="C0SUPPORT"))
        self.installer = Installer(self.settings, self.desk, self.vault, lambda: self.bench.now)
        site = Site(
            lambda _: None, b"k", list, CollectorRegistry(), installer=self.installer, settings=self.settings
        )
        self.app = make_app(site)
        self.browser = self.app.test_client()

    def begin(self, browser: FlaskClient) -> str:
        """Go to Slack; return the address there."""
        answer = browser.get("/slack/install")
        assert answer.status_code == 302
        return str(answer.headers["Location"])

    def agree(self, url: str, user: str = "mo") -> str:
        """Agree at Slack as ``user``; return what Slack sends the browser back to, as path and query."""
        page = requests.get(url, timeout=10)
        page.raise_for_status()
        form = next(form for form in page.text.split("<form")[1:] if f">{user}<" in form)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        target = f"{url.partition('/oauth/')[0]}/oauth/v2/authorize/callback"
        back = requests.post(target, data=fields, allow_redirects=False, timeout=10)
        parts = urlsplit(back.headers["Location"])
        return f"{parts.path}?{parts.query}"

    def workspace(self) -> Workspace:
        with self.storage.read() as tx:
            [found] = tx.workspaces.all()
        return found

    def owed(self) -> list[Message]:
        with self.storage.write() as tx:
            return list(tx.outbox.claim(self.bench.now, LASTS, 9))


@pytest.fixture
def world(slack: EmulatedSlack) -> World:
    return World(slack)


def test_a_workspace_is_installed_and_its_token_works(world: World) -> None:
    answer = world.browser.get(world.agree(world.begin(world.browser)))
    assert answer.status_code == 200, answer.text
    workspace = world.workspace()
    assert workspace.team in answer.text
    assert workspace.name in answer.text
    assert workspace.active
    assert workspace.bot_user.startswith("U")
    assert workspace.installed_by.startswith(f"{workspace.team}/U")
    client = Clients(world.settings, world.storage, world.vault).posting(workspace.team)
    assert client.auth_test()["team_id"] == workspace.team
    [channel] = [one["id"] for one in client.conversations_list()["channels"] if one["name"] == "general"]
    assert client.chat_postMessage(channel=channel, text="here")["ok"]


def test_the_token_is_sealed_and_stands_in_no_page_and_no_repr(world: World) -> None:
    answer = world.browser.get(world.agree(world.begin(world.browser)))
    workspace = world.workspace()
    token = world.vault.open(workspace.sealed_token, workspace.token_binding).decode()
    assert token.startswith("xoxb-")
    assert token.encode() not in workspace.sealed_token
    for shown in (answer.text, repr(workspace), repr(world.settings), str(world.owed())):
        assert token not in shown
        assert CLIENT_SECRET not in shown


def test_support_is_told_and_the_trail_keeps_it(world: World) -> None:
    world.browser.get(world.agree(world.begin(world.browser)))
    [message] = world.owed()
    team = world.workspace().team
    assert (message.team, message.channel, message.kind) == ("", "C0SUPPORT", "workspace")
    assert f"/ssl link workspace {team} STORE" in str(compose(world.desk, message).reply)
    with world.storage.read() as tx:
        [entry] = tx.audit.entries()
    assert (entry.action, entry.subject, entry.actor) == ("install", team, world.workspace().installed_by)


def test_again_is_the_next_generation_and_the_new_token_is_used(world: World) -> None:
    clients = Clients(world.settings, world.storage, world.vault)
    world.browser.get(world.agree(world.begin(world.browser)))
    team = world.workspace().team
    first = clients.asking(team).token
    with world.storage.write() as tx:
        tx.workspaces.leave(team, WorkspaceState.UNINSTALLED, world.bench.now + LASTS)
    with pytest.raises(WorkspaceGoneError):
        clients.asking(team).auth_test()
    world.browser.get(world.agree(world.begin(world.browser)))
    assert world.workspace().generation == 2
    assert clients.asking(team).token not in (first, None)
    assert clients.asking(team).auth_test()["ok"]


def test_a_state_is_good_for_one_time(world: World) -> None:
    back = world.agree(world.begin(world.browser))
    cookie = world.browser.get_cookie("certdesk_install", path="/slack/oauth")
    assert cookie is not None
    assert world.browser.get(back).status_code == 200
    world.browser.set_cookie("certdesk_install", cookie.value, path="/slack/oauth")
    again = world.browser.get(back)
    assert again.status_code == 400
    assert "Nothing was installed" in again.text


def test_a_state_belongs_to_the_browser_that_began(world: World) -> None:
    back = world.agree(world.begin(world.browser))
    other = world.app.test_client()
    assert other.get(back).status_code == 400  # without a cookie
    world.begin(other)
    assert other.get(back).status_code == 400  # with one of its own
    with world.storage.read() as tx:
        assert tx.workspaces.all() == []
    assert world.browser.get(back).status_code == 200  # nobody has used it up


def test_a_state_runs_out(world: World) -> None:
    back = world.agree(world.begin(world.browser))
    world.bench.now += LASTS
    assert world.browser.get(back).status_code == 400


@pytest.mark.parametrize("state", ["", "x", "é", "A" * 300, "A" * 2000, "__--"])
def test_a_forged_state_is_refused(world: World, state: str) -> None:
    world.begin(world.browser)
    answer = world.browser.get("/slack/oauth/callback", query_string={"state": state, "code": "abc"})
    assert answer.status_code == 400
    assert "Nothing was installed" in answer.text


def test_a_code_that_slack_does_not_know_installs_nothing(world: World) -> None:
    state = parse_qs(urlsplit(world.begin(world.browser)).query)["state"][0]
    answer = world.browser.get("/slack/oauth/callback", query_string={"state": state, "code": "<b>no"})
    assert answer.status_code == 400
    assert "invalid_code" in answer.text
    assert "<b>" not in answer.text


def test_who_cancels_at_slack_is_told_so(world: World) -> None:
    state = parse_qs(urlsplit(world.begin(world.browser)).query)["state"][0]
    answer = world.browser.get(
        "/slack/oauth/callback", query_string={"state": state, "error": "access_denied"}
    )
    assert answer.status_code == 400
    assert "<p>Nothing was installed: it was cancelled at Slack.</p>" in answer.text
    assert '<a href="/slack/install"' in answer.text


def test_the_pages_speak_the_browsers_language(world: World) -> None:
    spoken = {"Accept-Language": "ko-KR, en;q=0.5"}
    state = parse_qs(urlsplit(world.begin(world.browser)).query)["state"][0]
    query = {"state": state, "error": "access_denied"}
    refused = world.browser.get("/slack/oauth/callback", query_string=query, headers=spoken)
    assert refused.headers["Content-Language"] == "ko"
    assert "Slack에서 취소되었습니다" in refused.text
    done = world.browser.get(world.agree(world.begin(world.browser)), headers={"Accept-Language": "ja"})
    assert "インストール" in done.text
    assert world.workspace().team in done.text
    assert f"slack://app?team={world.workspace().team}&amp;id=A0CERTDESK&amp;tab=home" in done.text


def test_the_cookie_is_for_this_flow_alone(world: World) -> None:
    set_cookie = world.browser.get("/slack/install").headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/slack/oauth", "Max-Age=600"):
        assert part in set_cookie


def test_with_pkce_the_challenge_goes_along_and_without_it_does_not(slack: EmulatedSlack) -> None:
    plain = parse_qs(urlsplit(World(slack).installer.begin().url).query)
    asked = parse_qs(urlsplit(World(slack, pkce=True).installer.begin().url).query)
    assert "code_challenge" not in plain
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    world = World(slack, pkce=True)
    assert world.browser.get(world.agree(world.begin(world.browser))).status_code == 200


def test_where_one_workspace_is_all_there_are_no_such_pages() -> None:
    site = Site(lambda _: None, b"k", list, CollectorRegistry())
    assert make_app(site).test_client().get("/slack/install").status_code == 404
