"""When an installed certificate is renewed: the CA is asked for its window, and a moment in it is drawn and kept."""

from dataclasses import replace
from datetime import datetime

from services.issuance.move import Parts
from services.model.certificates import Certificate, Revision, Window
from services.model.errors import CaError
from services.renewal.timing import renewal_moment


def scheduled(parts: Parts, certificate: Certificate, revision: Revision) -> tuple[Certificate, str]:
    """Ask the CA for its renewal window when that is due (RFC 9773), and keep the moment that was drawn from it.

    Return the certificate, and the URL of the CA's explanation if it was asked and gave one.
    """
    now = parts.clock()
    if certificate.renew_at is not None and certificate.ari_after is not None and now < certificate.ari_after:
        return certificate, ""
    suggestion, ask_again, because = _suggestion(parts, certificate, revision, now)
    window, moment = renewal_moment(certificate, suggestion, parts.chance())
    told = certificate.rolled_back
    if told is not None and sooner(window, certificate.window):
        told = certificate.rollback_over(now)
    if told is not None:
        moment = max(moment, told.until)
    kept = replace(
        certificate,
        window=window,
        renew_at=moment,
        ari_after=ask_again,
        rollback=told or certificate.rollback,
    )
    return kept, because


def sooner(window: Window | None, before: Window | None) -> bool:
    """Tell whether the CA wants a certificate renewed earlier than it wanted before: then persons' wish to wait is over."""
    return window is not None and before is not None and window.start < before.start


def _suggestion(
    parts: Parts, certificate: Certificate, revision: Revision, now: datetime
) -> tuple[Window | None, datetime, str]:
    """Return the window, when to ask again, and the URL of an explanation.

    A CA that cannot be asked leaves what was known as it is.
    """
    ca = parts.cas.get(revision.ca)
    if ca is None or revision.chain is None:
        return None, now + parts.renewing.ari_every, ""
    try:
        info = ca.renewal_info(revision.chain)
    except CaError:
        return certificate.window, now + parts.renewing.ari_every, ""
    if info is None:
        return None, now + parts.renewing.ari_every, ""
    asked_again = min(info.ask_again_at, now + parts.renewing.ari_every)
    return info.window, asked_again, info.explanation_url or ""
