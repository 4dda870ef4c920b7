"""COMPOSITION ROOT: the only module that names concrete adapters; everything else sees ports and settings."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from bot import settings, vetting
from bot.config import ConfigurationError, Loaded
from bot.targets import KINDS, Around
from bot.text.language import languages
from services.checks.chain import Chain
from services.checks.dns import DnsClient
from services.checks.edge_proof import edge_key, edge_proof
from services.checks.polite import Polite
from services.checks.rdap import Rdap
from services.checks.web import SocketWeb
from services.checks.world import World
from services.deployment.fitness import Guarded
from services.deployment.proof import TlsProbe
from services.desk import Desk
from services.issuance.acme.authority import AcmeCa
from services.issuance.dns_responder import Dns01
from services.issuance.move import Parts
from services.issuance.responders import Http01
from services.model.certificates import Certificate
from services.model.clock import Clock, utc_now
from services.model.errors import CertdeskError
from services.model.settings import CaSettings
from services.model.text import say
from services.ports import ChallengeResponder, DeployTarget, Storage
from services.renewal import budget
from services.scanning.apart import Apart
from services.scanning.crawl import Outside
from services.scanning.fetching import SocketFetcher
from services.scanning.resolving import resolver
from services.scanning.running import Scanner
from services.scanning.sites import Sites
from services.scanning.themes import source_of
from storage.database import Database
from storage.vault import Vault, parse_key


@dataclass(slots=True)
class Bell:
    """Rings for whoever works on the queues of this process; nobody need be there."""

    listeners: list[Callable[[], None]] = field(default_factory=list)

    def ring(self) -> None:
        """Tell every listener that something may be due."""
        for listener in self.listeners:
            listener()


@dataclass(frozen=True, slots=True)
class Application:
    """The wired parts of one process."""

    loaded: Loaded
    storage: Storage
    vault: Vault
    desk: Desk
    parts: Parts
    watching: Parts
    """The same for the fleet's watch, whose checks run in threads of their own: nobody's command waits for them."""
    sites: Sites
    """What scans stores' pages."""
    bell: Bell
    """Rings when somebody asked for something."""
    mail: Bell
    """Rings when a message may be owed; it rings at each step, so the other queues are not looked at for it."""
    clock: Clock
    traffic: Mapping[str, Callable[[], Mapping[str, int]]]
    """For each CA: what counts the exchanges with it."""
    clocks: Mapping[str, Callable[[], timedelta | None]]
    """For each CA: what tells how far its clock is ahead of ours, None if nobody knows."""
    edge_key: bytes = field(repr=False)
    """Key of the proof that an edge leads to this certdesk; the same in every process with the same vault key."""
    closers: tuple[Callable[[], None], ...]

    def close(self) -> None:
        """Give back what was opened."""
        for closer in self.closers:
            closer()


def open_storage(loaded: Loaded, *, migrate: bool = False) -> Database:
    """Return the storage of the configuration, its schema up to date (see `Database.open`)."""
    return Database.open(loaded.database_url, migrate=migrate)


def vault_keys(loaded: Loaded) -> tuple[bytes, ...]:
    """Return the key-encryption keys, the present one first. Raises ConfigurationError if there is none."""
    keys = loaded.config.vault
    text = keys.key
    if not text and keys.key_file is not None:
        text = _read_key(loaded.path(keys.key_file))
    if not text:
        raise ConfigurationError(
            say(
                "There is no key-encryption key, so private keys could not be kept. Make one with “certdesk keys new”, "
                "keep it where you keep secrets, and set it as CERTDESK_VAULT__KEY or in the file that vault.key_file names."
            )
        )
    return tuple(parse_key(key) for key in (text, *keys.old_keys))


def _read_key(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            say("vault.key_file {path} cannot be read: {why}.", path=str(path), why=str(error))
        ) from None
    return text.removeprefix("CERTDESK_VAULT__KEY=")  # the file may hold the line that `keys new` prints


def build(loaded: Loaded, clock: Clock = utc_now) -> Application:
    """Return the application.

    Raises ConfigurationError, SchemaBehindError and other CertdeskErrors with what to do.
    """
    keys = vault_keys(loaded)
    vault = Vault(keys)
    vetting.roots(loaded)
    storage = _fitting(open_storage(loaded), vault)
    bell, mail = Bell(), Bell()
    proof_key = edge_key(keys[0])
    registrations = Rdap(settings.rdap(loaded), settings.probing(loaded), clock)
    world = replace(_world(loaded, storage, clock, proof_key), registrations=registrations)
    checker = Chain(world)
    authorities = {ca.name: AcmeCa(ca, storage, vault, clock) for ca in settings.cas(loaded)}
    parts = _parts(loaded, storage, vault, checker, authorities, clock, mail.ring)
    watcher = Chain(world)
    closers = (
        checker.close,
        watcher.close,
        registrations.close,
        *(ca.close for ca in authorities.values()),
        storage.close,
    )
    traffic = {name: ca.traffic for name, ca in authorities.items()}
    return Application(
        loaded=loaded,
        storage=storage,
        vault=vault,
        desk=_desk(loaded, parts, bell.ring),
        parts=parts,
        watching=replace(parts, checker=watcher),
        sites=_sites(loaded, storage, world, clock, mail.ring),
        bell=bell,
        mail=mail,
        clock=clock,
        traffic=traffic,
        clocks={name: ca.clock_ahead for name, ca in authorities.items()},
        edge_key=proof_key,
        closers=closers,
    )


