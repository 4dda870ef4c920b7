"""pebble 2.10, the ACME test CA: one on the PATH, else Debian sid's.

It keeps no state: each start has a new root. https://github.com/letsencrypt/pebble says what its knobs do.
"""

import contextlib
import datetime as dt
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import requests

from bot.demo.parts import fetch, tls
from bot.demo.parts.errors import PartMissing
from bot.demo.parts.part import Part
from bot.demo.parts.process import Running, free_port, http_ok

_TIMEOUT = 10
_DAY = 86400
_NAME = "pebble (the ACME test CA)"
_INSTALL = "put pebble 2.10 on the PATH (https://github.com/letsencrypt/pebble/releases)"


@dataclass(frozen=True)
class Pebble(Part):
    """A running pebble.

    `directory` is its ACME directory and `management_url` its other interface; `ca_bundle` is the PEM that
    both are to be verified with; `lacks` names what a pebble of today has and this one has not; `version` is "" where
    it is not known.
    """

    directory: str
    management_url: str
    ca_bundle: Path
    process: Running
    lacks: tuple[str, ...] = ()
    version: str = ""

    @classmethod
    def start(  # noqa: PLR0913 - one argument per knob of pebble
        cls,
        folder: Path,
        *,
        dns_server: str = "127.0.0.1:5300",
        http_port: int = 80,
        tls_port: int = 443,
        nosleep: bool = True,
        nonce_reject: int = 0,
        authz_reuse: int = 0,
        validity_seconds: int = 90 * _DAY,
        profiles: Mapping[str, int] | None = None,
        domain_blocklist: Sequence[str] = (),
        eab_keys: Mapping[str, str] | None = None,
        retry_after: int = 1,
        strict: bool = False,
        older: bool = False,
        address: str = "127.0.0.1",
        port: int | None = None,
        env: Mapping[str, str] | None = None,
        cache: Path = fetch.CACHE,
    ) -> Self:
        """Start pebble with its files in `folder`, asking `dns_server` and connecting to http_port and tls_port.

        `nonce_reject` and `authz_reuse` are percentages (of the latter pebble does one more: at 0 it reuses one in a hundred); `profiles` maps a profile's name to its validity in
        seconds (by default one, "default", of `validity_seconds`); `eab_keys` maps a key id to its base64url
        key and makes external account binding required; `retry_after` is in seconds; `env` has the last word.
        Raises PartFailed, and PartMissing too if it is an older one, without ARI or profiles, unless `older` lets it do.
        """
        folder.mkdir(parents=True, exist_ok=True)
        bundle = tls.issued(folder / "tls", ["localhost", "127.0.0.1", "::1"])
        acme_port, management_port = port or free_port(address), free_port(address)
        validities = profiles or {"default": validity_seconds}
        config = {
            "listenAddress": f"{address}:{acme_port}",
            "managementListenAddress": f"{address}:{management_port}",
            "certificate": str(folder / "tls" / "fullchain.pem"),
            "privateKey": str(folder / "tls" / "privkey.pem"),
            "httpPort": http_port,
            "tlsPort": tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": bool(eab_keys),
            "externalAccountMACKeys": dict(eab_keys or {}),
            "domainBlocklist": list(domain_blocklist),
            "retryAfter": {"authz": retry_after, "order": retry_after},
            "certificateValidityPeriod": validity_seconds,
            "profiles": {
                name: {"description": f"{name}: {seconds} seconds", "validityPeriod": seconds}
                for name, seconds in validities.items()
            },
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": config}, indent=1))
        directory = f"https://{address}:{acme_port}/dir"
        program = _program(cache)
        words: list[str | Path] = [
            program,
            "-config",
            folder / "pebble.json",
            "-dnsserver",
            dns_server,
        ]
        process = Running.start(
            "pebble",
            [*words, "-strict"] if strict else words,
            log=folder / "pebble.log",
            ready=http_ok(directory, bundle),
            env={
                "PEBBLE_WFE_NONCEREJECT": str(nonce_reject),
                "PEBBLE_AUTHZREUSE": str(authz_reuse),
                **({"PEBBLE_VA_NOSLEEP": "1"} if nosleep else {}),
                **(env or {}),
            },
        )
        places = (directory, f"https://{address}:{management_port}", bundle)
        pebble = cls(*places, process, _lacks(directory, bundle), _version(program))
        if pebble.lacks and not older:
            pebble.stop()
            which = f"{program} ({pebble.version or 'of an unknown version'})"
            raise PartMissing(
                _NAME, f"{which} is an older one, without {' and '.join(pebble.lacks)}", _INSTALL
            )
        return pebble

    def _managed(self, path: str) -> str:
        answer = requests.get(self.management_url + path, verify=str(self.ca_bundle), timeout=_TIMEOUT)
        answer.raise_for_status()
        return answer.text

    def root(self) -> str:
        """Return the root of what it issues, as PEM; another at each start."""
        return self._managed("/roots/0")

    def certificate_status(self, serial: str) -> Mapping[str, object]:
        """Return what it says of a certificate with this hexadecimal serial: its "Status" is Valid or Revoked."""
        said: dict[str, object] = json.loads(self._managed(f"/cert-status-by-serial/{serial}"))
        return said

    def set_renewal_info(
        self,
        certificate_pem: str,
        start: dt.datetime,
        end: dt.datetime,
        explanation_url: str | None = None,
    ) -> None:
        """Let its ARI answer (RFC 9773) for this certificate be the window from `start` to `end` (aware)."""
        window = {"start": _stamp(start), "end": _stamp(end)}
        info = {"suggestedWindow": window, **({"explanationURL": explanation_url} if explanation_url else {})}
        answer = requests.post(
            f"{self.management_url}/set-renewal-info/",
            json={"Certificate": certificate_pem, "ARIResponse": json.dumps(info)},
            verify=str(self.ca_bundle),
            timeout=_TIMEOUT,
        )
        answer.raise_for_status()

    def stop(self) -> None:
        """End it; what it has issued and its root are gone then."""
        self.process.stop()


def _version(program: Path) -> str:
    """Return Debian's version of a packaged one, as far as its change log tells; of others nothing is known."""
    changes = program.parents[1] / "share" / "doc" / "pebble" / "changelog.Debian.gz"
    with contextlib.suppress(OSError), gzip.open(changes, "rt", errors="replace") as log:
        return log.readline().partition("(")[2].partition(")")[0]
    return ""


def _lacks(directory: str, bundle: Path) -> tuple[str, ...]:
    """Return what its directory (RFC 8555 §7.1.1) does not show of what certdesk can use."""
    said = requests.get(directory, verify=str(bundle), timeout=_TIMEOUT).json()
    shown = {"ARI": said.get("renewalInfo"), "profiles": said.get("meta", {}).get("profiles")}
    return tuple(name for name, found in shown.items() if not found)


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _program(cache: Path) -> Path:
    """Where pebble is; fetched if it is not on the PATH."""
    if found := fetch.program("pebble"):
        return found
    try:
        return fetch.debian(["pebble"], suite="sid", cache=cache) / "usr" / "bin" / "pebble"
    except PartMissing as missing:
        raise PartMissing(_NAME, missing.reason, _INSTALL) from None
