"""Exchanges with a CA are counted, and its Date headers tell how far the two clocks are apart."""

from datetime import UTC, datetime, timedelta

import pytest

from services.issuance.acme.traffic import DATE_AGE_SECONDS, DATE_SECONDS, Traffic

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
DATE = {"Date": "Wed, 10 Feb 2027 14:05:00 GMT"}


def test_exchanges_are_counted_by_kind() -> None:
    traffic = Traffic()
    for what in ("get", "post", "post"):
        traffic.add(what)
    assert traffic.counts() == {"get": 1, "post": 2}


def test_nothing_is_known_before_a_reply() -> None:
    assert Traffic().clock_ahead(NOW, 0) is None


def test_the_cas_clock_is_compared_with_ours() -> None:
    traffic = Traffic()
    traffic.dated(DATE, 1000.0)
    assert traffic.clock_ahead(NOW, 1000.0) == timedelta(minutes=2)
    assert traffic.clock_ahead(NOW + timedelta(minutes=5), 1000.0) == timedelta(minutes=-3)


def test_a_clock_that_was_set_right_shows_without_another_reply() -> None:
    traffic = Traffic()
    traffic.dated(DATE, 1000.0)
    # ten seconds later this machine's clock has been set two minutes forward
    assert traffic.clock_ahead(NOW + timedelta(minutes=2, seconds=10), 1010.0) == timedelta(0)


def test_what_was_heard_long_ago_says_nothing() -> None:
    traffic = Traffic()
    traffic.dated(DATE, 1000.0)
    assert traffic.clock_ahead(NOW, 1000.0 + DATE_AGE_SECONDS + 1) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Date": ""},
        {"Date": "today"},
        {"Date": "Wed, 10 Feb 2027 14:05:00 -0000"},
        {"Date": "2027-02-10"},
        {**DATE, "Age": "120"},
    ],
)
def test_what_is_no_date_of_now_is_passed_over(headers: dict[str, str]) -> None:
    traffic = Traffic()
    traffic.dated(headers, 1000.0)
    assert traffic.clock_ahead(NOW, 1000.0) is None


def test_not_every_reply_is_looked_at() -> None:
    traffic = Traffic()
    traffic.dated(DATE, 1000.0)
    later = {"Date": "Wed, 10 Feb 2027 15:00:00 GMT"}
    traffic.dated(later, 1000.0 + DATE_SECONDS - 1)
    assert traffic.clock_ahead(NOW, 1000.0) == timedelta(minutes=2)
    traffic.dated(later, 1000.0 + DATE_SECONDS)
    assert traffic.clock_ahead(NOW, 1000.0 + DATE_SECONDS) == timedelta(minutes=57)
