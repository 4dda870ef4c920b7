"""What a machine that serves many stores says, as one merchant may read it: without the names of other stores."""

import re
from collections.abc import Collection
from dataclasses import replace

from services.model.text import Text, Value
from services.ports import Transaction

HIDDEN = "…"
"""Stands in the place of what is not told."""
MOST_LABELS = 12
"""Labels of one word that are looked at; names of stores have hardly ever more than five."""
MOST_WORDS = 30
"""Words that are looked up; of what a machine says beyond that, none that may be a name is told."""
_WORD = re.compile(r"[\w*-]+(?:\.[\w*-]+)+")


def foreign(tx: Transaction, said: str, store: str | None) -> frozenset[str]:
    """Return the words of ``said`` in which a name of another store than ``store`` stands; None: of any store.

    A reload that fails names the file that is broken, which may be anybody's: ``/certs/quiz.test/fullchain.pem``.
    """
    words = dict.fromkeys(_WORD.findall(said))
    return frozenset(
        word for at, word in enumerate(words) if at >= MOST_WORDS or _of_another(tx, word, store)
    )


def _of_another(tx: Transaction, word: str, store: str | None) -> bool:
    """Tell whether the longest name of a store that stands in ``word``, label by label, is another store's."""
    labels = word.lower().split(".")[:MOST_LABELS]
    for length in range(len(labels), 1, -1):
        names = (".".join(labels[at : at + length]) for at in range(len(labels) - length + 1))
        owners = {row.store for row in map(tx.stores.domain, names) if row is not None}
        if owners:
            return owners != {store}
    return False


def without(said: Text, words: Collection[str]) -> Text:
    """Return the sentence without these words in what fills its gaps."""
    return replace(said, values=tuple((gap, _bare(value, words)) for gap, value in said.values))


def bare(said: str, words: Collection[str]) -> str:
    """Return a text from anywhere without these words."""
    return _WORD.sub(lambda found: HIDDEN if found[0] in words else found[0], said)


def _bare(value: Value, words: Collection[str]) -> Value:
    if isinstance(value, Text):
        return without(value, words)
    if isinstance(value, tuple):
        return tuple(without(one, words) if isinstance(one, Text) else bare(one, words) for one in value)
    return bare(value, words) if isinstance(value, str) else value
