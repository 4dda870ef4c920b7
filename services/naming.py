"""From what people type to names: UTS 46 normalisation (idna) and registrable domains (the Public Suffix List)."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from threading import Lock

import idna
from publicsuffixlist import PSLFILE, PublicSuffixList, encode_idn

from services.model import names
from services.model.errors import InvalidNameError
from services.model.text import NOTHING, Phrase, Text, say

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PLAIN = re.compile(
    r"(?!.*--)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII
)
_SLACK_LINK = re.compile(r"<([^|<>]*)(?:\|([^<>]*))?>")
_MENTION = re.compile(r"\s*<[@#!]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?=[/\\]{2})|mailto:", re.IGNORECASE)
_PORT = re.compile(r":[0-9]{0,5}$")
_QUOTES = "\"'`,;\u201c\u201d\u2018\u2019\u00ab\u00bb\u201e"  # straight ones, and what editors make of them
_WIDE = str.maketrans("\u3002\uff0e\uff61\uff0a\uff1a\uff0f\uff20", "...*:/@")
"""The full stops of UTS 46 §2.3, and what East Asian keyboards make of the signs around a name."""
_JOINERS = {"\u200c": 0x200C, "\u200d": 0x200D}
_LOADING = Lock()
MAX_LENGTH = 253  # RFC 1035 §2.3.4: 255 octets on the wire are 253 characters in text


def parse(text: str) -> str:
    """Return the name that ``text`` means: A-labels, lower case, without the final dot, wildcards as ``*.…``.

    Follows UTS 46, non-transitional (ß stays itself). What people paste counts as its host: a URL, HOST:PORT, a link
    of Slack's, a path behind the name. Characters that nobody sees are dropped. Raises InvalidNameError with a
    sentence for anything else: an address, an e-mail address, a bare label, a label or name that is too long.
    """
    if len(text) <= MAX_LENGTH and _PLAIN.fullmatch(text):
        return text  # nearly every name of an import, and IDNA changes nothing about it
    if _MENTION.match(text):
        raise _refused(text, Phrase("“{given}” is a mention in Slack and no domain name."))
    host = _host(text)
    if not host:
        raise _refused(text, Phrase("“{given}” has no domain name in it."))
    if _is_address(host):
        reason = Phrase("“{given}” is an IP address; certificates are for domain names.")
        raise _refused(text, reason, _VISITED)
    if "@" in host:
        raise _refused(text, Phrase("“{given}” is an e-mail address; give the domain name alone."))
    wildcard, host = host.startswith(names.WILDCARD), host.removeprefix(names.WILDCARD)
    if "*" in host:
        reason = Phrase("“{given}” has an asterisk that is not the whole first label.")
        raise _refused(text, reason, _ASTERISK)
    name = _judged(text, _to_ascii(text, host))
    if len(name) + 2 * wildcard > MAX_LENGTH:
        raise _refused(text, _TOO_LONG)
    return (names.WILDCARD if wildcard else "") + name


def fragment(text: str) -> str:
    """Return the beginning of a name that ``text`` means, as names are kept: lower case, in A-labels; may be empty.

    A whole name, however it was pasted, is what `parse` makes of it. A label in another script is encoded as if it were
    whole, which its beginning alone is not; nothing is refused, for a search may find nothing.
    """
    try:
        return parse(text)
    except InvalidNameError:
        return ".".join(map(_as_kept, _host(text)[: 2 * MAX_LENGTH].split(".")))[:MAX_LENGTH]


def _as_kept(label: str) -> str:
    if label.isascii():
        return label.lower()
    try:
        return idna.encode(label, uts46=True, transitional=False).decode("ascii").lower()
    except idna.IDNAError:
        return label.lower()


def _judged(text: str, name: str) -> str:
    """Return ``name`` if its labels are those of a host name under a top-level domain. Raises InvalidNameError."""
    labels = name.split(".")
    if len(labels) < 2:
        raise _refused(
            text, Phrase("“{given}” is a single label; give the whole name, such as shop.example.com.")
        )
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(
            text,
            Phrase("“{given}” has a label that is empty or has a character no host name may have."),
            _REGISTERED,
        )
    if labels[-1][0].isdigit():
        reason = Phrase("“{given}” ends in a number, which no top-level domain does.")
        raise _refused(text, reason, _REGISTERED)
    return name


def _host(text: str) -> str:
    """Return the host part of what was pasted: a URL, a Slack link, HOST:PORT, or the name itself."""
    bare = _seen(text).translate(_WIDE).strip().strip(_QUOTES)
    bare = _SLACK_LINK.sub(lambda link: link[2] or link[1], bare).strip()
    scheme = _SCHEME.match(bare)
    rest = bare[scheme.end() :].lstrip("/\\") if scheme else bare
    host = re.split(r"[/\\?#]", rest.lstrip("/\\"), maxsplit=1)[0]
    if scheme and not scheme[0].lower().startswith("mailto"):
        host = host.rpartition("@")[2]  # what stands before it are a URL's user and password
    return host if _is_address(host) else _PORT.sub("", host)


def _seen(text: str) -> str:
    """Return ``text`` without the characters that nobody sees. A joiner stays where the rules of IDNA allow one."""
    return "".join(
        char
        for at, char in enumerate(text)
        if unicodedata.category(char) not in {"Cf", "Cs"} or (char in _JOINERS and _joins(text, at))
    )


def _joins(text: str, at: int) -> bool:
    """Tell whether a joiner at this place means something (RFC 5892 appendices A.1 and A.2): in Persian or Hindi, say."""
    try:
        return idna.valid_contextj(text, at)
    except ValueError:
        return False


def _to_ascii(text: str, host: str) -> str:
    """Return the A-label form. Underscores and the like are refused: idna's own rule for host names."""
    if len(host) > 2 * MAX_LENGTH:
        raise _refused(text, _TOO_LONG)
    try:
        encoded = idna.encode(host.removesuffix("."), uts46=True, transitional=False, std3_rules=True)
    except idna.IDNAError as error:
        raise _unlawful(text, host, error) from None
    return encoded.decode("ascii").lower()


