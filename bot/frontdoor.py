"""The listening half: HTTP for Slack, http-01 challenges, probes, health and metrics; and Socket Mode where that is set."""

from collections.abc import Sequence
from functools import partial

from bot import metrics, settings
from bot.health import Health
from bot.slackside import SlackSide
from bot.ticker import Tick, Ticker
from bot.web import Site, WebServer, make_app
from bot.wiring import Application
from services.issuance.responders import answer_for

SOCKET_CHECK_SECONDS = 10.0


class FrontDoor:
    """Where everything from outside comes in."""

    def __init__(
        self,
        application: Application,
        slack: SlackSide | None,
        host: str,
        port: int,
        health: Health,
    ) -> None:
        """Bind at once; answering begins with `start`. Raises OSError if the address cannot be had."""
        self._application = application
        self._socket = slack.socket if slack else None
        site = Site(
            answer_for=partial(answer_for, application.storage),
            edge_key=application.edge_key,
            unready=self._unready,
            registry=metrics.registry(
                application.storage,
                application.traffic,
                application.clock,
                slack.soundness.counts if slack else dict,
            ),
            slack=slack.door if slack else None,
            installer=slack.installer if slack else None,
            checks=health.checks,
            settings=settings.slack(application.loaded),
        )
        self._web = WebServer(make_app(site), host, port, threads=application.loaded.config.http.threads)
        checks = (
            (Tick("socket mode", SOCKET_CHECK_SECONDS, lambda: slack.tick(application.clock())),)
            if slack and slack.socket
            else ()
        )
        self._ticker = Ticker(checks)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._web.port

    def start(self) -> None:
        """Begin to answer."""
        self._web.start()
        if self._socket is not None:
            self._socket.start()
        self._ticker.start()

    def stop(self) -> None:
        """Finish what is under way and close."""
        self._ticker.stop()
        if self._socket is not None:
            self._socket.stop()
        self._web.stop()

    def _unready(self) -> Sequence[str]:
        reasons = (
            []
            if self._application.storage.ready()
            else ["the database does not answer, or its schema is behind"]
        )
        if self._socket is not None and not self._socket.connected():
            reasons.append("Socket Mode is not connected")
        return reasons
