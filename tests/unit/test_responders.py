"""The http-01 responder and the answers that the web endpoint gives."""

from datetime import UTC, datetime

import pytest

from services.issuance.responders import Http01, answer_for
from storage.memory import MemoryStorage

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"


def test_an_answer_is_visible_from_when_it_is_put_up_until_it_is_taken_down() -> None:
    storage = MemoryStorage()
    http01 = Http01(storage, lambda: NOW)
    assert http01.type == "http-01"
    assert not http01.visible("a.test", TOKEN, f"{TOKEN}.thumb")
    for _ in range(2):
        http01.present("a.test", TOKEN, f"{TOKEN}.thumb", "cert-1")
    http01.present("a.test", "other", "other.thumb", "cert-2")
    assert http01.visible("a.test", TOKEN, f"{TOKEN}.thumb")
    assert not http01.visible("a.test", TOKEN, f"{TOKEN}.of-another-account")
    assert answer_for(storage, TOKEN) == f"{TOKEN}.thumb"
    for _ in range(2):
        http01.clean_up("a.test", TOKEN, f"{TOKEN}.thumb", "cert-1")
    assert answer_for(storage, TOKEN) is None
    assert answer_for(storage, "other") == "other.thumb"


@pytest.mark.parametrize("token", ["", "a/b", "../etc/passwd", "a.b", "a=", "ä", "a b", "a\n", "x" * 129])
def test_what_cannot_be_a_token_is_not_even_looked_up(token: str) -> None:
    storage = MemoryStorage()
    with storage.write() as transaction:
        transaction.challenges.put(token, "found", "cert-1", NOW)
    assert answer_for(storage, token) is None


def test_the_longest_token_is_looked_up() -> None:
    storage = MemoryStorage()
    with storage.write() as transaction:
        transaction.challenges.put("x" * 128, "found", "cert-1", NOW)
    assert answer_for(storage, "x" * 128) == "found"