def _unlawful(text: str, host: str, error: idna.IDNAError) -> InvalidNameError:
    """Return the refusal for what idna found: our own sentence, with the character that is wrong where there is one."""
    char = "" if error.codepoint is None else chr(error.codepoint)
    if char == "_":
        return _refused(text, _UNDERSCORE, _VISITED)
    if char and char not in host and "xn--" in host.lower():
        return _refused(
            text, _REASONS["invalid_alabel"], _REGISTERED
        )  # the character is in what the label decodes to
    if (error.code or "").startswith("bidi"):
        return _refused(text, _MIXED_DIRECTIONS, _REGISTERED)
    if char:
        reason = _CHARACTERS.get(error.code or "", _CHARACTER)
        return _refused(text, reason, _REGISTERED, character=_spelled(char))
    return _refused(text, _REASONS.get(error.code or "", _OTHER), _REGISTERED)


def _spelled(char: str) -> str:
    """Return the character with its name, such as “☃” (snowman); without the sign itself where nobody would see it."""
    name = unicodedata.name(char, f"U+{ord(char):04X}")
    name = name.lower() if name[:2] != "U+" else name
    return f"“{char}” ({name})" if char.isprintable() and not char.isspace() else name


_TOO_LONG = Phrase("“{given}” is longer than the 253 characters a domain name may have.")
_LONG_LABEL = Phrase("“{given}” has a label of more than 63 characters.")
_UNDERSCORE = Phrase("“{given}” has an underscore, and the names of web sites have no underscore.")
_CHARACTER = Phrase(
    "“{given}” has a character that no host name may have: {character}. Host names have letters, digits and hyphens."
)
_CHARACTERS: Mapping[str, Phrase] = {
    "contexto": Phrase("“{given}” has a character where none of its kind may stand: {character}."),
    "contextj": Phrase("“{given}” has a character where none of its kind may stand: {character}."),
    "leading_combiner": Phrase(
        "“{given}” has a label that begins with a mark that belongs upon a letter: {character}."
    ),
}
"""What idna's error codes mean to a reader where one character is to blame; `_CHARACTER` for the others."""
_MIXED_DIRECTIONS = Phrase("“{given}” has a label that mixes letters written from right to left with others.")
_OTHER = Phrase(
    "“{given}” is not a host name. Host names have letters, digits and hyphens, in labels parted by dots."
)
_REASONS: Mapping[str, Phrase] = {
    "label_too_long": _LONG_LABEL,
    "input_too_long": _TOO_LONG,
    "domain_too_long": _TOO_LONG,
    "empty_label": Phrase("“{given}” has an empty label: a dot at the start, or two in a row."),
    "empty_domain": Phrase("“{given}” has no domain name in it."),
    "hyphen_start_end": Phrase("“{given}” has a label that begins or ends with a hyphen."),
    "hyphen_3_4": Phrase(
        "“{given}” has a label whose third and fourth characters are hyphens; only labels in xn-- form have those."
    ),
    "invalid_alabel": Phrase(
        "“{given}” has a label that begins with xn-- but stands for no name in another script."
    ),
    "non_canonical_alabel": Phrase(
        "“{given}” has a label that begins with xn-- but stands for no name in another script."
    ),
}
"""What idna's error codes mean to a reader."""


