"""The ACME adapter against a real pebble: whole issuances, resuming, accounts, profiles, EAB and renewal information."""

import base64
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.demo.parts.bind import Bind
from bot.demo.parts.nginx import Edge
from bot.demo.parts.pebble import Pebble
from bot.demo.parts.process import free_port
from services.issuance.acme import AcmeCa
from services.issuance.chain import fits, read_chain
from services.issuance.csr import make_csr, new_key
from services.issuance.dns_responder import Dns01
from services.issuance.responders import Http01, answer_for
from services.model.clock import utc_now
from services.model.errors import CaError, CaTrouble
from services.model.settings import DnsUpdate
from services.ports import Challenge
from storage.database import Database
from storage.engines import engines_for
from storage.memory import MemoryStorage
from tests.faults.acme_world import (
    account_at,
    adapter,
    authorize,
    challenge_server,
    finish,
    issue,
    until,
)
from tests.parts import STORE

NAME = "a.wild.moon.test"
EAB = base64.urlsafe_b64encode(b"k" * 32).rstrip(b"=").decode()


@pytest.fixture
def storage(edge: Edge) -> Iterator[MemoryStorage]:
    """Give a storage whose challenges the edge serves."""
    storage = MemoryStorage()
    with challenge_server(storage, int(edge.upstream.rpartition(":")[2])):
        yield storage


@pytest.fixture
def ca(pebble: Pebble, storage: MemoryStorage) -> Iterator[AcmeCa]:
    with adapter(pebble.directory, pebble.ca_bundle, storage) as made:
        yield made


@pytest.fixture
def http01(storage: MemoryStorage) -> Http01:
    return Http01(storage, utc_now)


def start_pebble(folder: Path, bind: Bind, edge: Edge, **knobs: object) -> Pebble:
    dns = f"{bind.addresses[0]}:{bind.port}"
    return Pebble.start(folder, dns_server=dns, http_port=edge.http_port, **knobs)  # type: ignore[arg-type]


def test_http01_from_the_order_to_the_chain(ca: AcmeCa, http01: Http01, storage: MemoryStorage) -> None:
    names = [STORE, NAME]
    issued = issue(ca, names, http01)
    assert fits(issued.chain, issued.key, names, utc_now()) is None
    assert read_chain(issued.chain).names == tuple(sorted(names))
    tokens = [
        next(each.token for each in ca.read_authorization(url).challenges if each.type == "http-01")
        for url in issued.order.authorizations
    ]
    assert [answer_for(storage, token) for token in tokens] == [
        ca.key_authorization(token) for token in tokens
    ]
    http01.clean_up(STORE, tokens[0], ca.key_authorization(tokens[0]), "cert-1")
    assert [answer_for(storage, token) for token in tokens] == [None, None]


def test_an_issuance_is_eight_exchanges_when_the_account_is_known(ca: AcmeCa, http01: Http01) -> None:
    issue(ca, [NAME], http01)
    before = ca.traffic()
    order = ca.place_order([NAME])
    authorize(ca, order, http01)
    issued = finish(ca, order, [NAME], new_key("ec-p256"))
    after = ca.traffic()
    assert issued.order.status == "valid"
    assert after.get("head", 0) == before.get("head", 0) == 1  # every nonce but the first came with a reply
    assert after.get("get", 0) == before.get("get", 0) == 1  # the directory


def test_dns01_for_apex_and_wildcard_side_by_side(pebble: Pebble, bind: Bind) -> None:
    update = DnsUpdate(f"{bind.addresses[0]}:{bind.port}", bind.key.name, bind.key.secret)
    dns01 = Dns01(update, resolvers=((bind.addresses[0], bind.port),))
    names = ["moon.test", "*.moon.test"]
    with adapter(pebble.directory, pebble.ca_bundle, MemoryStorage()) as ca:
        order = ca.place_order(names)
        seen = [ca.read_authorization(url) for url in order.authorizations]
        assert {(each.name, each.wildcard) for each in seen} == {("moon.test", False), ("moon.test", True)}
        assert set(authorize(ca, order, dns01).values()) == {"valid"}
        issued = finish(ca, order, names, new_key("ec-p384"))
        assert fits(issued.chain, issued.key, names, utc_now()) is None
        for each in seen:
            token = next(c.token for c in each.challenges if c.type == "dns-01")
            dns01.clean_up(each.name, token, ca.key_authorization(token), "cert-1")
            assert not dns01.visible(each.name, token, ca.key_authorization(token))


def test_another_process_resumes_an_order_by_its_url(
    pebble: Pebble, ca: AcmeCa, http01: Http01, storage: MemoryStorage
) -> None:
    order = ca.place_order([NAME])
    with adapter(pebble.directory, pebble.ca_bundle, storage) as second:
        assert second.read_order(order.url).status == "pending"
        authorize(second, order, http01)
        issued = finish(second, order, [NAME], new_key("ec-p256"))
    assert fits(issued.chain, issued.key, [NAME], utc_now()) is None


