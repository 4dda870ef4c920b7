"""The check of registrations: what a registry says, read from its answer and judged at a moment."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.checks import registration
from services.checks.chain import Chain
from services.checks.rdap_answers import moment_of, read
from services.checks.registration import Facts, decide
from services.checks.world import Registration
from services.model.findings import Finding, Owner
from services.model.text import to_json
from tests.unit.checks_world import NOW, SILENT, TableDns, codes, subject, world

DAY = timedelta(days=1)


def judged(*statuses: str, ends: timedelta | None = None, **more: Any) -> tuple[Finding, ...]:
    given: dict[str, Any] = {"statuses": frozenset(statuses), "source": "https://rdap.test/domain/moon.test"}
    given["expires_at"] = None if ends is None else NOW + ends
    return decide(Facts("shop.moon.test", Registration("moon.test", **{**given, **more})), NOW)


@pytest.mark.parametrize(
    ("statuses", "ends", "expected"),
    [
        (("active",), 100 * DAY, []),
        (("active", "client transfer prohibited", "client delete prohibited"), 31 * DAY, []),
        (("add period",), 100 * DAY, []),
        (("inactive", "pending transfer", "renew period"), 100 * DAY, []),
        (("active",), 30 * DAY + timedelta(seconds=1), []),
        (("active",), 30 * DAY, ["domain.expiring warn"]),
        (("active",), timedelta(seconds=1), ["domain.expiring warn"]),
        (("active",), timedelta(0), ["domain.expired block"]),
        (("active",), -DAY, ["domain.expired block"]),
        (("active", "client hold"), -DAY, ["domain.expired block"]),
        (("redemption period",), 300 * DAY, ["domain.expired block"]),
        (("pending delete",), None, ["domain.expired block"]),
        (("pending delete", "redemption period", "server hold"), -DAY, ["domain.expired block"]),
        (("auto renew period", "redemption period"), 300 * DAY, ["domain.expired block"]),
        (("client hold",), 100 * DAY, ["domain.on_hold block"]),
        (("server hold",), 100 * DAY, ["domain.on_hold block"]),
        (("server hold",), None, ["domain.on_hold block"]),
        (("client hold",), 3 * DAY, ["domain.on_hold block", "domain.expiring warn"]),
        (("auto renew period",), 300 * DAY, ["domain.expiring warn"]),
        (("auto renew period",), -DAY, ["domain.expiring warn"]),
        (("auto renew period",), None, ["domain.expiring warn"]),
        (("auto renew period", "client hold"), -DAY, ["domain.on_hold block", "domain.expiring warn"]),
        (("active",), None, ["domain.expired unknown"]),
        ((), None, ["domain.expired unknown"]),
    ],
)
def test_rulings(statuses: tuple[str, ...], ends: timedelta | None, expected: list[str]) -> None:
    findings = judged(*statuses, ends=ends)
    assert [f"{f.code} {f.verdict.value}" for f in findings] == expected
    for finding in findings:
        assert (finding.owner, finding.name) == (Owner.MERCHANT, "shop.moon.test")
        assert json.dumps(finding.as_json())
        assert to_json(finding.summary)
        assert to_json(finding.remedy)
        assert "moon.test" in finding.summary.plain()


@pytest.mark.parametrize("error", sorted([*registration._UNKNOWN, "some new word"]))
def test_silence_is_unknown(error: str) -> None:
    findings = judged(error="" if error == "no_date" else error)
    assert codes(findings) == [("domain.expired", "unknown")]
    assert findings[0].summary.plain().startswith("When the registration of moon.test ends is not known: ")
    platforms = "the platform's engineers" in findings[0].remedy.plain()
    assert findings[0].owner is (Owner.PLATFORM if platforms else Owner.MERCHANT)
    assert "{" not in findings[0].summary.plain() + findings[0].remedy.plain()


def test_nothing_is_said_of_names_that_nobody_registers() -> None:
    assert judged(error="unregistered") == ()
    assert decide(Facts("shop.moon.test", None), NOW) == ()


def test_evidence() -> None:
    (finding,) = judged(
        "active", ends=timedelta(days=9, hours=5), registrar="Sunny Names", registrar_expires_at=NOW + 5 * DAY
    )
    assert finding.evidence == {
        "domain": "moon.test",
        "statuses": ["active"],
        "expires": "2027-02-19T19:03:00Z",
        "registrar_expires": "2027-02-15T14:03:00Z",
        "days_left": 9,
        "registrar": "Sunny Names",
        "source": "https://rdap.test/domain/moon.test",
    }
    assert finding.summary.plain() == "The registration of moon.test ends on 2027-02-19 19:03 UTC."
    assert finding.remedy.plain() == (
        "Renew moon.test at its registrar Sunny Names before then, or switch on automatic renewal there."
    )
    assert judged(ends=timedelta(hours=-1))[0].evidence["days_left"] == -1


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        (("active",), "Renew moon.test at its registrar;"),
        (("client hold",), "see that the hold is lifted"),
        (("redemption period", "pending delete"), "Ask its registrar at once to restore moon.test"),
        (("pending delete",), "It can no longer be renewed"),
    ],
)
def test_how_far_gone_it_is_decides_the_remedy(statuses: tuple[str, ...], words: str) -> None:
    (finding,) = judged(*statuses, ends=-DAY)
    assert words in finding.remedy.plain()


def test_a_hold_is_lifted_by_whoever_set_it() -> None:
    assert "find out at the registry" in judged("server hold", "client hold", ends=90 * DAY)[0].remedy.plain()
    assert "find out at the registry" not in judged("client hold", ends=90 * DAY)[0].remedy.plain()


# --- gathering ---------------------------------------------------------------------------------------------------


class Table:
    """Registrations out of a table."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def look_up(self, domain: str) -> Registration:
        self.asked.append(domain)
        return Registration(domain, frozenset({"client hold"}), NOW + 90 * DAY)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("moon.test", "moon.test"),
        ("a.b.shop.moon.test", "moon.test"),
        ("*.moon.test", "moon.test"),
        ("www.moon.co.uk", "moon.co.uk"),
        ("xn--bcher-kva.xn--p1ai", "xn--bcher-kva.xn--p1ai"),
    ],
)
def test_only_registrable_domains_are_asked_for(name: str, asked: str) -> None:
    table = Table()
    with Chain(world(TableDns({}, SILENT), registrations=table)) as chain:
        findings = chain.check(subject(name))
    assert table.asked == [asked]
    assert ("domain.on_hold", "block") in codes(findings)


