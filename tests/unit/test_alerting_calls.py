"""Whom an alert calls, when Slack was away meanwhile: once for what has got graver, and nobody for what is over."""

from commands.messages import compose
from commands.reply import Mention
from services.alerting.clicks import acknowledge, hand_over
from services.model.alerts import Alert
from services.model.settings import Alerting
from tests.unit.alert_world import CHANNEL, DAY, MINUTE, SUPPORT, World, found

KEY = "dns.not_hosted moon.test"
ONCALL, MANAGERS = "S_ONCALL", "S_MANAGERS"


def _warned(*, posted: bool = True) -> World:
    """Return a world with an alert of 15 days' margin that Slack has taken, or not yet."""
    world = World()
    moon = world.install("moon", 15 * DAY)
    world.confirm(moon, found("dns.not_hosted", "moon.test"))
    world.tend()
    if posted:
        assert calls(world) == {}
    return world


def calls(world: World) -> dict[str, list[tuple[str, ...]]]:
    """Let Slack take all that is owed; return channel -> the groups that each message called, as composed then."""
    called: dict[str, list[tuple[str, ...]]] = {}
    for message in world.outbox():
        reply = compose(world.desk, message).reply
        for part in reply.parts:
            if isinstance(part, Mention):
                called.setdefault(message.channel, []).append(part.groups)
    return called


def _alert(world: World) -> Alert:
    return world.alert(KEY)


def test_what_was_never_posted_calls_once_when_it_is() -> None:
    world = _warned(posted=False)
    world.run(9 * DAY)
    assert calls(world) == {CHANNEL: [(ONCALL,)]}


def test_every_threshold_that_slack_missed_is_in_the_first_post() -> None:
    world = _warned(posted=False)
    world.run(14 * DAY)
    assert calls(world) == {CHANNEL: [(ONCALL, MANAGERS)]}


def test_what_is_being_posted_in_the_moment_that_it_gets_graver_calls_in_its_thread() -> None:
    world = _warned(posted=False)
    world.run(8 * DAY - world.policy.confirm - MINUTE)
    with world.storage.write() as tx:
        [message] = tx.outbox.claim(world.now, 2 * MINUTE, 1)
    compose(world.desk, message)  # as a warning
    world.pass_(MINUTE)
    world.tend()
    with world.storage.write() as tx:
        tx.outbox.delivered(message, "1.2", final=False)
    assert calls(world) == {CHANNEL: [(ONCALL,)]}


def test_nobody_is_called_to_what_has_healed_meanwhile() -> None:
    world = _warned()
    world.run(9 * DAY)
    world.see(world.certificate("cert_moon"))
    world.tend()
    assert _alert(world).healed_at is not None
    assert calls(world) == {}


def test_nobody_is_called_to_what_somebody_has_acknowledged_meanwhile() -> None:
    world = _warned()
    world.run(9 * DAY)
    assert acknowledge(world.desk, _alert(world).id, _alert(world).version, "T1/U_ANNA").done
    assert calls(world) == {}
    world.run(5 * DAY)
    assert calls(world) == {CHANNEL: [(ONCALL, MANAGERS)]}


def test_one_threshold_is_one_call_where_support_has_it_too() -> None:
    world = _warned()
    assert hand_over(world.desk, _alert(world).id, _alert(world).version, "T1/U_ANNA").done
    assert calls(world) == {}
    world.run(9 * DAY)
    assert _alert(world).channels == (CHANNEL, SUPPORT)
    assert calls(world) == {CHANNEL: [(ONCALL,)]}


def test_where_the_only_channel_is_that_of_support_it_calls_there() -> None:
    world = World()
    world.policy = Alerting(channel=SUPPORT, support_channel=SUPPORT, oncall_group=ONCALL)
    world.confirm(world.install("moon", 15 * DAY), found("dns.not_hosted", "moon.test"))
    world.tend()
    assert calls(world) == {}
    assert hand_over(world.desk, _alert(world).id, _alert(world).version, "T1/U_ANNA").done
    world.run(9 * DAY)
    assert calls(world) == {SUPPORT: [(ONCALL,)]}