def test_a_second_finalize_says_not_ready_and_the_order_tells_the_rest(ca: AcmeCa, http01: Http01) -> None:
    key = new_key("ec-p256")
    order = ca.place_order([NAME])
    with pytest.raises(CaError) as early:
        ca.finalize(order.url, order.finalize_url, make_csr([NAME], key))
    assert early.value.trouble is CaTrouble.NOT_READY
    authorize(ca, order, http01)
    issued = finish(ca, order, [NAME], key)
    with pytest.raises(CaError) as again:
        ca.finalize(order.url, order.finalize_url, make_csr([NAME], key))
    assert again.value.trouble is CaTrouble.NOT_READY
    assert ca.read_order(order.url).certificate_url == issued.order.certificate_url


def test_a_csr_for_other_names_is_rejected(ca: AcmeCa, http01: Http01) -> None:
    order = ca.place_order([NAME])
    authorize(ca, order, http01)
    until(lambda: ca.read_order(order.url).status, lambda status: status == "ready", "the order to be ready")
    with pytest.raises(CaError) as refused:
        ca.finalize(order.url, order.finalize_url, make_csr([STORE], new_key("ec-p256")))
    assert refused.value.trouble is CaTrouble.REJECTED


def test_answering_twice_is_harmless_and_a_challenge_that_is_none_is_not(ca: AcmeCa, http01: Http01) -> None:
    order = ca.place_order([NAME])
    authorization = ca.read_authorization(order.authorizations[0])
    challenge = next(each for each in authorization.challenges if each.type == "http-01")
    authorize(ca, order, http01)
    ca.answer(challenge)  # read before it was answered, so it still says pending
    ca.answer(replace(challenge, status="valid"))
    with pytest.raises(CaError) as lost:
        ca.answer(Challenge("http-01", f"{challenge.url}x", challenge.token, "pending"))
    assert lost.value.trouble is CaTrouble.ORDER_LOST


def test_a_failed_challenge_names_its_reason(ca: AcmeCa) -> None:
    order = ca.place_order([NAME])
    url = order.authorizations[0]
    challenge = next(each for each in ca.read_authorization(url).challenges if each.type == "http-01")
    ca.answer(challenge)  # nothing was put up: the edge answers 404
    failed = until(lambda: ca.read_authorization(url), lambda seen: seen.status == "invalid", "the judgement")
    assert isinstance(failed.problem, CaError)
    assert failed.problem.trouble is CaTrouble.VALIDATION
    assert failed.problem.type.endswith(":unauthorized")
    assert ca.read_order(order.url).status == "invalid"
    ca.answer(challenge)


