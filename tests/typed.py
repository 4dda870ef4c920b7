"""Slack's own types as a judge: what certdesk sends, as TypeScript literals, goes through tsc with @slack/types."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.demo.parts import fetch

LOCKED = Path(__file__).with_name("npm")
_IMPORT = "import type { HomeView, KnownBlock, ModalView } from '@slack/types';\n"
_OPTIONS = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "skipLibCheck": True,
        "module": "nodenext",
        "moduleResolution": "nodenext",
        "types": [],
    },
    "files": ["sent.ts"],
}


def complaints(
    folder: Path, messages: Sequence[Sequence[Mapping[str, Any]]], views: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return one line for each thing that Slack's types do not know; ``folder`` is an empty one to work in."""
    packages = fetch.npm("typescript", locked=LOCKED).parent
    (folder / "node_modules").symlink_to(packages, target_is_directory=True)
    lines = [_IMPORT]
    lines += [f"export const m{n}: KnownBlock[] = {_literal(blocks)};" for n, blocks in enumerate(messages)]
    kinds = {"modal": "ModalView", "home": "HomeView"}
    lines += [f"export const v{n}: {kinds[view['type']]} = {_literal(view)};" for n, view in enumerate(views)]
    (folder / "sent.ts").write_text("\n".join(lines))
    (folder / "tsconfig.json").write_text(json.dumps(_OPTIONS))
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    code, said = fetch.npm_exec(["tsc", "--pretty", "false", "-p", "."], folder)
    found = [line for line in said.splitlines() if "error TS" in line]
    if code and not found:
        raise AssertionError(said)
    return found


def _literal(piece: Any) -> str:
    return json.dumps(piece, ensure_ascii=True)
