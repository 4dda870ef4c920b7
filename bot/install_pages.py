"""The two pages by which certdesk is installed in a further workspace: off to Slack, and back; in the reader's language."""

from collections.abc import Callable, Sequence

import flask

from bot.pages import Page, Way, reader, shown
from bot.slack.installing import LASTS, Installer, InstallRefusedError
from services.model.text import say
from services.model.workspaces import Workspace

_COOKIE = "certdesk_install"
_FOLDER, _BEGIN = "/slack/oauth", "/slack/install"


def add_pages(app: flask.Flask, installer: Installer, ways: Callable[[str], Sequence[Way]]) -> None:
    """Add /slack/install and /slack/oauth/callback. Nothing that a stranger sends is ever shown back.

    ``ways``: from a workspace's id to how certdesk is opened there.
    """

    @app.get(_BEGIN)
    def install() -> flask.Response:
        begun = installer.begin()
        response = _page(Page(_TITLE, (say("You are on your way to Slack."),)), 302)
        response.headers["Location"] = begun.url
        response.set_cookie(
            _COOKIE,
            begun.cookie,
            max_age=LASTS,
            path=_FOLDER,
            secure=installer.secure,
            httponly=True,
            samesite="Lax",  # Slack's redirect is a navigation from another site, which Strict would keep it from
        )
        return response

    @app.get(f"{_FOLDER}/callback")
    def callback() -> flask.Response:
        request = flask.request
        try:
            workspace = installer.finish(request.args, request.cookies.get(_COOKIE, ""))
        except InstallRefusedError as refused:
            response = _page(Page(_TITLE, (refused.text,), (Way(say("Begin again"), _BEGIN),)), 400)
        else:
            response = _page(_installed(workspace, ways(workspace.team)), 200)
        response.delete_cookie(_COOKIE, path=_FOLDER, secure=installer.secure, httponly=True, samesite="Lax")
        return response


_TITLE = say("Installing certdesk")


def _installed(workspace: Workspace, ways: Sequence[Way]) -> Page:
    told = say(
        "certdesk is installed in {name}. Nobody there sees a store yet: tell the platform's support the id of your"
        " workspace, {team}, and which store is yours. Once they have linked it, type /ssl in Slack. You can close this page.",
        name=workspace.name or workspace.team,
        team=workspace.team,
    )
    return Page(_TITLE, (told,), ways)


def _page(page: Page, status: int) -> flask.Response:
    return shown(page, reader(flask.request.accept_languages), status)
