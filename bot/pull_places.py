"""Where pull targets listen: sockets, TLS with client certificates, tokens; each is refused with what is in the way."""

import contextlib
import grp
import hashlib
import os
import socket
import ssl
from pathlib import Path

from bot.config import ConfigurationError
from services.deployment.pull import SOCKET, PullSettings
from services.model.text import say

LEAST_TOKEN = 16


def token(target: str, settings: PullSettings) -> bytes:
    """Return the SHA-256 of the token that clients have to send; empty if none is asked for. Raises ConfigurationError."""
    if settings.token_file is None:
        return b""
    token = _read(target, settings.token_file)
    if len(token) < LEAST_TOKEN:
        raise ConfigurationError(
            say(
                "deploy.targets: token_file of {target} holds {length} characters; a token of at least {least} is needed.",
                target=target,
                length=len(token),
                least=LEAST_TOKEN,
            )
        )
    return hashlib.sha256(token.encode()).digest()


def _read(target: str, path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _cannot(target, str(path), str(error)) from None


def _cannot(target: str, what: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        say("deploy.targets: {target} cannot use {what}: {why}.", target=target, what=what, why=why)
    )


def context(target: str, settings: PullSettings) -> ssl.SSLContext | None:
    """Return how TLS is spoken, with a client certificate asked of everybody; None for plain HTTP.

    Raises ConfigurationError for files that are not there or do not fit.
    """
    if settings.tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        context.load_verify_locations(cafile=settings.tls_client_ca)
    except OSError as error:
        raise _cannot(target, "tls_certificate, tls_key, tls_client_ca", str(error)) from None
    return context


def listening(target: str, settings: PullSettings) -> socket.socket:
    """Return a listening socket. Raises ConfigurationError if it cannot be had."""
    try:
        if settings.listen.startswith(SOCKET):
            return _unix(Path(settings.listen.removeprefix(SOCKET)), settings.group)
        host, port = settings.address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, KeyError) as error:
        raise _cannot(target, settings.listen, str(error)) from None


def _unix(path: Path, group: str) -> socket.socket:
    """Return a listening Unix socket that only its owner, and a group if one is named, may connect to."""
    listening = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket() and not _alive(path):
            path.unlink()  # of a process that has ended
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        if group:
            os.chown(path, -1, int(group) if group.isdigit() else grp.getgrnam(group).gr_gid)
            path.chmod(0o660)
        listening.listen(1024)
    except (OSError, KeyError):
        listening.close()
        raise
    return listening


def _alive(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking, contextlib.suppress(OSError):
        asking.connect(str(path))
        return True
    return False
