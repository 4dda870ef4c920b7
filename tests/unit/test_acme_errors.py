"""From a CA's answer to the taxonomy: every type, every place, and documents that are no documents."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.acme.errors import BY_TYPE, COMPOUND, PREFIX, Answer, Where, judge, short
from services.model.errors import CaError, CaTrouble, SubProblem

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
T = CaTrouble
PAUSED = "Your account is temporarily prevented from requesting certificates. Please visit: https://a.test/sfe/v1/unpause?jwt=x"


def judged(
    kind: str = "",
    status: int | None = 400,
    *,
    detail: str = "why",
    where: Where = Where.REPLY,
    retry_at: datetime | None = None,
    **more: Any,
) -> CaError:
    problem = {"type": kind and PREFIX + kind, "detail": detail, **more}
    return judge(Answer("a-ca", NOW, status, problem, retry_at, where=where))


@pytest.mark.parametrize(("kind", "trouble"), sorted(BY_TYPE.items()))
def test_every_type_of_the_table(kind: str, trouble: CaTrouble) -> None:
    error = judged(kind)
    assert (error.trouble, error.type, error.detail, error.ca, error.status) == (
        trouble,
        PREFIX + kind,
        "why",
        "a-ca",
        400,
    )


def test_the_table_knows_every_type_of_rfc_8555() -> None:
    named = """accountDoesNotExist alreadyRevoked badCSR badNonce badPublicKey badRevocationReason badSignatureAlgorithm
    caa compound connection dns externalAccountRequired incorrectResponse invalidContact malformed orderNotReady
    rateLimited rejectedIdentifier serverInternal tls unauthorized unsupportedContact unsupportedIdentifier
    userActionRequired"""
    assert set(re.findall(r"\w+", named)) - {"compound"} <= set(BY_TYPE)


@pytest.mark.parametrize(
    "kind", ["unauthorized", "malformed", "connection", "dns", "tls", "incorrectResponse", "newer"]
)
def test_inside_a_challenge_it_is_the_validation_that_failed(kind: str) -> None:
    assert judged(kind, None, where=Where.CHALLENGE).trouble is T.VALIDATION


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [
        ("caa", T.CAA),
        ("rejectedIdentifier", T.REJECTED),
        ("serverInternal", T.UNAVAILABLE),
        ("rateLimited", T.RATE_LIMITED),
    ],
)
def test_some_types_mean_the_same_everywhere(kind: str, trouble: CaTrouble) -> None:
    for where in (Where.CHALLENGE, Where.ORDER, Where.REPLY, Where.ENDPOINT, Where.FINALIZE):
        assert judged(kind, None, where=where).trouble is trouble


def test_a_csr_that_is_unauthorized_is_rejected_but_an_account_is_an_account() -> None:
    assert judged("unauthorized", 403, where=Where.FINALIZE).trouble is T.REJECTED
    assert judged("unauthorized", 403, where=Where.ENDPOINT).trouble is T.ACCOUNT


@pytest.mark.parametrize(
    ("status", "problem", "where", "trouble"),
    [
        (404, {}, Where.REPLY, T.ORDER_LOST),
        (410, {}, Where.REPLY, T.ORDER_LOST),
        (404, {}, Where.FINALIZE, T.ORDER_LOST),
        (404, {}, Where.ENDPOINT, T.UNAVAILABLE),
        (404, None, Where.REPLY, T.UNAVAILABLE),
        (429, None, Where.REPLY, T.RATE_LIMITED),
        (403, None, Where.REPLY, T.UNAVAILABLE),
        (500, None, Where.ENDPOINT, T.UNAVAILABLE),
        (503, {"type": "about:blank", "title": "Service Unavailable"}, Where.REPLY, T.UNAVAILABLE),
        (404, {"type": "about:blank", "detail": "no such order"}, Where.REPLY, T.ORDER_LOST),
        (302, None, Where.REPLY, T.UNAVAILABLE),
        (None, None, Where.REPLY, T.UNAVAILABLE),
        (400, {"type": PREFIX + "inventedLater"}, Where.REPLY, T.REJECTED),
        (500, {"type": PREFIX + "inventedLater"}, Where.REPLY, T.UNAVAILABLE),
    ],
)
def test_without_a_known_type_the_status_speaks(
    status: int | None, problem: dict[str, Any] | None, where: Where, trouble: CaTrouble
) -> None:
    assert judge(Answer("a-ca", NOW, status, problem, text="what came", where=where)).trouble is trouble


def test_a_malformed_order_url_is_gone_when_its_status_says_so() -> None:
    """Boulder says 404 malformed of an order that it no longer has."""
    assert judged("malformed", 404).trouble is T.ORDER_LOST
    assert judged("malformed", 404, where=Where.ENDPOINT).trouble is T.REJECTED
    assert judged("malformed", 400).trouble is T.REJECTED


@pytest.mark.parametrize(
    ("detail", "retry_at", "trouble"),
    [
        (PAUSED, None, T.PAUSED),
        ("The name is paused, see our page", None, T.PAUSED),
        (PAUSED, LATER, T.RATE_LIMITED),
        ("too many certificates (50) already issued", None, T.RATE_LIMITED),
        (f"{PAUSED}, retry after {LATER:%Y-%m-%d %H:%M:%S} UTC", None, T.RATE_LIMITED),
    ],
)
def test_paused_is_a_rate_limit_that_no_waiting_ends(
    detail: str, retry_at: datetime | None, trouble: CaTrouble
) -> None:
    assert judged("rateLimited", 429, detail=detail, retry_at=retry_at).trouble is trouble


def test_a_ca_that_sheds_load_is_unavailable_not_limiting() -> None:
    assert judged("rateLimited", 503, retry_at=LATER).trouble is T.UNAVAILABLE


def test_the_later_of_header_and_text_counts() -> None:
    text = f"too many, retry after {LATER:%Y-%m-%d %H:%M:%S} UTC: see https://docs.test"
    assert judged("rateLimited", 429, detail=text).retry_at == LATER
    assert judged("rateLimited", 429, detail=text, retry_at=NOW).retry_at == LATER
    assert judged(
        "rateLimited", 429, detail=text, retry_at=LATER + timedelta(1)
    ).retry_at == LATER + timedelta(1)


def sub(kind: str, name: str) -> dict[str, Any]:
    return {
        "type": PREFIX + kind,
        "detail": f"{kind} of {name}",
        "identifier": {"type": "dns", "value": name},
    }


def test_subproblems_are_kept_with_their_names() -> None:
    error = judged("rejectedIdentifier", subproblems=[sub("caa", "a.test"), {"detail": "bare"}, "junk"])
    assert error.subproblems == (
        SubProblem("a.test", PREFIX + "caa", "caa of a.test"),
        SubProblem("", "", "bare"),
    )
    assert error.trouble is T.REJECTED


@pytest.mark.parametrize(
    ("kinds", "trouble"),
    [
        (["caa", "rejectedIdentifier"], T.REJECTED),
        (["caa", "dns"], T.CAA),
        (["rateLimited", "caa"], T.RATE_LIMITED),
        (["newer", "dns"], T.REJECTED),
        ([], T.REJECTED),
    ],
)
def test_compound_is_decided_by_its_parts(kinds: list[str], trouble: CaTrouble) -> None:
    assert judged("compound", subproblems=[sub(kind, "a.test") for kind in kinds]).trouble is trouble


def test_every_trouble_that_a_subproblem_can_mean_has_a_rank() -> None:
    assert set(BY_TYPE.values()) - {T.REPLACES_REFUSED} <= set(COMPOUND)


def test_an_error_always_has_a_detail_and_the_sentence_names_the_ca() -> None:
    assert judge(Answer("a-ca", NOW, 400, {})).detail == "the CA gave no reason"
    assert judged("caa", detail="").detail == PREFIX + "caa"
    assert judge(Answer("a-ca", NOW, 503, {"title": "Busy"})).detail == "Busy"
    assert judged("caa").text.plain() == "a-ca: why"


def test_short_takes_the_urn_off_and_leaves_others() -> None:
    assert [short(PREFIX + "caa"), short("about:blank")] == ["caa", "about:blank"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["type", "detail", "title", "status", "subproblems", "identifier", "instance"])


@given(st.dictionaries(KEYS, JSON), st.none() | st.integers(100, 599), st.sampled_from(Where))
def test_no_document_can_make_it_raise(problem: dict[str, Any], status: int | None, where: Where) -> None:
    error = judge(Answer("a-ca", NOW, status, problem, where=where))
    assert isinstance(error.trouble, CaTrouble)
    assert error.detail
