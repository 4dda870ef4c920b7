"""When to renew, look and try again: pure rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.certificates import Certificate, Revision, Window
from services.model.settings import Renewing
from services.renewal import timing

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BARE = Certificate("c", "moon", "moon.test", ("moon.test",), NOW, NOW)


def living(days: float, start: datetime = NOW) -> Certificate:
    return replace(BARE, installed="rev", not_before=start, not_after=start + days * DAY)


@pytest.mark.parametrize(
    ("days", "left"), [(90, 30), (64, 64 / 3), (45, 15), (10, 10 / 3), (9.9, 4.95), (160 / 24, 80 / 24)]
)
def test_the_backstop_is_a_third_or_half_of_the_lifetime_before_its_end(days: float, left: float) -> None:
    end = NOW + days * DAY
    assert abs(timing.backstop(NOW, end) - (end - left * DAY)) < timedelta(seconds=1)


@pytest.mark.parametrize(("day", "near"), [(0, False), (74.9, False), (75, True), (90, True), (200, True)])
def test_the_last_sixth_of_the_lifetime_is_near_expiry(day: float, near: bool) -> None:
    assert timing.near_expiry(living(90), NOW + day * DAY) is near


def test_what_was_never_installed_is_not_near_expiry() -> None:
    assert not timing.near_expiry(BARE, NOW)
    assert timing.left(BARE, NOW) == 0
    assert timing.left(living(0), NOW) == 0


@pytest.mark.parametrize(("failures", "minutes"), [(0, 1), (1, 1), (2, 10), (3, 100), (4, 1440), (99, 1440)])
def test_back_off_is_1_10_100_minutes_then_daily(failures: int, minutes: int) -> None:
    assert timing.backoff(Renewing(), failures) == timedelta(minutes=minutes)


def test_polls_and_faults_come_rarer_up_to_a_bound() -> None:
    for delay, most in ((timing.poll_delay, 5), (timing.fault_delay, 60)):
        delays = [delay(number) for number in range(30)]
        assert delays == sorted(delays)
        assert delays[-1] == timedelta(seconds=most)


@given(st.floats(0, 1), st.floats(-200, 400), st.floats(0.1, 20), st.floats(1, 400))
def test_the_moment_is_never_later_than_the_backstop_and_a_spread(
    chance: float, start: float, length: float, days: float
) -> None:
    window = Window(NOW + start * DAY, NOW + (start + length) * DAY)
    one = living(days)
    kept, moment = timing.renewal_moment(one, window, chance)
    assert kept == window
    assert one.not_after is not None
    assert moment < one.not_after
    assert moment <= timing.backstop(NOW, one.not_after) + days * DAY * 0.02
    assert moment <= window.end


def test_the_moment_is_kept_while_the_window_is_and_drawn_anew_when_it_changes() -> None:
    window = Window(NOW + 10 * DAY, NOW + 12 * DAY)
    one = replace(living(90), window=window, renew_at=NOW + 11 * DAY)
    assert timing.renewal_moment(one, window, 0.9) == (window, NOW + 11 * DAY)
    other = Window(NOW + 20 * DAY, NOW + 22 * DAY)
    assert timing.renewal_moment(one, other, 0.5) == (other, NOW + 21 * DAY)
    assert timing.renewal_moment(one, None, 0.5) == (None, NOW + 60 * DAY)


def test_the_moment_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="installed"):
        timing.renewal_moment(BARE, None, 0.5)


@pytest.mark.parametrize(("chance", "hours"), [(0, 0), (0.5, 24), (1, 48)])
def test_a_moment_is_drawn_over_the_whole_window(chance: float, hours: int) -> None:
    assert timing.draw(Window(NOW, NOW + 2 * DAY), chance) == NOW + hours * HOUR


def issued(*hours: float, days: float = 90) -> list[Revision]:
    return [
        Revision(
            f"rev_{h}",
            "c",
            ("moon.test",),
            "csr",
            b"",
            NOW + h * HOUR,
            not_before=NOW + h * HOUR,
            not_after=NOW + h * HOUR + days * DAY,
        )
        for h in hours
    ]


def test_too_many_issued_in_a_short_time_make_a_pause() -> None:
    some = issued(0, 1, 2, 3, 4, 5)
    assert len(some) == timing.OFTEN
    assert timing.pause_until(some, NOW + 6 * HOUR) == NOW + 36 * HOUR
    assert timing.pause_until(some, NOW + 36 * HOUR) is None
    assert timing.pause_until(some[1:], NOW + 6 * HOUR) is None
    drafts = [replace(r, not_before=None) for r in some]
    assert timing.pause_until(drafts, NOW + 6 * HOUR) is None
    assert timing.pause_until(issued(0, 1, 2, 3, 4, 5, days=6), NOW + 6 * HOUR) is None


def test_the_order_in_which_revisions_come_does_not_matter() -> None:
    some = issued(5, 3, 1, 0, 2, 4, -500, -400)
    assert timing.pause_until(some, NOW + 6 * HOUR) == NOW + 36 * HOUR