def test_without_registrations_nothing_is_said() -> None:
    with Chain(world(TableDns({}, SILENT))) as chain:
        assert not any(code.startswith("domain.") for code, _ in codes(chain.check(subject())))


# --- reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-02-10T14:03:00Z", datetime(2027, 2, 10, 14, 3, tzinfo=UTC)),
        ("2027-02-10t14:03:00z", datetime(2027, 2, 10, 14, 3, tzinfo=UTC)),
        ("2027-02-10T14:03:00.5+02:00", datetime(2027, 2, 10, 12, 3, 0, 500000, tzinfo=UTC)),
        ("2027-02-10T23:30:00-0130", datetime(2027, 2, 11, 1, 0, tzinfo=UTC)),
        ("2027-02-10T14:03:00", datetime(2027, 2, 10, 14, 3, tzinfo=UTC)),
        (" 2027-02-10 14:03:00 ", datetime(2027, 2, 10, 14, 3, tzinfo=UTC)),
        ("2027-02-10", datetime(2027, 2, 10, 23, 59, 59, tzinfo=UTC)),
        ("2027-02-10Z", datetime(2027, 2, 10, 23, 59, 59, tzinfo=UTC)),
        ("2027-02-10+09:00", datetime(2027, 2, 10, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59-01:00", None),
        ("2027-02-30", None),
        ("2027-02-10T25:00:00Z", None),
        ("10.02.2027", None),
        ("10-Feb-2027", None),
        ("20270210", None),
        ("never", None),
        ("", None),
        (None, None),
        (20270210, None),
    ],
)
def test_moments(text: object, expected: datetime | None) -> None:
    assert moment_of(text) == expected


