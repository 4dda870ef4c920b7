"""The manifest asks for the fewest rights and fits the way certdesk is connected."""

from dataclasses import replace

import pytest

from bot.slack.manifest import BOT_SCOPES, CANARY_SCOPES, manifest
from bot.slack.settings import Mode, SlackSettings
from services.model.errors import CertdeskError


def test_over_http_it_names_our_address() -> None:
    made = manifest(SlackSettings(mode="http"), "https://certdesk.example.com/")
    [command] = made["features"]["slash_commands"]
    assert command["command"] == "/ssl"
    assert command["url"] == "https://certdesk.example.com/slack/events"
    assert made["settings"]["interactivity"]["request_url"] == command["url"]
    assert made["settings"]["socket_mode_enabled"] is False


@pytest.mark.parametrize("mode", ["", "http", "socket"])
def test_without_an_address_it_is_a_socket_mode_app_before_anything_is_configured(mode: Mode) -> None:
    made = manifest(SlackSettings(mode=mode, command="/tls"))
    assert made["settings"]["socket_mode_enabled"] is True
    assert made["features"]["slash_commands"][0]["command"] == "/tls"
    assert "url" not in made["features"]["slash_commands"][0]
    assert made["settings"]["interactivity"] == {"is_enabled": True}


@pytest.mark.parametrize(
    "url", ["http://certdesk.example.com", "certdesk.example.com", "https://", "https://[::1", "--help"]
)
def test_over_http_slack_needs_https(url: str) -> None:
    with pytest.raises(CertdeskError, match=r"is none\. Without a URL it is a Socket Mode app"):
        manifest(SlackSettings(mode="http"), url)


def test_the_scopes_are_the_fewest() -> None:
    assert manifest(SlackSettings(mode="socket"))["oauth_config"]["scopes"]["bot"] == list(BOT_SCOPES)
    seen = {"files:read", "channels:read", "groups:read", "mpim:read", "users:read", "usergroups:read"}
    assert set(BOT_SCOPES) == {"commands", "chat:write", "im:write", "files:write", *seen}


def test_slacks_own_limits_on_words_are_kept() -> None:
    made = manifest(SlackSettings(mode="socket"))
    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
    assert len(made["features"]["slash_commands"][0]["description"]) <= 2000


def test_the_canary_asks_for_more_only_where_it_sings() -> None:
    settings = SlackSettings(mode="socket", canary_channel="C0CANARY")
    made = manifest(settings)
    assert made["oauth_config"]["scopes"]["bot"] == [*BOT_SCOPES, *CANARY_SCOPES]
    assert made["settings"]["event_subscriptions"] == {"bot_events": ["app_home_opened", "reaction_added"]}
    over_http = manifest(settings, "https://certdesk.example.com")
    assert over_http["oauth_config"]["scopes"]["bot"] == list(BOT_SCOPES)
    assert over_http["settings"]["event_subscriptions"] == {
        "bot_events": ["app_home_opened"],
        "request_url": "https://certdesk.example.com/slack/events",
    }


def test_the_home_tab_is_on_and_its_opening_is_told() -> None:
    made = manifest(SlackSettings(mode="socket"))
    assert made["features"]["app_home"]["home_tab_enabled"] is True
    assert made["settings"]["event_subscriptions"] == {"bot_events": ["app_home_opened"]}


SEVERAL = SlackSettings(
    mode="http",
    team="T0HOME",
    client_id="1.2",
    client_secret="hush",
    redirect_url="https://certdesk.example.com/slack/oauth/callback",
)


def test_for_several_workspaces_it_has_the_way_back_and_hears_who_leaves() -> None:
    made = manifest(SEVERAL, "https://certdesk.example.com")
    assert made["oauth_config"]["redirect_urls"] == [SEVERAL.redirect_url]
    assert made["oauth_config"]["scopes"]["bot"] == list(BOT_SCOPES)
    subscribed = made["settings"]["event_subscriptions"]
    assert subscribed["bot_events"] == ["app_home_opened", "app_uninstalled", "tokens_revoked"]
    assert subscribed["request_url"] == "https://certdesk.example.com/slack/events"
    assert "request_url" not in manifest(SEVERAL)["settings"]["event_subscriptions"]
    assert "hush" not in str(made)


def test_tokens_rotate_only_where_none_stands_in_the_settings() -> None:
    assert manifest(SEVERAL)["settings"]["token_rotation_enabled"] is True
    kept = replace(SEVERAL, bot_token="xoxb-1")
    assert manifest(kept)["settings"]["token_rotation_enabled"] is False
    assert manifest(SlackSettings())["settings"]["token_rotation_enabled"] is False
