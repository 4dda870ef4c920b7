"""/ssl revoke: who may ask and who decides, what is asked, what is shown until it is over, and what is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from commands.caller import TERMINAL, Caller, Role
from commands.dispatch import dispatch
from commands.revocation_view import REASONS, revocation_view
from services.issuance.csr import make_csr, new_key
from services.model.lifecycle import State
from services.model.proposals import Stage as Asked
from services.model.revoking import Reason, Stage
from services.model.text import NOTHING, say
from tests.desks import MOON, SUPPORT, Bench, finding
from tests.unit.approval_world import ask, audited, click, composed, message, proposal, said
from tests.unit.commands_world import make_bench

SHOP = "shop.moon.test"
SERIAL = "0a1b2c"
OTHER = Caller("T1/U_OTHER", Role.SUPPORT, None)
ONCALL = Caller("T1/U_ONCALL", Role.ONCALL, None)
PEOPLE = {one.person: one for one in (SUPPORT, OTHER, ONCALL, MOON)}
KEY = new_key("ec-p256")


def known(person: str, _team: str = "") -> Caller:
    return PEOPLE[person]


@pytest.fixture
def bench() -> Bench:
    made = make_bench()
    dispatch(f"add {SHOP}", SUPPORT, made.desk)
    made.install(SHOP, serial=SERIAL)
    issue(made)
    return made


def issue(bench: Bench) -> None:
    """Give the installed revision what an issued one has."""
    with bench.storage.write() as tx:
        [row] = tx.certificates.listing()
        found = tx.certificates.revision(row.installed or "")
        assert found is not None
        issued = replace(
            found,
            csr=make_csr(found.names, KEY),
            chain="-----BEGIN CERTIFICATE-----",
            serial=row.serial,
            not_before=row.not_before,
            not_after=row.not_after,
            ca="pebble",
        )
        tx.certificates.put_revision(issued)


def shown(bench: Bench, asked: str) -> str:
    reply = composed(bench, asked).reply
    drawn = render(reply)
    assert not violations(drawn.text, drawn.blocks)
    return said(reply)


def approve(bench: Bench, asked: str, caller: Caller = OTHER) -> None:
    assert click(bench, "approval.approve", asked, caller, known=known) is None


@pytest.mark.parametrize("asker", [SUPPORT, ONCALL, MOON], ids=lambda one: one.role)
@pytest.mark.parametrize("reason", list(Reason))
def test_it_waits_for_another_person_of_the_platform(bench: Bench, asker: Caller, reason: Reason) -> None:
    asked = ask(bench, f"revoke {SHOP} --reason {reason.value.upper()}", asker)
    assert "Revoke the certificate of shop.moon.test?" in shown(bench, asked)
    assert "cannot be taken back" in shown(bench, asked)
    assert message(bench, f"approval:{asked}:deciders").channel == "C_SUPPORT"
    assert bench.certificate(SHOP).state is State.INSTALLED
    assert click(bench, "approval.approve", asked, asker, known=known) is not None
    approve(bench, asked)
    assert proposal(bench, asked).stage is Asked.DONE
    row = bench.certificate(SHOP)
    with bench.storage.read() as tx:
        [found] = tx.revocations.of(row.id)
    assert (found.reason, found.person, found.serial) == (reason, asker.person, SERIAL)
    assert row.state is State.CHECKING
    assert audited(bench)[:3] == (asker.person, "revoke", f"{SHOP} {SERIAL} {reason.value}")
    compromised = reason is Reason.KEY_COMPROMISE
    assert found.stage is (Stage.REVOKING if compromised else Stage.REPLACING)
    assert row.revoked is compromised
    assert ("new certificate for shop.moon.test before" in shown(bench, asked)) is not compromised


def test_a_merchant_approves_nothing(bench: Bench) -> None:
    asked = ask(bench, f"revoke {SHOP} --reason superseded", SUPPORT)
    assert click(bench, "approval.approve", asked, MOON, known=known) is not None
    assert proposal(bench, asked).stage is Asked.OPEN


def test_what_is_shown_follows_it_to_the_end(bench: Bench) -> None:
    asked = ask(bench, f"revoke {SHOP} --reason keyCompromise", SUPPORT)
    approve(bench, asked)
    revocation = str(proposal(bench, asked).result["revocation"])
    assert "Revoking the certificate of shop.moon.test" in shown(bench, asked)
    assert "The key is barred" in shown(bench, asked)
    failing = save(bench, revocation, failures=2, error=say("pebble is down."))
    assert "pebble is down. certdesk asks again at" in failing
    done = save(bench, revocation, stage=Stage.DONE, done_at=bench.now, told="keyCompromise")
    assert "is revoked, and a new one is on its way" in done
    assert not revocation_view(bench.desk, revocation).final
    blocked = finding("dns.not_hosted", SHOP)
    bench.change(SHOP, [blocked], state=State.BLOCKED, problem=blocked)
    assert "dns.not_hosted" in str(composed(bench, asked).reply)
    bench.install(SHOP, serial="0d", problem=None)
    assert shown(bench, asked).startswith("The certificate of shop.moon.test is revoked\n")
    assert composed(bench, asked).final
    told = save(bench, revocation, told="unspecified")
    assert "pebble does not take the reason keyCompromise; it was told unspecified." in told
    assert "pebble had revoked it already." in save(bench, revocation, told="")
    outcome = dispatch(f"status {SHOP}", SUPPORT, bench.desk)
    assert "Serial 0a1b2c was revoked on 2027-02-10 14:03 UTC: keyCompromise." in said(outcome.reply)
    [listed] = (outcome.data or {})["revocations"]
    assert (listed["serial"], listed["stage"], listed["reason"]) == (SERIAL, "done", "keyCompromise")


def save(bench: Bench, revocation: str, **changes: object) -> str:
    """Save the revocation as its worker does; return what is shown of it."""
    changes = {"failures": 0, "error": NOTHING, **changes}
    with bench.storage.write() as tx:
        found = tx.revocations.get(revocation)
        assert found is not None
        tx.revocations.save(replace(found, run_after=bench.now, **changes))  # type: ignore[arg-type]
    reply = revocation_view(bench.desk, revocation).reply
    drawn = render(reply)
    assert not violations(drawn.text, drawn.blocks)
    return said(reply)


def test_in_a_terminal_it_begins_at_once(bench: Bench) -> None:
    outcome = dispatch(["revoke", SHOP, "--reason", "superseded"], TERMINAL, bench.desk)
    assert outcome.exit_code == 0
    assert (outcome.data or {})["revocation"]["stage"] == "replacing"
    again = dispatch(["revoke", SHOP, "--reason", "superseded"], TERMINAL, bench.desk)
    assert again.exit_code == 1
    assert "There is nothing to revoke for shop.moon.test" in said(again.reply)


@pytest.mark.parametrize("serial", ["0A:1B:2C", "a1b2c", "0a1b2c"])
def test_a_serial_chooses_an_older_one(bench: Bench, serial: str) -> None:
    bench.install(SHOP, serial="0d0e")
    asked = ask(bench, f"revoke {SHOP} --reason superseded --serial {serial}")
    assert proposal(bench, asked).what["serial"] == SERIAL
    assert "It is not what visitors are served" in shown(bench, asked)
    approve(bench, asked)
    assert bench.certificate(SHOP).state is State.INSTALLED
    compromised = ask(bench, f"revoke {SHOP} --reason keyCompromise --serial {serial}")
    assert "nothing to revoke" in message_of(bench, compromised)


def message_of(bench: Bench, asked: str) -> str:
    return str(message(bench, f"request:{asked.removeprefix('prop_')}").body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"revoke {SHOP}", "--reason is missing. It is one of: keyCompromise, cessationOfOperation"),
        (f"revoke {SHOP} --reason because", "because is no reason"),
        ("revoke --reason superseded", "The name is missing"),
        (f"revoke {SHOP} sun.test --reason superseded", "takes one name"),
        (f"revoke {SHOP} --reason superseded --serial ff", "There is nothing to revoke"),
        ("revoke sun.test --reason superseded", "There is nothing to revoke for sun.test"),
        ("revoke nobodys.test --reason superseded", "No such name"),
    ],
)
def test_what_cannot_be_revoked_is_said(bench: Bench, text: str, expected: str) -> None:
    outcome = dispatch(text, SUPPORT, bench.desk)
    assert outcome.exit_code in (1, 2)
    assert expected in str(outcome.reply) or expected in said(outcome.reply)
    assert not outcome.proposal


def test_what_has_expired_is_not_revoked(bench: Bench) -> None:
    bench.now += timedelta(days=91)
    assert "nothing to revoke" in said(
        dispatch(f"revoke {SHOP} --reason superseded", SUPPORT, bench.desk).reply
    )


def test_every_reason_is_told_in_words() -> None:
    assert set(REASONS) == set(Reason)