_VISITED = say(
    "Give the name that visitors type to reach the shop, such as {example}.", example="shop.example.com"
)
_ASTERISK = say(
    "For every sub-domain at once give an asterisk, a dot and the domain, such as {wildcard}; or give each name in full,"
    " such as {example}.",
    wildcard="*.example.com",
    example="shop.example.com",
)
_REGISTERED = say("Type the whole name as it is registered, such as {example}.", example="shop.example.com")
"""What to give instead where it is not the name alone that is missing."""


def _refused(text: str, template: Phrase, remedy: Text = NOTHING, **values: str) -> InvalidNameError:
    shown = text if len(text) <= 80 else text[:79] + "…"
    return InvalidNameError(text, template.said(given=shown, **values), remedy)


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _suffixes() -> PublicSuffixList:
    """Return the list, loaded at first use: not every command needs it. Threads that ask at once wait for one loading."""
    with _LOADING:
        return _loaded()


@lru_cache(maxsize=1)
def _loaded() -> PublicSuffixList:
    with Path(PSLFILE).open(encoding="utf-8") as lines:
        return PublicSuffixList(map(_rule, lines), accept_encoded_idn=False)


def _rule(line: str) -> str:
    """Return a line of the list with its rule in A-labels, as our names are; the library would keep and encode all twice."""
    rule = line.partition(" ")[0].strip()
    if rule.isascii() or rule.startswith("//"):
        return rule
    exception = "!" if rule.startswith("!") else ""
    return exception + encode_idn(rule.lower().lstrip("!"))


def registrable(name: str) -> str | None:
    """Return the registrable domain of ``name`` (one label below its public suffix); None for a public suffix itself."""
    found = _suffixes().privatesuffix(names.base(name))
    return str(found) if found else None


def is_public_suffix(name: str) -> bool:
    """Tell whether ``name`` (or a wildcard's base) is a public suffix, under which strangers register names."""
    return registrable(name) is None


def display(name: str) -> str:
    """Return the name as people write it: U-labels where they decode, else unchanged."""
    try:
        return ("*." if names.is_wildcard(name) else "") + idna.decode(names.base(name))
    except idna.IDNAError:
        return name


_LOOKALIKES = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
"""Scripts with letters that look like those of another one of them (UTS 39 §5)."""


def mixed_scripts(name: str) -> tuple[str, ...]:
    """Return the scripts, sorted, of the first label of ``name`` that mixes ones that look alike; empty if none does."""
    for label in display(name).split("."):
        scripts = {unicodedata.name(char, "").partition(" ")[0] for char in label if char.isalpha()}
        if len(found := scripts & _LOOKALIKES) > 1:
            return tuple(sorted(script.capitalize() for script in found))
    return ()
