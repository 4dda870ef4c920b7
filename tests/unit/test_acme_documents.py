"""ACME's documents in the shapes of the ports, and what is no such document."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.issuance.acme import documents
from services.issuance.acme.documents import Source
from services.issuance.acme.errors import PREFIX
from services.model.certificates import Window
from services.model.errors import CaTrouble

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
FROM = Source("a-ca", "https://ca.test/it/1", NOW, NOW + timedelta(seconds=3))
ORDER: dict[str, Any] = {
    "status": "valid",
    "identifiers": [{"type": "dns", "value": "a.test"}],
    "authorizations": ["https://ca.test/authz/1", "https://ca.test/authz/2"],
    "finalize": "https://ca.test/finalize/1",
    "certificate": "https://ca.test/cert/1",
}
CHALLENGE = {"type": "http-01", "url": "https://ca.test/chal/1", "token": "t0ken", "status": "pending"}
AUTHORIZATION: dict[str, Any] = {
    "status": "pending",
    "identifier": {"type": "dns", "value": "a.test"},
    "challenges": [
        CHALLENGE,
        {"type": "dns-persist-01", "url": "https://ca.test/chal/2", "status": "pending"},
    ],
}
DIRECTORY: dict[str, Any] = {
    "newNonce": "https://ca.test/nonce",
    "newAccount": "https://ca.test/account",
    "newOrder": "https://orders.ca.test:8443/order",
    "renewalInfo": "https://ari.ca.test/renewal",
    "meta": {"profiles": {"classic": "the usual one"}, "website": "https://www.ca.test"},
}


def test_an_order() -> None:
    order = documents.read_order(ORDER, FROM)
    assert (order.url, order.status, order.finalize_url) == (FROM.url, "valid", ORDER["finalize"])
    assert order.authorizations == tuple(ORDER["authorizations"])
    assert (order.certificate_url, order.retry_at) == (ORDER["certificate"], FROM.retry_at)
    assert (order.error, order.problem) == ("", None)


def test_an_order_without_a_certificate_has_none() -> None:
    assert documents.read_order({**ORDER, "certificate": ""}, FROM).certificate_url is None


def test_an_orders_problem_is_a_sentence_and_an_error() -> None:
    problem = {"type": PREFIX + "rateLimited", "detail": "too many"}
    order = documents.read_order({**ORDER, "status": "invalid", "error": problem}, FROM)
    assert order.error == "too many"
    assert order.problem.trouble is CaTrouble.RATE_LIMITED


def test_an_authorization() -> None:
    read = documents.read_authorization(AUTHORIZATION, FROM)
    assert (read.name, read.wildcard, read.status, read.problem) == ("a.test", False, "pending", None)
    assert [(each.type, each.token) for each in read.challenges] == [
        ("http-01", "t0ken"),
        ("dns-persist-01", ""),
    ]


@pytest.mark.parametrize(("value", "flag"), [("a.test", True), ("*.a.test", None)])
def test_a_wildcard_is_one_however_it_is_said(value: str, flag: bool | None) -> None:
    document = {**AUTHORIZATION, "identifier": {"type": "dns", "value": value}, "wildcard": flag}
    read = documents.read_authorization(document, FROM)
    assert (read.name, read.wildcard) == ("a.test", True)


@pytest.mark.parametrize(
    ("error", "trouble", "detail"),
    [
        ({"type": PREFIX + "dns", "detail": "NXDOMAIN"}, CaTrouble.VALIDATION, "NXDOMAIN"),
        ({"type": PREFIX + "caa", "detail": "forbidden"}, CaTrouble.CAA, "forbidden"),
        (None, CaTrouble.VALIDATION, "the CA gave no reason"),
    ],
)
def test_a_failed_authorization_has_a_problem(error: Any, trouble: CaTrouble, detail: str) -> None:
    failed = {**CHALLENGE, "status": "invalid", **({"error": error} if error else {})}
    read = documents.read_authorization(
        {**AUTHORIZATION, "status": "invalid", "challenges": [CHALLENGE, failed]}, FROM
    )
    assert (read.problem.trouble, read.problem.detail) == (trouble, detail)


def test_a_directory_names_its_hosts_and_profiles() -> None:
    read = documents.read_directory(DIRECTORY, FROM)
    assert read.hosts == {"ca.test", "orders.ca.test:8443", "ari.ca.test"}
    assert read.profiles == {"classic": "the usual one"}
    assert read.renewal_info == "https://ari.ca.test/renewal"
    assert read.read_at == NOW


def test_a_directory_without_extras() -> None:
    bare = {key: DIRECTORY[key] for key in ("newNonce", "newAccount", "newOrder")}
    read = documents.read_directory(bare, FROM)
    assert (read.renewal_info, dict(read.profiles)) == (None, {})


@pytest.mark.parametrize(
    ("read", "document", "missing"),
    [
        (documents.read_directory, DIRECTORY, "newOrder"),
        (documents.read_order, ORDER, "status"),
        (documents.read_order, ORDER, "finalize"),
        (documents.read_order, ORDER, "authorizations"),
        (documents.read_authorization, AUTHORIZATION, "status"),
        (documents.read_authorization, AUTHORIZATION, "challenges"),
    ],
)
def test_what_is_missing_is_named(read: Any, document: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        read({key: value for key, value in document.items() if key != missing}, FROM)
    with pytest.raises(ValueError, match=missing):
        read({**document, missing: 7}, FROM)


def info(start: str, end: str, **more: str) -> dict[str, Any]:
    return {"suggestedWindow": {"start": start, "end": end}, **more}


def test_renewal_information() -> None:
    after = NOW + timedelta(days=30)
    document = info("2027-02-20T00:00:00Z", "2027-02-22T00:00:00Z", explanationURL="https://ca.test/why")
    read = documents.read_renewal_info(document, FROM, after)
    assert read.window == Window(datetime(2027, 2, 20, tzinfo=UTC), datetime(2027, 2, 22, tzinfo=UTC))
    assert read.explanation_url == "https://ca.test/why"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"suggestedWindow": "soon"},
        info("2027-02-20T00:00:00Z", "2027-02-20T00:00:00Z"),
        info("2027-02-22T00:00:00Z", "2027-02-20T00:00:00Z"),
        info("2027-02-20T00:00:00", "2027-02-22T00:00:00"),
        info("2027-03-12T14:03:00Z", "2027-03-13T00:00:00Z"),
    ],
)
def test_a_window_that_makes_no_sense_is_none(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="window"):
        documents.read_renewal_info(document, FROM, NOW + timedelta(days=30))


@pytest.mark.parametrize(
    ("said", "hours"),
    [(None, 6), (timedelta(seconds=1), 1), (timedelta(hours=2), 2), (timedelta(days=6), 24)],
)
def test_when_to_ask_again_lies_between_an_hour_and_a_day(said: timedelta | None, hours: int) -> None:
    source = Source("a-ca", "https://ca.test", NOW, None if said is None else NOW + said)
    assert documents.ask_again_at(source) == NOW + timedelta(hours=hours)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[1]", b'"text"', b"\xff\xfe"])
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        documents.parse(content)
    assert documents.parse(json.dumps(ORDER).encode()) == ORDER
