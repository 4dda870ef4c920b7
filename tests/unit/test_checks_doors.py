"""Doors that nobody opens: they are left alone for a while, and then one caller at a time tries again."""

from ipaddress import ip_address

from services.checks.doors import MOST, Door, Doors

ADDRESS = ip_address("192.0.2.80")
EDGE: Door = (ADDRESS, 80)


class Seconds:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_shut_door_rests_and_then_one_knocks() -> None:
    clock = Seconds()
    doors = Doors(10.0, clock)
    assert doors.may_knock(EDGE)
    doors.stayed_shut(EDGE)
    assert not doors.may_knock(EDGE)
    assert doors.may_knock((EDGE[0], 443)), "another port is another door"
    clock.now = 10.0
    assert [doors.may_knock(EDGE) for _ in range(3)] == [True, False, False]
    clock.now = 20.0
    assert doors.may_knock(EDGE), "who knocked last never came back: another one may"
    doors.answered(EDGE)
    assert [doors.may_knock(EDGE) for _ in range(3)] == [True, True, True]


def test_only_so_many_doors_are_remembered() -> None:
    doors = Doors(10.0, Seconds())
    for number in range(MOST + 1):
        doors.stayed_shut((ADDRESS + number, 80))
    assert doors.may_knock(EDGE)
    assert not doors.may_knock((ADDRESS + MOST, 80))