def _parts(
    loaded: Loaded,
    storage: Storage,
    vault: Vault,
    checker: Chain,
    authorities: Mapping[str, AcmeCa],
    clock: Clock,
    announce: Callable[[], None],
) -> Parts:
    """Return what the steps work with."""
    platform, probing = settings.platform(loaded), settings.probing(loaded)
    return Parts(
        storage=storage,
        vault=vault,
        checker=checker,
        cas=authorities,
        responders=_responders(loaded, storage, clock),
        targets=_targets(loaded, Around(storage, vault, clock)),
        probe=TlsProbe(platform, probing),
        platform=platform,
        issuing=settings.issuing(loaded),
        renewing=settings.renewing(loaded),
        clock=clock,
        chance=random.SystemRandom().random,
        announce=announce,
        alerting=settings.alerting(loaded),
        limits={ca.name: ca for ca in settings.cas(loaded)},
        scans=loaded.config.scan.automatic,
    )


def _sites(
    loaded: Loaded, storage: Storage, world: World, clock: Clock, announce: Callable[[], None]
) -> Sites:
    """Return what scans stores' pages."""
    keys = settings.scanning(loaded)
    fetcher = SocketFetcher(settings.probing(loaded), resolver(world.dns), keys.timeout)
    outside = Outside(fetcher, keys, time.sleep, time.monotonic, Apart)
    scanner = Scanner(outside, source_of(keys.theme_source), clock)
    return Sites(storage, scanner, clock, announce, automatic=keys.automatic)


def _targets(loaded: Loaded, around: Around) -> tuple[DeployTarget, ...]:
    """Return the deploy targets, each of which is handed nothing that does not fit."""
    return tuple(
        Guarded(KINDS[entry.kind].make(entry.name, entry.settings, around), around.clock)
        for entry in settings.targets(loaded)
    )


def _desk(loaded: Loaded, parts: Parts, wake: Callable[[], None]) -> Desk:
    """Return what use cases work with."""
    return Desk(
        storage=parts.storage,
        checker=parts.checker,
        platform=parts.platform,
        issuing=parts.issuing,
        renewing=parts.renewing,
        clock=parts.clock,
        wildcards=_wildcards(loaded),
        wake=wake,
        alerting=parts.alerting,
        limits=settings.cas(loaded),
        approving=settings.approving(loaded),
        languages={language.code: language.name for language in languages()},
    )


def _wildcards(loaded: Loaded) -> bool:
    return loaded.config.dns.update is not None and "dns-01" in loaded.config.acme.challenges


def _world(loaded: Loaded, storage: Storage, clock: Clock, proof_key: bytes) -> World:
    """Return what the checks work with."""
    dns, probing = settings.dns(loaded), settings.probing(loaded)
    return World(
        dns=Polite(DnsClient(dns, loaded.config.dns.authority_port), dns.per_server),
        platform=settings.platform(loaded),
        probing=probing,
        issuing=settings.issuing(loaded),
        cas=settings.cas(loaded),
        accounts=partial(_account_url, storage),
        wildcards=_wildcards(loaded),
        clock=clock,
        spent=lambda ca, name: budget.look(storage, ca, name, clock()),
        web=SocketWeb(probing),
        edge_proof=partial(edge_proof, proof_key),
        covered=partial(_covered, storage),
    )


def _fitting(storage: Database, vault: Vault) -> Database:
    """Return ``storage``, whose secrets the vault opens; it is closed and ConfigurationError raised if not."""
    try:
        vetting.secrets(storage, vault)
    except CertdeskError:
        storage.close()
        raise
    return storage


def _account_url(storage: Storage, ca: CaSettings) -> str | None:
    with storage.read() as tx:
        account = tx.accounts.get(ca.directory)
    return account.url if account else None


def _covered(storage: Storage, certificate: Certificate) -> tuple[str, ...]:
    """Return the names of the installed revision; see `services.checks.world.World.covered`."""
    if certificate.installed is None:
        return ()
    with storage.read() as tx:
        revision = tx.certificates.revision(certificate.installed)
    return revision.names if revision else ()


def _responders(loaded: Loaded, storage: Storage, clock: Clock) -> dict[str, ChallengeResponder]:
    """Return the responders by type, in the order of preference; dns-01 only where updates are set up."""
    dns = settings.dns(loaded)
    made: dict[str, ChallengeResponder] = {"http-01": Http01(storage, clock)}
    if dns.update is not None:
        made["dns-01"] = Dns01(dns.update, dns.resolvers, dns.timeout, loaded.config.dns.authority_port)
    return {kind: made[kind] for kind in loaded.config.acme.challenges if kind in made}
