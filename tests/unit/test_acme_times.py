"""Moments as CAs write them."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.acme.times import LONGEST, retry_after, retry_in_text, stamp

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)


@pytest.fixture(params=["UTC", "Asia/Seoul", "America/Los_Angeles"])
def zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the machine stand in another time zone: nothing may depend on it."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("header", "moment"),
    [
        (None, None),
        ("0", NOW),
        (" 90 ", NOW + timedelta(seconds=90)),
        ("99999999999999999999", NOW + LONGEST),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        ("Wed, 10 Feb 2027 15:03:00 GMT", NOW + timedelta(hours=1)),
        ("Wed, 10 Feb 2027 15:03:00 -0000", NOW + timedelta(hours=1)),
        ("Wed, 10 Feb 2027 16:03:00 +0100", NOW + timedelta(hours=1)),
        ("Wednesday, 10-Feb-27 15:03:00 GMT", NOW + timedelta(hours=1)),
        ("Wed, 10 Feb 2021 15:03:00 GMT", NOW),
        ("Wed, 10 Feb 2999 15:03:00 GMT", NOW + LONGEST),
        ("Wed, 99 Feb 2027 15:03:00 GMT", None),
    ],
)
def test_retry_after(header: str | None, moment: datetime | None) -> None:
    assert retry_after(header, NOW) == moment


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("too many, retry after 2027-02-10 15:03:00 UTC: see https://docs.test", NOW + timedelta(hours=1)),
        ("Retry after 2027-02-10T15:03:00Z", NOW + timedelta(hours=1)),
        ("retry after 2027-02-10 15:03:00.123 +0000", NOW + timedelta(hours=1)),
        ("retry after 2027-13-10 15:03:00 UTC", None),
        ("retry after 2027-02-10 15:03:00", None),
        ("retry after lunch", None),
        ("", None),
    ],
)
def test_the_moment_inside_a_sentence(text: str, moment: datetime | None) -> None:
    assert retry_in_text(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-02-10T14:03:00Z", NOW),
        ("2027-02-10T15:03:00+01:00", NOW),
        ("2027-02-10T14:03:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        (1234, None),
        (None, None),
    ],
)
def test_a_stamp_is_a_moment_with_a_zone_or_nothing(text: object, moment: datetime | None) -> None:
    assert stamp(text) == moment


@given(st.text())
def test_no_header_can_make_it_raise_and_every_moment_is_within_bounds(header: str) -> None:
    moment = retry_after(header, NOW)
    assert moment is None or NOW <= moment <= NOW + LONGEST
