"""The keys under scan: how stores' pages are looked at; `bot.config_keys` has the others."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from bot.config_section import Section
from bot.config_values import Number, Seconds, Whole, words


def _page(path: str) -> str:
    """Return a path on the store, such as /login."""
    if not re.fullmatch(r"/(?!/)[^\s\\#]*", path):
        raise ValueError("a path on the store is needed, such as /login")
    return path


def _source(source: str) -> str:
    """Return a folder or an address with the store's id in it, or the empty text for none."""
    if source and source.count("{store}") != 1:
        raise ValueError(
            "a folder or an http(s) URL is needed in which {store} stands once, where a store's id does"
        )
    return source


class Scan(Section):
    """How stores' pages are looked at for what is loaded over http://."""

    automatic: bool = True
    paths: Annotated[tuple[Annotated[str, AfterValidator(_page)], ...], BeforeValidator(words)] = (
        "/login",
        "/signup",
        "/checkout",
    )
    pages: Whole = Field(default=20, ge=0, le=500)
    sheets: Whole = Field(default=20, ge=0, le=500)
    lookups: Whole = Field(default=100, ge=0, le=2000)
    delay: Number = Field(default=0.5, ge=0, le=60)
    timeout: Seconds = 10.0
    total: Number = Field(default=180, gt=0, le=3600)
    page_bytes: Whole = Field(default=2 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024)
    theme_source: Annotated[str, AfterValidator(_source)] = ""
    workers: Whole = Field(default=2, ge=1, le=64)
