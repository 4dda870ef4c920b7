"""Access: readings of edge addresses, redirects and HTTP answers are judged without a network."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.checks import strangers
from services.checks.access import Facts, check, decide
from services.checks.access_walk import Outcome, Reading, Stop, Target, outcome_of, target_of
from services.checks.case import Case
from services.checks.http_answer import MOST_BODY, read
from services.checks.web import kind_of
from services.checks.world import Answer, Fetched, Record, World
from services.model.findings import Finding, Owner
from services.model.settings import Platform, Probing
from services.model.text import say
from tests.unit.checks_world import NOW, PLATFORM, SILENT, Key, TableDns, codes, record, subject, world

ONE, TWO = "192.0.2.1", "192.0.2.2"
NAME = "shop.moon.test"
PROBING = Probing(8080, 8443)
PLAIN = Fetched(200)
CUT_SHORT = Fetched(200, error="reset", detail="closed within the body")
NOW_AT = Target("http", NAME, 8080, "/.well-known/certdesk/T")


def reading(outcome: Outcome, address: str = ONE, scheme: str = "http", last: Fetched = PLAIN) -> Reading:
    chain = (f"{scheme}://{NAME}/", "https://away.test/") if outcome is Outcome.AWAY else (f"{scheme}://x/",)
    return Reading(address, scheme, outcome, last, chain, say("that is no URL"))


def decided(*readings: Reading) -> tuple[Finding, ...]:
    return decide(Facts(NAME, NAME, readings), NOW)


GOOD, BAD = reading(Outcome.PROVEN), reading(Outcome.WRONG)


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], []),
        ([GOOD], []),
        ([reading(Outcome.UNREACHABLE)], [("access.unreachable", "block")]),
        ([reading(Outcome.REFUSED)], [("access.refused", "block")]),
        ([BAD], [("access.wrong_server", "block")]),
        ([reading(Outcome.FORBIDDEN)], [("access.forbidden", "block")]),
        ([reading(Outcome.AWAY)], [("access.redirected_away", "block")]),
        ([reading(Outcome.LOOP)], [("access.redirect_loop", "block")]),
        # redirected to https, where the handshake fails: a CA gets no further either
        ([reading(Outcome.NO_TLS)], [("access.refused", "block")]),
        # TLS by itself: the next certificate may be what mends it, so it must not be held up
        ([GOOD, reading(Outcome.NO_TLS, scheme="https")], [("access.refused", "warn")]),
        ([GOOD, reading(Outcome.WRONG, scheme="https")], [("access.wrong_server", "block")]),
        # one of several
        ([GOOD, reading(Outcome.REFUSED, TWO)], [("access.refused", "warn")]),
        (
            [reading(Outcome.REFUSED), reading(Outcome.WRONG, TWO)],
            [("access.refused", "block"), ("access.wrong_server", "block")],
        ),
        # what cannot be seen from here is not judged
        ([GOOD, reading(Outcome.UNKNOWN, TWO)], []),
        ([BAD, reading(Outcome.UNKNOWN, TWO)], [("access.wrong_server", "block")]),
        ([reading(Outcome.UNKNOWN)], [("access.unreachable", "unknown")]),
        # the same trouble over both schemes is one finding, another address another one
        ([BAD, reading(Outcome.WRONG, scheme="https")], [("access.wrong_server", "block")]),
        (
            [BAD, reading(Outcome.WRONG, TWO, "https"), reading(Outcome.PROVEN, ONE, "https")],
            [("access.wrong_server", "block"), ("access.wrong_server", "warn")],
        ),
    ],
)
def test_verdicts(readings: list[Reading], expected: list[tuple[str, str]]) -> None:
    findings = decided(*readings)
    assert codes(findings) == expected
    assert {finding.owner for finding in findings} <= {Owner.PLATFORM}


def test_tls_that_a_redirect_leads_to_is_mended_at_the_redirect() -> None:
    """A new certificate mends TLS that fails by itself; where the challenge is sent there, none can be had."""
    (redirected,) = decided(reading(Outcome.NO_TLS))
    assert redirected.summary.plain().startswith(f"Over http the edge at {ONE} redirects the challenge path")
    assert "out of this redirect" in redirected.remedy.plain()
    (direct,) = decided(GOOD, reading(Outcome.NO_TLS, scheme="https"))
    assert f"/ssl renew {NAME}" in direct.remedy.plain()


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.PROVEN])
def test_every_trouble_names_the_edge_and_what_to_do(outcome: Outcome) -> None:
    last = Fetched(302, "https://away.test/", server="nginx")
    (finding,) = decided(reading(outcome, last=last), reading(outcome, TWO, last=last))
    assert finding.evidence["addresses"] == [ONE, TWO]
    assert finding.evidence["address"] == ONE
    evidence = {key: finding.evidence[key] for key in ("scheme", "status", "location", "server")}
    assert evidence == {
        "scheme": "http",
        "status": 302,
        "location": "https://away.test/",
        "server": "nginx",
    }
    assert f"{ONE}, {TWO}" in finding.summary.plain()
    assert "The platform's engineers" in finding.remedy.plain()
    assert "{" not in finding.summary.plain() + finding.remedy.plain()


@pytest.mark.parametrize(
    ("fetched", "outcome"),
    [
        (Fetched(200, body=b"proof\n"), Outcome.PROVEN),
        (Fetched(200, body=b"\nproof"), Outcome.WRONG),
        (Fetched(200, body=b"\xef\xbb\xbfproof"), Outcome.WRONG),
        (Fetched(201, body=b"proof"), Outcome.WRONG),
        (Fetched(200, body=b"no proof"), Outcome.WRONG),
        (Fetched(302), Outcome.WRONG),
        (Fetched(503, body=b"busy"), Outcome.WRONG),
        (Fetched(503, body=b"<title>Just a Moment"), Outcome.FORBIDDEN),
        (Fetched(403), Outcome.FORBIDDEN),
        (Fetched(error="tls"), Outcome.NO_TLS),
        (Fetched(error="reset"), Outcome.UNREACHABLE),
        (Fetched(error="local"), Outcome.UNKNOWN),
    ],
)
def test_outcomes(fetched: Fetched, outcome: Outcome) -> None:
    assert outcome_of(fetched, "proof") is outcome


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://shop.moon.test/x", Target("https", NAME, 8443, "/x")),
        ("https://SHOP.moon.test.:443/x", Target("https", NAME, 8443, "/x")),
        ("http://www.moon.test:80", Target("http", "www.moon.test", 8080, "/")),
        ("https://shop.moon.test:8443/x?y=1#z", Target("https", NAME, 8443, "/x?y=1")),
        ("//shop.moon.test/x", Target("http", NAME, 8080, "/x")),
        ("/x y\u00e4", Target("http", NAME, 8080, "/x%20y%C3%A4")),
        ("other", Target("http", NAME, 8080, "/.well-known/certdesk/other")),
        ("http://user:word@shop.moon.test/x", Target("http", NAME, 8080, "/x")),
        ("ftp://shop.moon.test/", "CAs follow redirects to http and https only"),
        ("javascript:alert(1)", "CAs follow redirects to http and https only"),
        ("https://shop.moon.test:444/", "CAs follow redirects to the ports 80 and 443 only"),
        ("https://192.0.2.1/", "CAs do not follow redirects to bare addresses"),
        ("https://[2001:db8::1]/", "CAs do not follow redirects to bare addresses"),
        ("https://127.1/", "CAs do not follow redirects to bare addresses"),
        ("https:///x", "that is no host name"),
        ("https://a..b/", "that is no host name"),
        ("https://b\u00fccher.test/", "that is no host name"),
        ("https://shop.moon.test:port/", "that is no URL"),
        ("https://[::1/", "that is no URL"),
    ],
)
def test_where_a_redirect_leads(location: str, expected: Target | str) -> None:
    found = target_of(NOW_AT, location, PROBING)
    assert (found.reason.plain() if isinstance(found, Stop) else found) == expected


@given(st.text())
def test_whatever_a_location_says_what_is_sent_is_plain(location: str) -> None:
    found = target_of(NOW_AT, location, PROBING)
    if isinstance(found, Target):
        assert found.path.startswith("/")
        assert all("!" <= char <= "~" for char in found.host + found.path)


@pytest.mark.parametrize(
    ("raw", "ended", "expected"),
    [
        (b"", False, None),
        (b"HT", False, None),
        (b"HTTP/1.1 200 OK\r\n", False, None),
        (b"HTTP/1.1 200 OK\r\n", True, Fetched(error="reset", detail="closed within the header")),
        (b"", True, Fetched(error="reset", detail="closed without an answer")),
        (b"\x15\x03\x01\x00\x02", False, Fetched(error="not_http", detail="")),
        (b"SSH-2.0", False, Fetched(error="not_http", detail="SSH-2.0")),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", False, None),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", True, Fetched(200, body=b"abc")),
        (b"HTTP/1.1 200\nServer:  x \n\nabc", True, Fetched(200, body=b"abc", server="x")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", False, Fetched(200, body=b"abc")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", True, CUT_SHORT),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", True, CUT_SHORT),
        (b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nabc", True, Fetched(403, body=b"abc")),
        (b"HTTP/1.1 204 No\r\n\r\n", False, Fetched(204)),
        (b"HTTP/1.1 301 M\r\nLocation: /x\r\nLocation: /y\r\n\r\n", False, Fetched(301, "/x")),
        (b"HTTP/1.1 200 OK\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", False, Fetched(200)),
        (b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 No\r\n\r\n", False, Fetched(204)),
        (b"HTTP/1.1 100 C\r\n\r\n", False, None),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            False,
            Fetched(200, body=b"abc"),
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", False, None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", False, None),
    ],
)
def test_an_answer_is_read_as_far_as_it_has_come(raw: bytes, ended: bool, expected: Fetched | None) -> None:
    assert read(raw, ended=ended) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 99 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 40_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000,
        b"HTTP/1.1 100 C\r\n\r\n" * 2000,
    ],
)
def test_what_cannot_be_read_is_malformed(raw: bytes) -> None:
    fetched = read(raw, ended=False)
    assert fetched is not None
    assert fetched.error == "malformed"


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]),
)
def test_any_answer_that_has_ended_can_be_told(rest: bytes, begin: bytes) -> None:
    fetched = read(begin + rest, ended=True)
    assert fetched is not None
    assert len(fetched.body) <= MOST_BODY


@pytest.mark.parametrize(
    ("number", "kind"), [(111, "refused"), (104, "reset"), (113, "unreachable"), (24, "local"), (0, "local")]
)
def test_errors_of_the_network(number: int, kind: str) -> None:
    assert kind_of(OSError(number, "said")) == kind


# --- the walk, with answers from a table


class TableWeb:
    """Answers by (scheme, address, host); nothing else answers."""

    def __init__(self, table: Mapping[tuple[str, str, str], str | Fetched]) -> None:
        self._table = dict(table)
        self.asked: list[tuple[str, str, int, str]] = []

    def get(
        self, scheme: str, address: IPv4Address | IPv6Address, port: int, host: str, path: str
    ) -> Fetched:
        self.asked.append((scheme, str(address), port, host))
        found = self._table.get((scheme, str(address), host), Fetched(error="refused"))
        if isinstance(found, Fetched):
            return found
        if found == "proof":
            return Fetched(200, body=f"proof of {path.rpartition('/')[2]}".encode())
        return Fetched(301, found.format(path=path))


NOBODY = Answer("", "", rcode="NXDOMAIN", recursion_available=True)


def dns(default: Answer = NOBODY, **more: tuple[str, ...]) -> TableDns:
    table: dict[Key, tuple[Record, ...]] = {
        ("moon.test", "NS", None): (record("moon.test", "NS", "ns1.platform.test"),)
    }
    given = {NAME: (ONE,), **{name.replace("_", "."): addresses for name, addresses in more.items()}}
    for name, addresses in given.items():
        for rtype, version in (("A", 4), ("AAAA", 6)):
            found = [a for a in addresses if ip_address(a).version == version]
            table[name, rtype, None] = tuple(record(name, rtype, address) for address in found)
    answers = {
        key: Answer(key[0], key[1], recursion_available=True, answer=records)
        for key, records in table.items()
    }
    return TableDns(answers, default, asks_parent=False)


def at(web: TableWeb, names: TableDns, *edge: str, **changes: object) -> World:
    platform = replace(PLATFORM, addresses=tuple(ip_address(address) for address in edge or (ONE,)))
    return world(names, platform=platform, web=web, edge_proof=lambda token: f"proof of {token}", **changes)


def walked(web: TableWeb, names: TableDns | None = None, *edge: str) -> list[tuple[str, str]]:
    with ThreadPoolExecutor(2) as askers:
        return codes(check(Case(at(web, names or dns(), *edge), subject(NAME), askers)))


def test_a_name_of_ours_is_asked_at_the_same_edge() -> None:
    """A redirect to another name stays on the address under examination, if that name leads there too."""
    table = {("http", a, NAME): "http://www.moon.test{path}" for a in (ONE, TWO)}
    web = TableWeb({**table, ("http", TWO, "www.moon.test"): "proof"})
    names = dns(shop_moon_test=(ONE, TWO), www_moon_test=(ONE, TWO))
    assert walked(web, names, ONE, TWO) == [("access.refused", "warn")]


def test_a_name_at_another_edge_of_ours_is_asked_there() -> None:
    web = TableWeb(
        {("http", ONE, NAME): "http://www.moon.test{path}", ("http", TWO, "www.moon.test"): "proof"}
    )
    assert walked(web, dns(www_moon_test=(TWO, "192.0.2.9")), ONE, TWO) == []


def test_where_the_proof_comes_from_elsewhere_all_is_well() -> None:
    """A server that hands the challenge back to certdesk does so for a CA as well."""
    web = TableWeb(
        {("http", ONE, NAME): "http://away.test{path}", ("http", "192.0.2.9", "away.test"): "proof"}
    )
    assert walked(web, dns(away_test=("10.0.0.1", "192.0.2.9"))) == []


def test_a_private_address_is_not_asked() -> None:
    web = TableWeb({("http", ONE, NAME): "http://away.test{path}"})
    assert walked(web, dns(away_test=("10.0.0.1", "169.254.169.254"))) == [
        ("access.redirected_away", "block")
    ]
    assert [address for _, address, _, _ in web.asked] == [ONE]


def test_a_target_whose_addresses_nobody_gives_is_unknown() -> None:
    web = TableWeb({("http", ONE, NAME): "http://away.test{path}"})
    assert walked(web, dns(SILENT)) == [("access.unreachable", "unknown")]


def test_ten_redirects_are_followed_and_no_more() -> None:
    class Steps(TableWeb):
        def get(
            self, scheme: str, address: IPv4Address | IPv6Address, port: int, host: str, path: str
        ) -> Fetched:
            self.asked.append((scheme, str(address), port, host))
            return Fetched(302, f"{path}x")

    web = Steps({})
    assert walked(web) == [("access.redirect_loop", "block")]
    assert len(web.asked) == 11


def test_slow_redirects_come_to_an_end() -> None:
    web = TableWeb({("http", ONE, NAME): "{path}x"})
    given = at(web, dns(), probing=Probing(timeout=0.0))
    with ThreadPoolExecutor(2) as askers:
        (finding,) = check(Case(given, subject(NAME), askers))
    assert (finding.code, finding.evidence["detail"]) == ("access.unreachable", "slow redirects")


def test_a_wildcard_is_asked_with_a_name_below_it() -> None:
    web = TableWeb({})

    class Wild(TableDns):
        def query(self, name: str, rtype: str, *_: object, **__: object) -> Answer:
            records = (record(name, "A", ONE),) if rtype == "A" and name.endswith(".moon.test") else ()
            if rtype == "NS":
                records = (record(name, "NS", "ns1.platform.test"),) if name == "moon.test" else ()
            return Answer(name, rtype, recursion_available=True, answer=records)

    with ThreadPoolExecutor(2) as askers:
        case = Case(at(web, Wild({}, Answer("", ""), asks_parent=False)), subject("*.moon.test"), askers)
        (finding,) = check(case)
    (asked,) = web.asked
    assert asked[3].startswith("certdesk-")
    assert asked[3] not in str(finding.as_json())
    assert finding.summary.plain().startswith("*.moon.test cannot be reached over http")


def test_strangers_are_asked_only_where_that_is_allowed() -> None:
    web = TableWeb({("http", "192.0.2.9", NAME): "https://away.test{path}"})
    names = dns(shop_moon_test=(ONE, "10.0.0.1", "192.0.2.8", "192.0.2.9"))
    with ThreadPoolExecutor(2) as askers:
        case = Case(at(web, names), subject(NAME), askers)
        assert strangers.gather(case) == {
            "192.0.2.8": {"error": "refused", "detail": ""},
            "192.0.2.9": {
                "status": 301,
                "location": "https://away.test/.well-known/certdesk/TOKEN",
                "leads_to_us": False,
            },
        }
        assert strangers.gather(Case(replace(case.world, platform=Platform()), subject(NAME), askers)) == {}
