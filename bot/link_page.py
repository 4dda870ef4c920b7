"""The page behind a link to a certificate or an alert: the same for every link, and it leads to Slack.

A browser says nothing of who opens it, so the page can show nothing of what a link is about: not even whether there is
such a thing. It looks nothing up, and so has neither different words nor a different time for what exists and what does not.
"""

from urllib.parse import urlencode, urljoin

import flask

from bot.pages import Page, Way, reader, shown
from bot.slack.settings import SlackSettings
from commands.unfurling import KINDS
from services.model.text import say


def add_link_page(app: flask.Flask, slack: SlackSettings) -> None:
    """Add the page at every path below /certificates/ and /alerts/. What stands in the path is not even looked at."""
    page = link_page(slack)

    def behind(**_path: str) -> flask.Response:
        return shown(page, reader(flask.request.accept_languages))

    for kind in KINDS:
        for rule in (f"/{kind}/", f"/{kind}/<path:_name>"):
            app.add_url_rule(rule, f"{kind}_page", behind, methods=["GET"])


def link_page(slack: SlackSettings) -> Page:
    """Return what stands behind every link."""
    return Page(
        say("Certificates and alerts are shown in Slack"),
        (
            say(
                "A browser does not tell certdesk who you are. So this page shows nothing of what your link is about: it is"
                " the same for every link, whether there is such a certificate or alert or not."
            ),
            say(
                "Open certdesk in Slack: its Home tab shows what is yours. For one certificate, type {command} there, with"
                " the name that stands in your link.",
                command=f"{slack.command} status NAME",
            ),
            say(
                "If certdesk shows you no store there, type {command} with the id of your store; the platform's support"
                " then decides.",
                command=f"{slack.command} link STORE",
            ),
        ),
        ways(slack),
    )


def ways(slack: SlackSettings, team: str = "") -> tuple[Way, ...]:
    """Return how certdesk is opened in Slack: in its program, and in the browser (Slack's reference "Deep linking").

    ``team``: the workspace, if it is known which; else the only one. Where there are several Slack finds the reader's.
    """
    team = team or ("" if slack.several else slack.team)
    where = {"team": team} if team else {}
    if not slack.app:
        return (Way(say("Open in Slack"), f"slack://open?{urlencode(where)}" if where else "slack://open"),)
    redirect = f"{urljoin(slack.api_url, '/app_redirect')}?{urlencode({'app': slack.app, **where})}"
    if not team:  # the program's address needs a workspace
        return (Way(say("Open in Slack"), redirect),)
    home = f"slack://app?{urlencode({'team': team, 'id': slack.app, 'tab': 'home'})}"
    return Way(say("Open in Slack"), home), Way(say("Open in the browser"), redirect)