@pytest.fixture
def two_databases(tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """Give two storages on one file, as two processes have them."""
    with contextlib.ExitStack() as stack:
        made = [Database(engines_for(f"sqlite:///{tmp_path}/certdesk.db")) for _ in range(2)]
        for database in made:
            stack.callback(database.close)
        made[0].migrate()
        yield made[0], made[1]


def test_one_account_whatever_races(pebble: Pebble, two_databases: tuple[Database, Database]) -> None:
    """Eight threads of two adapters, as in two processes, order at once: they end up with one account."""
    found: list[str] = []
    start = threading.Barrier(8)

    def order(ca: AcmeCa) -> None:
        start.wait(10)
        found.append(ca.place_order([NAME]).url)

    with (
        adapter(pebble.directory, pebble.ca_bundle, two_databases[0]) as one,
        adapter(pebble.directory, pebble.ca_bundle, two_databases[1]) as two,
    ):
        threads = [threading.Thread(target=order, args=(ca,)) for ca in (one, two) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        for url in found:  # a CA shows an order to the account that placed it, and to no other
            assert one.read_order(url).status == "pending"
            assert two.read_order(url).status == "pending"
        with (
            adapter(pebble.directory, pebble.ca_bundle, MemoryStorage()) as stranger,
            pytest.raises(CaError),
        ):
            stranger.read_order(found[0])
    assert account_at(two_databases[0], pebble.directory) == account_at(two_databases[1], pebble.directory)


def test_a_ca_that_has_forgotten_everything_is_met_again(
    tmp_path: Path, bind: Bind, edge: Edge, storage: MemoryStorage, http01: Http01
) -> None:
    port = free_port()
    with start_pebble(tmp_path, bind, edge, port=port) as pebble:
        directory, bundle = pebble.directory, pebble.ca_bundle
        with adapter(directory, bundle, storage) as ca:
            order = ca.place_order([NAME])
            account = account_at(storage, directory)
            pebble.stop()
            with (
                start_pebble(tmp_path, bind, edge, port=port),
                adapter(directory, bundle, storage) as other,
            ):
                with pytest.raises(CaError) as lost:
                    ca.read_order(order.url)
                assert lost.value.trouble is CaTrouble.ORDER_LOST
                anew = account_at(storage, directory)
                assert anew.url != account.url
                assert anew.sealed_key == account.sealed_key
                assert fits((done := issue(ca, [NAME], http01)).chain, done.key, [NAME]) is None
                assert other.read_order(done.order.url).status == "valid"


def test_external_account_binding(tmp_path: Path, bind: Bind, edge: Edge) -> None:
    with start_pebble(tmp_path, bind, edge, eab_keys={"kid-1": EAB}) as pebble:
        directory, bundle = pebble.directory, pebble.ca_bundle
        with adapter(directory, bundle, MemoryStorage(), eab_kid="kid-1", eab_hmac=EAB) as ca:
            assert ca.place_order([NAME]).status == "pending"
        with adapter(directory, bundle, MemoryStorage()) as ca, pytest.raises(CaError) as missing:
            ca.place_order([NAME])
        assert missing.value.trouble is CaTrouble.ACCOUNT
        with (
            adapter(directory, bundle, MemoryStorage(), eab_kid="kid-2", eab_hmac=EAB) as ca,
            pytest.raises(CaError) as wrong,
        ):
            ca.place_order([NAME])
        assert wrong.value.trouble is CaTrouble.ACCOUNT


def test_profiles_are_asked_for_and_unknown_ones_name_what_there_is(
    tmp_path: Path, bind: Bind, edge: Edge, storage: MemoryStorage, http01: Http01
) -> None:
    profiles = {"long": 90 * 86400, "short": 6 * 86400}
    with start_pebble(tmp_path, bind, edge, profiles=profiles) as pebble:
        directory, bundle = pebble.directory, pebble.ca_bundle
        for profile, days in (("long", 90), ("short", 6)):
            with adapter(directory, bundle, storage, profile=profile) as ca:
                leaf = read_chain(issue(ca, [NAME], http01).chain)
            assert abs(leaf.not_after - leaf.not_before - timedelta(days=days)) < timedelta(minutes=1)
        with (
            adapter(directory, bundle, storage, profile="tiny") as ca,
            pytest.raises(CaError) as unknown,
        ):
            ca.place_order([NAME])
        assert unknown.value.trouble is CaTrouble.SETTINGS
        assert "'tiny' of app.yaml; it offers long, short." in unknown.value.detail


def test_a_ca_that_refuses_a_third_of_all_nonces(
    tmp_path: Path, bind: Bind, edge: Edge, storage: MemoryStorage, http01: Http01
) -> None:
    with (
        start_pebble(tmp_path, bind, edge, nonce_reject=33) as pebble,
        adapter(pebble.directory, pebble.ca_bundle, storage) as ca,
    ):
        for _ in range(5):
            issue(ca, [NAME], http01)
        assert ca.traffic()["bad_nonce"] > 0
        assert ca.traffic()["head"] == 1  # a refusal brings the nonce for the next try


def test_renewal_information(pebble: Pebble, ca: AcmeCa, http01: Http01) -> None:
    issued = issue(ca, [NAME], http01)
    leaf = read_chain(issued.chain)
    info = ca.renewal_info(issued.chain)
    assert info is not None
    assert leaf.not_before < info.window.start < info.window.end < leaf.not_after
    assert timedelta(minutes=59) < info.ask_again_at - utc_now() <= timedelta(days=1)

    past = utc_now().replace(microsecond=0) - timedelta(days=2)
    pebble.set_renewal_info(issued.chain, past, past + timedelta(hours=1), "https://status.test/revoked")
    moved = ca.renewal_info(issued.chain)
    assert moved is not None
    assert (moved.window.start, moved.window.end) == (past, past + timedelta(hours=1))
    assert moved.explanation_url == "https://status.test/revoked"

    renewed = issue(ca, [NAME], http01, replaces=issued.chain)
    assert fits(renewed.chain, renewed.key, [NAME], utc_now()) is None
    once_more = issue(
        ca, [NAME], http01, replaces=issued.chain
    )  # replaced already: ordered without the field
    assert fits(once_more.chain, once_more.key, [NAME], utc_now()) is None


def test_no_renewal_information_for_strangers_and_the_expired(
    pebble: Pebble, ca: AcmeCa, http01: Http01
) -> None:
    issued = issue(ca, [NAME], http01)
    after = read_chain(issued.chain).not_after
    with adapter(pebble.directory, pebble.ca_bundle, MemoryStorage(), clock=lambda: after) as late:
        assert late.renewal_info(issued.chain) is None
        assert late.traffic()["get"] == 1  # the directory alone


def test_a_name_that_the_policy_forbids(tmp_path: Path, bind: Bind, edge: Edge) -> None:
    with (
        start_pebble(tmp_path, bind, edge, domain_blocklist=["blocked.test"]) as pebble,
        adapter(pebble.directory, pebble.ca_bundle, MemoryStorage()) as ca,
        pytest.raises(CaError) as refused,
    ):
        ca.place_order(["shop.blocked.test"])
    assert refused.value.trouble is CaTrouble.REJECTED
    assert refused.value.type.endswith(":rejectedIdentifier")
