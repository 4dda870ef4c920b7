"""For workspaces that show Slack's date tokens as they are written: moments as in UTC."""

import re
from typing import Any

_DATE_TOKEN = re.compile(r"<!date\^[^|>]*\|([^>]*)>")  # only our own: "<" from outside has become an entity


def in_utc(piece: Any) -> Any:
    """Return a text or a piece of blocks with each date token replaced by its fallback, which is the moment in UTC."""
    if isinstance(piece, dict):
        return {key: in_utc(value) for key, value in piece.items()}
    if isinstance(piece, list | tuple):
        return type(piece)(in_utc(item) for item in piece)
    return _DATE_TOKEN.sub(r"\1", piece) if isinstance(piece, str) else piece
