"""What is done when something is clicked in the Home tab. Nothing that the view carries proves a right."""

from commands import home_view, renew
from commands.command import Call
from commands.home_memory import MOST_TYPED, Shown, turned
from commands.home_view import FIND, PREVIOUS, SEARCH, SHOW, TURN
from commands.reply import Outcome, Reply, Tone
from services import fleet, home
from services.model.certificates import Certificate
from services.model.errors import CertdeskError
from services.model.text import say
from services.model.workspaces import place
from services.renewal import asking

FAMILY = "home."
"""How the actions of the Home tab begin."""
TURNING = frozenset({SEARCH, FIND, SHOW, TURN})
"""Those that show something else, and do nothing besides."""


def search(call: Call) -> None:
    """Show what is found by what was typed; nothing typed is no search."""
    typed = "".join(call.filled(SEARCH)).strip()[:MOST_TYPED]
    _show(call, Shown(search=typed) if typed.isprintable() else Shown())


def show(call: Call) -> None:
    """Show a portion of the certificates, or the alerts: the value's word says which; an unknown one is the beginning."""
    _show(call, Shown.from_json({"what": "".join(call.words)}))


def turn(call: Call) -> None:
    """Turn to the next or the previous page of what the view shows."""
    back = call.words == (PREVIOUS,)
    _show(call, turned(_memory(call), back=back))


def check(call: Call) -> Outcome:
    """Look at a certificate now: its person has changed something."""
    certificate = _certificate(call)
    fleet.look_now(call.desk, certificate, call.caller.person)
    return _noted(certificate)


def renew_one(call: Call) -> Outcome:
    """Renew a certificate now; what is well and not due only once it is confirmed, as `/ssl renew` does."""
    certificate = _certificate(call)
    if asking.early_whole(call.desk, certificate):
        asked = renew.question(call, certificate.wanted[:1], certificate.store, private=True)
        if asked is not None:
            return asked
    fleet.renew_now(call.desk, certificate, call.caller.person)
    return _noted(certificate)


def _certificate(call: Call) -> Certificate:
    """Return the certificate that was clicked. One that is not the caller's is as unknown as one that is not there."""
    with call.desk.storage.read() as tx:
        found = tx.certificates.get(" ".join(call.words), call.caller.changes.stores)
    if found is None:
        raise CertdeskError(say("certdesk no longer knows this certificate. Nothing was done."))
    return found


def _noted(certificate: Certificate) -> Outcome:
    return Outcome(Reply(Tone.INFO, home_view.checking(certificate), private=True))


def _memory(call: Call) -> str:
    found = call.form.get("memory")
    return found if isinstance(found, str) else ""


def _show(call: Call, shown: Shown) -> None:
    home.show(call.desk, call.caller.person, shown.to_json(), team=place(call.channel)[0])