def answer(**members: object) -> Registration:
    document = {"objectClassName": "domain", "ldhName": "Moon.TEST", **members}
    return read("moon.test", json.dumps(document).encode(), "https://rdap.test/domain/moon.test")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (["Client Hold", "REDEMPTION PERIOD"], {"client hold", "redemption period"}),
        (["clientHold", "pendingDelete", "ok"], {"client hold", "pending delete", "ok"}),
        (["server_hold", "auto-renew  period"], {"server hold", "auto renew period"}),
        (["clientHold https://icann.org/epp#clientHold"], {"client hold"}),
        (["", None, 3, ["client hold"], {}], set()),
        ("client hold", set()),
        (None, set()),
        ({"client hold": 1}, set()),
    ],
)
def test_statuses_however_they_are_written(status: object, expected: set[str]) -> None:
    assert answer(status=status).statuses == expected


def event(action: object, moment: object) -> dict[str, object]:
    return {"eventAction": action, "eventDate": moment}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([event("expiration", "2027-02-10T00:00:00Z")], "2027-02-10T00:00:00"),
        ([event("Expiration ", "2027-02-10")], "2027-02-10T23:59:59"),
        ([event("expiration", "2027-02-10"), event("expiration", "2028-02-10")], "2028-02-10T23:59:59"),
        ([event("expiration", "2028-02-10"), event("expiration", "soon")], "2028-02-10T23:59:59"),
        ([event("registrar expiration", "2027-02-10"), event("last changed", "2027-02-10")], None),
        ([event("soft expiration", "2027-02-10")], None),
        ([event(None, "2027-02-10"), event(["expiration"], "2027-02-10"), "expiration", None], None),
        ([event("expiration", None)], None),
        ({}, None),
        ("expiration", None),
        (None, None),
    ],
)
def test_the_end_is_the_registrys_latest_word(events: object, expected: str | None) -> None:
    found = answer(events=events)
    assert found.error == ""
    end = found.expires_at
    assert (end.replace(tzinfo=None).isoformat() if end else None) == expected


def test_events_of_entities_are_not_the_domains() -> None:
    entity = {"roles": ["registrar"], "events": [event("expiration", "2001-01-01T00:00:00Z")]}
    assert answer(entities=[entity], events=[]).expires_at is None


@pytest.mark.parametrize(
    ("entities", "expected"),
    [
        (
            [{"roles": ["registrar"], "vcardArray": ["vcard", [["fn", {}, "text", " Sun\n ny\u202e "]]]}],
            "Sun ny",
        ),
        ([{"roles": ["technical"], "vcardArray": ["vcard", [["fn", {}, "text", "Other"]]]}], ""),
        ([{"roles": ["registrar"], "vcardArray": ["vcard", [["fn", {}, "text", "x" * 500]]]}], "x" * 80),
        ([{"roles": ["registrar"], "vcardArray": ["vcard", [["fn", {}, "text"], "fn", None]]}], ""),
        ([{"roles": ["registrar"], "vcardArray": "vcard"}], ""),
        ([{"roles": "registrar"}, None, "x"], ""),
        ({}, ""),
    ],
)
def test_the_registrars_name(entities: object, expected: str) -> None:
    assert answer(entities=entities).registrar == expected


@pytest.mark.parametrize(
    "members",
    [{"ldhName": "sun.test"}, {"objectClassName": "nameserver"}, {"objectClassName": 3}, {"ldhName": ""}],
)
def test_an_answer_about_something_else_says_nothing(members: dict[str, object]) -> None:
    found = answer(**members, status=["client hold"])
    assert (found.error, found.statuses) == ("malformed", frozenset())


@pytest.mark.parametrize("name", [None, 3, "moon.test.", "bücher.test"])
def test_sloppy_names_are_let_pass(name: object) -> None:
    assert answer(ldhName=name).error == ""
