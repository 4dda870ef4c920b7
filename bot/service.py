"""`certdesk run | serve | work`: one wiring, and which of its halves this process is."""

import signal
import threading
from contextlib import ExitStack
from types import FrameType

import structlog

from bot import logs, pull, wiring
from bot.config import ConfigurationError, Loaded, load
from bot.config_keys import host_and_port
from bot.frontdoor import FrontDoor
from bot.health import SECONDS, Health
from bot.lookout import Lookout
from bot.slack.token import SECONDS as TOKEN_SECONDS
from bot.slackside import SlackSide, connect
from bot.ticker import Tick, Ticker
from bot.workers import Workers
from services.model.text import say

log = structlog.get_logger()


def serve(*, listen: bool, work: bool) -> None:
    """Run until SIGTERM or SIGINT; then let the steps under way end, and return."""
    loaded = load()
    logs.set_up(loaded.config.log)
    stopping = threading.Event()

    def stop(number: int, _: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with ExitStack() as stack:
        started(loaded, stack, listen=listen, work=work)
        stopping.wait()


def started(loaded: Loaded, stack: ExitStack, *, listen: bool, work: bool) -> wiring.Application:
    """Start the halves that are wanted; they stop in the opposite order when ``stack`` is left."""
    application = wiring.build(loaded)
    stack.callback(application.close)
    slack = connect(application)
    if slack is None:
        log.info("only the terminal is connected", why="slack.bot_token is not set")
    hears = slack.deaf_since if slack is not None and slack.socket is not None else None
    token = slack.token if slack is not None else None
    health = Health(
        application,
        slack=slack is not None,
        deaf_since=hears,
        listens=listen,
        token=lambda: token.refused if token is not None else None,
    )
    if work:
        workers = Workers(application, slack)
        workers.start()
        stack.callback(workers.stop)
    else:
        _guarding(application, stack)
    if listen:
        _listening(application, slack, health, stack)
        _answering(application, stack)
    asks = () if token is None else (Tick("token", TOKEN_SECONDS, token.look),)
    if token is not None:  # at once, and nobody waits for Slack
        threading.Thread(target=token.look, name="token", daemon=True).start()
    ticker = Ticker((Tick("health", SECONDS, health.tend), *asks))
    ticker.start()
    stack.callback(ticker.stop)
    if listen and not (
        loaded.config.alerts.channel or loaded.config.alerts.routes or loaded.config.alerts.webhooks
    ):
        log.info("alerts are told to nobody", why="alerts.channel and alerts.webhooks are not set")
    return application


def _guarding(application: wiring.Application, stack: ExitStack) -> None:
    """Tend alerts and tell webhooks in a process that does no other work, so that dead workers do not go unnoticed."""
    for pump in Lookout(application).guards:
        pump.start()
        stack.callback(pump.stop)


def _answering(application: wiring.Application, stack: ExitStack) -> None:
    """Start the listeners of targets that are asked for certificates."""
    for listener in pull.listeners(application):
        listener.start()
        stack.callback(listener.stop)


def _listening(
    application: wiring.Application, slack: SlackSide | None, health: Health, stack: ExitStack
) -> None:
    host, port = host_and_port(application.loaded.config.http.listen, 8402)
    try:
        door = FrontDoor(application, slack, host, port, health)
    except OSError as error:
        raise ConfigurationError(
            say(
                "http.listen: {host}:{port} cannot be listened on: {why}.",
                host=host,
                port=port,
                why=error.strerror or "",
            )
        ) from None
    door.start()
    stack.callback(door.stop)
    log.info(
        "ready",
        url=f"http://{host}:{door.port}",
        slack=application.loaded.config.slack.mode if slack else "off",
    )
