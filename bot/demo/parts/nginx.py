"""nginx as the platform's edge: it forwards the ACME and probe paths, and serves each store's page over TLS.

Certificates are read from DIRECTORY/NAME at each handshake, so what certdesk's files target swaps in is served at
once, without a reload. A name without a certificate gets a self-signed one: the handshake answers all the same.
"""

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bot.demo.parts import fetch, tls
from bot.demo.parts.errors import PartMissing
from bot.demo.parts.part import Part
from bot.demo.parts.process import Running, port_open

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_TYPES = "text/html html; text/css css; text/javascript js; image/svg+xml svg; image/png png; image/jpeg jpg; font/woff2 woff2;"
FORWARDED = ("/.well-known/acme-challenge/", "/.well-known/certdesk/")
"""What an edge hands on to certdesk: paths that begin so."""


def store_page(title: str) -> str:
    """Return a small page for a store."""
    name = html.escape(title)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{name}</title>
<style>body{{margin:0;min-height:100vh;display:grid;place-content:center;text-align:center;font:1.1rem system-ui;
background:linear-gradient(160deg,#fdf6ec,#e8eefc);color:#26304a}}h1{{font-size:2.4rem;margin:0}}</style>
<main><h1>{name}</h1><p>Open for business.</p></main></html>
"""


@dataclass
class Edge(Part):
    """A running edge; `pages` holds a folder per host name, whose files it serves as they are."""

    addresses: tuple[str, ...]
    http_port: int
    https_port: int
    certificates: Path
    pages: Path
    folder: Path
    upstream: str
    _words: list[str | Path]
    _env: dict[str, str]
    process: Running = field(init=False)

    @classmethod
    def start(  # noqa: PLR0913 - the address, the two ports and the three places between which an edge stands
        cls,
        folder: Path,
        http_port: int,
        https_port: int,
        *,
        certificates: Path,
        stores: Mapping[str, str],
        addresses: Sequence[str] = ("127.0.0.1",),
        upstream: str = "127.0.0.1:8402",
        cache: Path = fetch.CACHE,
    ) -> Self:
        """Serve `stores` (host name -> page as HTML; "*.x" for a wildcard) with certificates of that folder.

        On plain HTTP everything but what is forwarded to `upstream` is redirected to https. Where there is
        nothing at certificates/NAME ("_.x" for "*.x"), a link to a self-signed certificate is laid there.
        Raises PartMissing, PartFailed.
        """
        folder = folder.resolve()
        program, env = installed(cache)
        for made in (folder / "pages", folder / "self-signed", certificates):
            made.mkdir(parents=True, exist_ok=True)
        tls.self_signed(folder / "self-signed" / "any", ["no-such-store.invalid"])
        _lay(folder, certificates.resolve(), stores)
        (folder / "nginx.conf").write_text(_config(folder, addresses, http_port, https_port, upstream))
        words: list[str | Path] = [
            program,
            "-p",
            folder,
            "-c",
            folder / "nginx.conf",
            "-e",
            folder / "error.log",
        ]
        edge = cls(
            tuple(addresses),
            http_port,
            https_port,
            certificates.resolve(),
            folder / "pages",
            folder,
            upstream,
            words,
            env,
        )
        edge.process = edge._run()
        return edge

    def _run(self) -> Running:
        ready = port_open(self.https_port, self.addresses[0])
        return Running.start("nginx", self._words, log=self.folder / "nginx.log", ready=ready, env=self._env)

    def add_stores(self, stores: Mapping[str, str]) -> None:
        """Serve these stores too; nginx is started anew for it (as one process it cannot reload)."""
        _lay(self.folder, self.certificates, stores)
        self.process.stop()
        self.process = self._run()

    def stop(self) -> None:
        """End it."""
        self.process.stop()


def installed(cache: Path = fetch.CACHE) -> tuple[Path, dict[str, str]]:
    """Return nginx and the variables it needs; fetched if it is not on the PATH. Raises PartMissing."""
    if found := fetch.program("nginx"):
        return found, {}
    root = fetch.debian(["nginx"], cache=cache)
    if found := fetch.program("nginx", root):
        return found, {"LD_LIBRARY_PATH": fetch.library_path(root)}
    raise PartMissing("nginx", "its package holds no nginx", "install nginx")


def entry_of(name: str) -> str:
    """Return what a store's folders are called: its name, "_.x" for "*.x"."""
    return "_" + name[1:] if name.startswith("*.") else name


def lay_store(folder: Path, certificates: Path, name: str, page: str) -> str:
    """Write a store's page, and a stand-in where it has no certificate yet; return what its folders are called."""
    entry = entry_of(name)
    place = folder / "pages" / entry
    place.mkdir(exist_ok=True)
    (place / "index.html").write_text(page)
    if not os.path.lexists(certificates / entry):
        tls.self_signed(folder / "self-signed" / entry, [name])
        (certificates / entry).symlink_to(folder / "self-signed" / entry)
    return entry


def _lay(folder: Path, certificates: Path, stores: Mapping[str, str]) -> None:
    """Lay each store, and write its line in the list of names."""
    lines = []
    for name, page in stores.items():
        entry = lay_store(folder, certificates, name, page)
        key = rf'"~*^[^.]+{name[1:].replace(".", chr(92) + ".")}$"' if name.startswith("*.") else f'"{name}"'
        lines.append(f'{key} "{entry}";\n')
    with (folder / "names.conf").open("a") as names:
        names.writelines(lines)
    paths = (folder / "names.conf").read_text().splitlines()
    with (folder / "paths.conf").open("w") as out:
        for line in paths:
            key, entry = line.rstrip(";").rsplit(" ", 1)
            out.write(f'{key} "{certificates}/{entry.strip(chr(34))}";\n')


def _config(folder: Path, addresses: Sequence[str], http_port: int, https_port: int, upstream: str) -> str:
    hosts = [f"[{address}]" if ":" in address else address for address in addresses]
    plain = "\n".join(f"    listen {host}:{http_port} default_server;" for host in hosts)
    secure = "\n".join(f"    listen {host}:{https_port} ssl default_server;" for host in hosts)
    forward = "\n".join(
        f"    location {path} {{ proxy_pass http://{upstream}; proxy_set_header Host $host; }}"
        for path in FORWARDED
    )
    temporary = "\n".join(f"  {kind}_temp_path {folder}/temporary-{kind};" for kind in _TEMPORARY)
    port = "" if https_port == 443 else f":{https_port}"
    return f"""
daemon off;
master_process off;  # one process: nothing is left behind, and it may read what its owner may
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  types {{ {_TYPES} }}
  default_type application/octet-stream;
  access_log {folder}/access.log;
  server_names_hash_bucket_size 256;
  map_hash_bucket_size 512;
  server_tokens off;
{temporary}
  map $ssl_server_name $certificate {{
    default "{folder}/self-signed/any";
    include {folder}/paths.conf;
  }}
  map $request_method $folder {{
    "" $certificate;  # there is no request yet: the handshake
    default /var/empty;  # nothing of it is ever a page
  }}
  map $realpath_root $revision {{ default $realpath_root; }}  # where the link leads: looked up once for chain and key
  map $host $page {{
    default "";
    include {folder}/names.conf;
  }}
  server {{
{plain}
{forward}
    location / {{ return 301 https://$host{port}$request_uri; }}
  }}
  server {{
{secure}
    root $folder;
    ssl_certificate $revision/fullchain.pem;
    ssl_certificate_key $revision/privkey.pem;
    ssl_session_cache off;
    ssl_session_tickets off;  # each connection shows the certificate of that moment
{forward}
    location / {{
      if ($page = "") {{ return 404; }}
      root {folder}/pages/$page;
      try_files $uri $uri/index.html =404;
    }}
  }}
}}
"""
