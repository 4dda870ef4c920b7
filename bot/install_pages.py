"""The two pages by which certdesk is installed in a further workspace: off to Slack, and back."""

import flask

from bot.slack.installing import LASTS, Installer, InstallRefusedError
from services.model.text import Text, say
from services.model.workspaces import Workspace

_COOKIE = "certdesk_install"
_FOLDER = "/slack/oauth"


def add_pages(app: flask.Flask, installer: Installer) -> None:
    """Add /slack/install and /slack/oauth/callback. Nothing that a stranger sends is ever shown back."""

    @app.get("/slack/install")
    def install() -> flask.Response:
        begun = installer.begin()
        response = _page(say("You are on your way to Slack."), 302)
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
            response = _page(refused.text, 400)
        else:
            response = _page(_installed(workspace), 200)
        response.delete_cookie(_COOKIE, path=_FOLDER, secure=installer.secure, httponly=True, samesite="Lax")
        return response


def _installed(workspace: Workspace) -> Text:
    return say(
        "certdesk is installed in {name}. Nobody there sees a store yet: tell the platform's support the id of your"
        " workspace, {team}, and which store is yours. Once they have linked it, type /ssl in Slack. You can close this page.",
        name=workspace.name or workspace.team,
        team=workspace.team,
    )


def _page(text: Text, status: int) -> flask.Response:
    return flask.Response(f"{text.plain()}\n", status=status, content_type="text/plain; charset=utf-8")
