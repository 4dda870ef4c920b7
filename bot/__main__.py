"""`certdesk …`: the command line."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from services.model.errors import CertdeskError


class Commands(TyperGroup):
    """The commands; whoever types one of `certdesk ssl` without the `ssl` is told so."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is typed. Raises typer's usage error where there is none."""
        if args and args[0] not in self.commands:
            from commands.table import COMMANDS

            if args[0] in {command.name for command in COMMANDS}:
                ctx.fail(f"“{args[0]}” is one of the commands of ssl; type: certdesk ssl {args[0]}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Commands,
    help="certdesk gives every store on a hosted-shop platform a working TLS certificate and keeps it working.",
    epilog=(
        "In a clone, ./certdesk has these besides: ./certdesk test [WHAT], ./certdesk check, ./certdesk bench [NAME];"
        " CONTRIBUTING.md has more of them."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
keys = typer.Typer(help="The key-encryption key of the vault.", no_args_is_help=True)
stores = typer.Typer(help="The platform's stores.", no_args_is_help=True)
domains = typer.Typer(help="The domains that merchants added.", no_args_is_help=True)
drill = typer.Typer(
    help="What happens rarely and must go well, played on parts of its own on this machine.",
    no_args_is_help=True,
)
audit = typer.Typer(help="The audit trail: what was done, by whom and why.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.add_typer(stores, name="stores")
app.add_typer(domains, name="domains")
app.add_typer(audit, name="audit")
app.add_typer(drill, name="drill")

PASS_ON = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,  # a double hyphen among the words is ours to read
    "help_option_names": [],
}


@app.command()
def run() -> None:
    """Do everything in one process. That is Slack, HTTP and the work on certificates."""
    from bot.service import serve

    serve(listen=True, work=True)


@app.command()
def serve() -> None:
    """Listen to Slack and HTTP only. `certdesk work` does the work, on as many machines as you like."""
    from bot.service import serve as start

    start(listen=True, work=False)


@app.command()
def work() -> None:
    """Work on certificates, requests and messages only."""
    from bot.service import serve as start

    start(listen=False, work=True)


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from bot.upkeep import migrate_database

    typer.echo(migrate_database())


@app.command()
def manifest(
    url: Annotated[str, typer.Argument(help="Public https:// URL of certdesk; none for Socket Mode.")] = "",
) -> None:
    """Print the Slack app manifest, with the smallest set of scopes."""
    from bot.upkeep import print_manifest

    typer.echo(print_manifest(url))


@app.command()
def workspaces(
    *,
    json: Annotated[bool, typer.Option("--json", help="As a list for machines.")] = False,
) -> None:
    """List the Slack workspaces in which certdesk is installed by OAuth, with their state and stores."""
    from bot.installed import list_workspaces

    typer.echo(list_workspaces(as_json=json))


@app.command(context_settings=PASS_ON)
def ssl(context: typer.Context) -> None:
    """Do what /ssl does in Slack: `certdesk ssl help` lists it. Add --json for machines, --wait to follow to the end."""
    from bot.shell import run_ssl

    raise typer.Exit(run_ssl(tuple(context.args)))


@app.command()
def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Play the main job, print one JSON line last, and end.")
    ] = False,
) -> None:
    """Play the main job end to end on this machine. The CA, DNS server, edge and Slack workspace are real."""
    from bot.demo.play import play

    raise typer.Exit(play(once=once))


@drill.callback()
def drill_all() -> None:
    """Play what happens rarely and must go well, on parts of its own on this machine."""


@drill.command("mass-revocation")
def drill_mass_revocation(
    *,
    stores: Annotated[int, typer.Option("--stores", min=6, max=60, help="How many stores there are.")] = 12,
) -> None:
    """Let a CA revoke every certificate at once. Exit 0 only if each was replaced and is served."""
    from bot.demo.drill import mass_revocation

    raise typer.Exit(mass_revocation(stores))


@keys.command("new")
def keys_new() -> None:
    """Print a new key-encryption key as one line for the environment."""
    from storage.vault import new_key

    typer.echo(f"CERTDESK_VAULT__KEY={new_key()}")


@keys.command("rewrap")
def keys_rewrap() -> None:
    """Wrap every secret in the database under the present key; keep the former ones in vault.old_keys until it is done."""
    from bot.upkeep import rewrap_secrets

    typer.echo(rewrap_secrets())


@stores.command("import")
def stores_import(
    file: Annotated[Path, typer.Argument(help="CSV or JSON; docs/stores.md shows both.")],
) -> None:
    """Take stores and their domains from a file. A bad row is named, and then nothing of the file is taken."""
    from bot.upkeep import import_file

    typer.echo(import_file(file))


@stores.command("list")
def stores_list(
    *,
    json: Annotated[bool, typer.Option("--json", help="As JSON, in the form that import reads.")] = False,
) -> None:
    """List the stores with their status and domains."""
    from bot.upkeep import list_stores

    typer.echo(list_stores(as_json=json))


@stores.command("set-status")
def stores_set_status(
    store: str,
    status: Annotated[str, typer.Argument(help="active, inactive or deleted")],
) -> None:
    """Set a store's status."""
    from bot.upkeep import set_store_status
    from services.registry.rows import read_status

    try:
        wanted = read_status(status)
    except CertdeskError as error:
        raise typer.BadParameter(f"{error}.", param_hint="STATUS") from None
    typer.echo(set_store_status(store, wanted.value))


@domains.command("add")
def domains_add(store: str, name: str) -> None:
    """Add a domain to a store, as its merchant does on the platform."""
    from bot.upkeep import add_store_domain

    typer.echo(add_store_domain(store, name))


@audit.command("head")
def audit_head() -> None:
    """Print the number and the hash of the newest row, to keep elsewhere: `certdesk audit verify --known` takes it."""
    from bot.auditing import print_head

    typer.echo(print_head())


@audit.command("verify")
def audit_verify(
    *,
    known: Annotated[
        str, typer.Option("--known", help="NUMBER:HASH of a row that was kept: it must be there, unchanged.")
    ] = "",
) -> None:
    """Check that no row of the audit trail was changed, taken out or moved. Exit 1 names each break."""
    from bot.auditing import verify_trail
    from services.model.audit import read_head

    head = read_head(known) if known else None
    if known and head is None:
        raise typer.BadParameter(
            "it looks like 120:5f0c…, as `certdesk audit head` prints it", param_hint="--known"
        )
    whole, told = verify_trail(head)
    typer.echo(told)
    raise typer.Exit(0 if whole else 1)


@audit.command("show")
def audit_show(
    *,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=100_000, help="How many of the newest rows.")
    ] = 50,
    json: Annotated[bool, typer.Option("--json", help="As a JSON list, with the hashes.")] = False,
) -> None:
    """Show the newest rows of the audit trail, the newest last."""
    from bot.auditing import show_trail

    typer.echo(show_trail(limit, as_json=json))


def main() -> None:
    """Run the command line; what certdesk understands of a failure is said in its sentence, without a trace."""
    try:
        app(prog_name="certdesk")
    except CertdeskError as error:
        typer.echo(f"certdesk: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
