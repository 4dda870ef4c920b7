"""Each way in which a CA or the network misbehaves leads to its CaTrouble: a real pebble behind a proxy that plays them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from bot.demo.parts import tls
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import free_port
from services.issuance.acme import AcmeCa
from services.issuance.chain import fits
from services.issuance.csr import make_csr, new_key
from services.issuance.responders import Http01
from services.model.clock import utc_now
from services.model.errors import CaError, CaTrouble
from storage.memory import MemoryStorage
from tests.faults import acme_proxy as play
from tests.faults.acme_proxy import AcmeProxy, Deed
from tests.faults.acme_world import account_at, adapter, authorize, challenge_server, finish, issue

NAME, ANOTHER = "f.wild.moon.test", "g.wild.moon.test"
"""An order for what was proved before may be ready at once: one for another name surely is pending."""
NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
PAUSED = (
    "Your account is temporarily prevented from requesting certificates for shop.moon.test and possibly others. "
    "Please visit: https://unpause.moon.test/sfe/v1/unpause?jwt=abc"
)


@pytest.fixture
def storage(edge: Edge) -> Iterator[MemoryStorage]:
    storage = MemoryStorage()
    with challenge_server(storage, int(edge.upstream.rpartition(":")[2])):
        yield storage


@pytest.fixture
def proxy(pebble: Pebble, tmp_path: Path) -> Iterator[AcmeProxy]:
    with AcmeProxy(pebble.directory, pebble.ca_bundle, tmp_path / "proxy").running() as running:
        yield running


@pytest.fixture
def ca(proxy: AcmeProxy, storage: MemoryStorage) -> Iterator[AcmeCa]:
    with adapter(proxy.directory, proxy.ca_bundle, storage) as made:
        yield made


@pytest.fixture
def http01(storage: MemoryStorage) -> Http01:
    return Http01(storage, utc_now)


def trouble_of(ca: AcmeCa) -> CaError:
    with pytest.raises(CaError) as raised:
        ca.place_order([NAME])
    return raised.value


def test_the_proxy_without_faults_changes_nothing(ca: AcmeCa, http01: Http01, proxy: AcmeProxy) -> None:
    issued = issue(ca, [NAME], http01)
    assert fits(issued.chain, issued.key, [NAME], utc_now()) is None
    assert proxy.count("new_nonce") == proxy.count("directory") == proxy.count("new_account") == 1


def test_one_connection_serves_a_thread_through_successes_and_refusals(
    ca: AcmeCa, http01: Http01, proxy: AcmeProxy
) -> None:
    issue(ca, [NAME], http01)
    proxy.fault("new_order", play.problem(429, "rateLimited", "too many"))
    proxy.fault("order", play.plain(503, "<html>down</html>"))
    with pytest.raises(CaError):
        ca.place_order([NAME])
    order = ca.place_order([ANOTHER])
    with pytest.raises(CaError):
        ca.read_order(order.url)
    assert ca.read_order(order.url).status == "pending"
    assert proxy.connections == 1
    ca.close()
    assert ca.read_order(order.url).status == "pending"
    assert proxy.connections == 2


def test_nothing_that_was_signed_stands_in_any_log(
    ca: AcmeCa, http01: Http01, proxy: AcmeProxy, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        issue(ca, [NAME], http01)
    sent = [json.loads(asked.body) for asked in proxy.seen if asked.body]
    assert len(sent) >= 6
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert logged
    for message in sent:
        assert message["signature"] not in logged
        assert not message["payload"] or message["payload"] not in logged
    assert NAME not in logged


@pytest.mark.parametrize(
    ("deed", "trouble", "said"),
    [
        (play.plain(503, "<html>down</html>"), CaTrouble.UNAVAILABLE, "answered 503 with text/html"),
        (play.plain(502, ""), CaTrouble.UNAVAILABLE, "answered 502"),
        (play.plain(403, "<html>firewall</html>"), CaTrouble.UNAVAILABLE, "answered 403 with text/html"),
        (play.plain(404, "<html>gone</html>"), CaTrouble.UNAVAILABLE, "answered 404 with text/html"),
        (
            play.plain(302, "", Location="https://elsewhere.test/order"),
            CaTrouble.UNAVAILABLE,
            "redirects to https://elsewhere.test/order",
        ),
        (play.plain(201, "<html>welcome</html>", Location="https://x.test/1"), CaTrouble.UNAVAILABLE, "not"),
        (play.without("Location"), CaTrouble.UNAVAILABLE, "not an order with a URL"),
        (play.changed(lambda order: order.pop("finalize")), CaTrouble.UNAVAILABLE, "no finalize"),
        (play.drop(after=False), CaTrouble.UNAVAILABLE, "The connection to 127.0.0.1"),
        (play.drop(after=True), CaTrouble.UNAVAILABLE, "The connection to 127.0.0.1"),
        (play.problem(500, "serverInternal", "Oops"), CaTrouble.UNAVAILABLE, "Oops"),
        (play.problem(503, "rateLimited", "Service busy; retry later."), CaTrouble.UNAVAILABLE, "busy"),
        (play.problem(429, "rateLimited", PAUSED), CaTrouble.PAUSED, "unpause"),
        (play.problem(429, "rateLimited", "too many"), CaTrouble.RATE_LIMITED, "too many"),
        (play.problem(403, "unauthorized", "Account is deactivated"), CaTrouble.ACCOUNT, "deactivated"),
        (play.problem(403, "userActionRequired", "New terms"), CaTrouble.ACCOUNT, "New terms"),
        (play.problem(400, "rejectedIdentifier", "Forbidden by policy"), CaTrouble.REJECTED, "policy"),
        (play.problem(403, "caa", "CAA forbids"), CaTrouble.CAA, "CAA"),
        (play.problem(400, "inventedLater", "New"), CaTrouble.REJECTED, "New"),
    ],
)
def test_what_answers_an_order(
    ca: AcmeCa, proxy: AcmeProxy, deed: Deed, trouble: CaTrouble, said: str
) -> None:
    proxy.fault("new_order", deed)
    error = trouble_of(ca)
    assert (error.trouble, error.ca) == (trouble, "test-ca")
    assert said in error.detail
    assert ca.place_order([NAME]).status == "pending"  # the next call is none the worse


def test_retry_after_in_seconds_as_a_date_and_in_the_text(proxy: AcmeProxy, storage: MemoryStorage) -> None:
    later = NOW + timedelta(hours=3)
    text = f"too many certificates already issued, retry after {later:%Y-%m-%d %H:%M:%S} UTC: see https://docs.test"
    with adapter(proxy.directory, proxy.ca_bundle, storage, clock=lambda: NOW) as ca:
        proxy.fault("new_order", play.problem(429, "rateLimited", "slow down", Retry_After="90"))
        assert trouble_of(ca).retry_at == NOW + timedelta(seconds=90)
        header = format_datetime(later, usegmt=True)
        proxy.fault("new_order", play.problem(429, "rateLimited", "slow down", Retry_After=header))
        assert trouble_of(ca).retry_at == later
        proxy.fault("new_order", play.problem(429, "rateLimited", text))
        error = trouble_of(ca)
        assert (error.trouble, error.retry_at) == (CaTrouble.RATE_LIMITED, later)
        proxy.fault("new_order", play.plain(503, "busy", Retry_After="120"))
        error = trouble_of(ca)
        assert (error.trouble, error.retry_at) == (CaTrouble.UNAVAILABLE, NOW + timedelta(minutes=2))


@pytest.mark.parametrize(
    "deed",
    [
        play.problem(409, "alreadyReplaced", "has already been replaced"),
        play.problem(403, "unauthorized", "not yours"),
        play.problem(404, "malformed", "no such certificate"),
        play.problem(400, "malformed", "replaces is not understood"),
        play.problem(500, "serverInternal", "replaces broke us"),
    ],
)
def test_an_order_whose_replaces_is_refused_is_placed_without_it(
    ca: AcmeCa, http01: Http01, proxy: AcmeProxy, deed: Deed
) -> None:
    issued = issue(ca, [NAME], http01)
    proxy.fault("new_order", deed, None, lambda asked: "replaces" in asked.payload)
    before = proxy.count("new_order")
    assert ca.place_order([NAME, ANOTHER], issued.chain).status == "pending"
    assert proxy.count("new_order") == before + 2


def test_a_refusal_that_replaces_has_no_part_in_is_not_asked_twice(
    ca: AcmeCa, http01: Http01, proxy: AcmeProxy
) -> None:
    issued = issue(ca, [NAME], http01)
    before = proxy.count("new_order")
    proxy.fault("new_order", play.problem(429, "rateLimited", "too many", Retry_After="60"))
    with pytest.raises(CaError) as raised:
        ca.place_order([NAME], issued.chain)
    assert raised.value.trouble is CaTrouble.RATE_LIMITED
    assert proxy.count("new_order") == before + 1


def test_a_storm_of_bad_nonces_is_weathered_up_to_ten_and_given_up_after(
    ca: AcmeCa, proxy: AcmeProxy
) -> None:
    ca.place_order([NAME])
    bad = play.problem(400, "badNonce", "stale")  # brings no fresh nonce, as some proxies' answers do
    proxy.fault("new_order", bad, 10)
    assert ca.place_order([NAME]).status == "pending"
    proxy.fault("new_order", bad, 11)
    error = trouble_of(ca)
    assert (error.trouble, error.type) == (CaTrouble.UNAVAILABLE, "urn:ietf:params:acme:error:badNonce")
    assert ca.traffic()["bad_nonce"] == 20


def test_a_finalize_whose_answer_is_lost_is_found_by_reading_the_order(
    ca: AcmeCa, http01: Http01, proxy: AcmeProxy
) -> None:
    key = new_key("ec-p256")
    order = ca.place_order([NAME])
    authorize(ca, order, http01)
    proxy.fault("finalize", play.drop(after=True))
    with pytest.raises(CaError) as lost:
        ca.finalize(order.url, order.finalize_url, make_csr([NAME], key))
    assert lost.value.trouble is CaTrouble.UNAVAILABLE
    issued = finish(ca, order, [NAME], key)
    assert fits(issued.chain, key, [NAME], utc_now()) is None


def test_an_answer_to_a_challenge_that_is_lost_may_be_given_again(
    ca: AcmeCa, http01: Http01, proxy: AcmeProxy
) -> None:
    order = ca.place_order([NAME])
    proxy.fault("challenge", play.drop(after=True))
    with pytest.raises(CaError) as lost:
        authorize(ca, order, http01)
    assert lost.value.trouble is CaTrouble.UNAVAILABLE
    assert set(authorize(ca, order, http01).values()) == {"valid"}


def test_processing_without_end_is_a_state_like_others(ca: AcmeCa, http01: Http01, proxy: AcmeProxy) -> None:
    order = ca.place_order([NAME])
    processing = play.changed(lambda document: document.update(status="processing"), Retry_After="7")
    proxy.fault("order", processing, None)
    authorize(ca, order, http01)
    seen = [ca.read_order(order.url) for _ in range(3)]
    assert [each.status for each in seen] == ["processing"] * 3
    assert seen[-1].retry_at is not None
    assert abs(seen[-1].retry_at - utc_now() - timedelta(seconds=7)) < timedelta(seconds=2)


def test_an_invalid_order_says_why(ca: AcmeCa, proxy: AcmeProxy) -> None:
    order = ca.place_order([NAME])
    error = {
        "type": "urn:ietf:params:acme:error:compound",
        "detail": "Errors during finalization",
        "subproblems": [
            {
                "type": "urn:ietf:params:acme:error:caa",
                "detail": "CAA record prevents issuance",
                "identifier": {"type": "dns", "value": NAME},
            }
        ],
    }
    proxy.fault("order", play.changed(lambda document: document.update(status="invalid", error=error)))
    seen = ca.read_order(order.url)
    assert seen.error == f"Errors during finalization ({NAME}: CAA record prevents issuance)"
    assert seen.problem.trouble is CaTrouble.CAA
    assert seen.problem.subproblems[0].identifier == NAME


def test_a_certificate_for_another_key_does_not_fit(ca: AcmeCa, http01: Http01, proxy: AcmeProxy) -> None:
    other = issue(ca, [NAME], http01)
    proxy.fault("certificate", play.body(other.chain))
    issued = issue(ca, [NAME], http01)
    reason = fits(issued.chain, issued.key, [NAME], utc_now())
    assert reason is not None
    assert "for another key" in reason.plain()


def test_a_download_that_is_no_chain(ca: AcmeCa, http01: Http01, proxy: AcmeProxy) -> None:
    proxy.fault("certificate", play.body("<html>maintenance</html>"))
    with pytest.raises(CaError) as raised:
        issue(ca, [NAME], http01)
    assert raised.value.trouble is CaTrouble.UNAVAILABLE


@pytest.mark.parametrize("way", ["slow", "trickle"])
def test_a_call_ends_at_its_deadline(proxy: AcmeProxy, storage: MemoryStorage, way: str) -> None:
    with adapter(proxy.directory, proxy.ca_bundle, storage, seconds=0.7) as ca:
        ca.place_order([NAME])
        getattr(proxy, way)("new_order")
        began = utc_now()
        error = trouble_of(ca)
        took = utc_now() - began
        assert error.trouble is CaTrouble.UNAVAILABLE
        assert "did not answer within 0.7 seconds" in error.detail
        assert took < timedelta(seconds=2)
        assert ca.place_order([NAME]).status == "pending"


def test_renewal_information_that_makes_no_sense_is_no_answer(
    ca: AcmeCa, http01: Http01, proxy: AcmeProxy
) -> None:
    chain = issue(ca, [NAME], http01).chain
    for start, end in (
        ("2027-02-10T00:00:00Z", "2027-02-10T00:00:00Z"),
        ("2027-02-11T00:00:00Z", "2027-02-10T00:00:00Z"),
        ("2027-02-10T00:00:00", "2027-02-11T00:00:00"),
        ("2999-02-10T00:00:00Z", "2999-02-11T00:00:00Z"),
        ("soon", "later"),
    ):
        window = {"suggestedWindow": {"start": start, "end": end}}
        proxy.fault("renewal_info", play.changed(lambda document, w=window: document.update(w)))  # type: ignore[misc]
        with pytest.raises(CaError) as raised:
            ca.renewal_info(chain)
        assert raised.value.trouble is CaTrouble.UNAVAILABLE
    proxy.fault("renewal_info", play.problem(404, "malformed", "not found"))
    assert ca.renewal_info(chain) is None
    proxy.fault("renewal_info", play.plain(503, "", Retry_After="60"))
    with pytest.raises(CaError) as busy:
        ca.renewal_info(chain)
    assert busy.value.retry_at is not None


@pytest.mark.parametrize(("header", "wait"), [("5", 1), ("7200", 2), ("999999", 24)])
def test_when_to_ask_again_is_bounded(
    pebble: Pebble, proxy: AcmeProxy, ca: AcmeCa, http01: Http01, header: str, wait: int
) -> None:
    chain = issue(ca, [NAME], http01).chain
    window = '{"suggestedWindow": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}}'
    proxy.fault("renewal_info", play.plain(200, window, "application/json", Retry_After=header))
    info = ca.renewal_info(chain)
    assert info is not None
    assert abs(info.ask_again_at - utc_now() - timedelta(hours=wait)) < timedelta(minutes=1)


def test_only_the_directorys_hosts_are_spoken_to_and_only_in_https(ca: AcmeCa, proxy: AcmeProxy) -> None:
    order = ca.place_order([NAME])
    with pytest.raises(CaError) as stored:
        ca.read_order("https://old-ca.test/order/1")
    assert stored.value.trouble is CaTrouble.ORDER_LOST
    proxy.fault("order", play.changed(lambda document: document.update(finalize="https://evil.test/f")))
    seen = ca.read_order(order.url)
    with pytest.raises(CaError) as foreign:
        ca.finalize(order.url, seen.finalize_url, make_csr([NAME], new_key("ec-p256")))
    assert foreign.value.trouble is CaTrouble.ORDER_LOST
    before = ca.traffic()
    for url in (proxy.directory.replace("https", "http"), "https://127.0.0.1/elsewhere", "ftp://127.0.0.1/"):
        with adapter(url, None, MemoryStorage()) as other, pytest.raises(CaError) as refused:
            other.place_order([NAME])
        assert refused.value.trouble is CaTrouble.UNAVAILABLE
    assert ca.traffic() == before


def test_a_ca_that_is_not_there_or_not_trusted(
    proxy: AcmeProxy, storage: MemoryStorage, tmp_path: Path
) -> None:
    with adapter(f"https://127.0.0.1:{free_port()}/dir", None, storage) as ca:
        absent = trouble_of(ca)
    assert absent.trouble is CaTrouble.UNAVAILABLE
    assert "Connection refused" in absent.detail
    stranger = tls.issued(tmp_path / "stranger", ["127.0.0.1"])
    with adapter(proxy.directory, stranger, storage) as ca:
        untrusted = trouble_of(ca)
    assert untrusted.trouble is CaTrouble.UNAVAILABLE
    assert "could not be verified" in untrusted.detail
    with adapter(proxy.directory, tmp_path / "missing.pem", storage) as ca:
        missing = trouble_of(ca)
    assert missing.trouble is CaTrouble.UNAVAILABLE
    assert "missing.pem" in missing.detail
    with adapter("https://does-not-exist.invalid/dir", None, storage) as ca:
        assert trouble_of(ca).trouble is CaTrouble.UNAVAILABLE


def test_a_registration_whose_answer_is_lost_leaves_one_account(
    ca: AcmeCa, proxy: AcmeProxy, storage: MemoryStorage
) -> None:
    proxy.fault("new_account", play.drop(after=True))
    assert trouble_of(ca).trouble is CaTrouble.UNAVAILABLE
    key = account_at(storage, proxy.directory).sealed_key
    assert ca.place_order([NAME]).status == "pending"
    account = account_at(storage, proxy.directory)
    assert account.sealed_key == key
    assert account.url.startswith("https://127.0.0.1")
