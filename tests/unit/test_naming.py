"""Names are normalised the same way at every input: what means the same name gives the same name, all else a sentence."""
# ruff: noqa: RUF001 - characters that look like others are what is tested here

import re

import idna
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services import naming
from services.model.errors import InvalidNameError

MEANT = [
    ("shop.moon.test", "shop.moon.test"),
    ("SHOP.Moon.TEST.", "shop.moon.test"),
    ("  shop.moon.test\n", "shop.moon.test"),
    ("“shop.moon.test”,", "shop.moon.test"),
    ("https://shop.moon.test/admin/settings?x=1#y", "shop.moon.test"),
    ("HTTPS://user:password@Shop.Moon.test:8443/", "shop.moon.test"),
    ("//shop.moon.test/admin", "shop.moon.test"),
    ("http:\\\\shop.moon.test\\x", "shop.moon.test"),
    ("shop.moon.test:443", "shop.moon.test"),
    ("shop.moon.test:8443/admin", "shop.moon.test"),
    ("shop.moon.test?x", "shop.moon.test"),
    ("<http://shop.moon.test|Shop.moon.test>", "shop.moon.test"),
    ("<https://shop.moon.test/path>", "shop.moon.test"),
    ("*.<http://moon.test|moon.test>", "*.moon.test"),
    ("*.Moon.test", "*.moon.test"),
    ("＊．moon.test", "*.moon.test"),
    ("shop。moon．test｡", "shop.moon.test"),
    ("shop\u200b.mo\u00adon\ufeff.test", "shop.moon.test"),
    ("shop\u200d.moon.test", "shop.moon.test"),
    ("한국.test", "xn--3e0b707e.test"),
    ("例え.test", "xn--r8jz45g.test"),
    ("XN--3E0B707E.test", "xn--3e0b707e.test"),
    ("faß.test", "xn--fa-hia.test"),
    ("ＡＢＣ.test", "abc.test"),
    ("payload.example.test", "payload.example.test"),
    ("r2d2-4.test", "r2d2-4.test"),
]


@pytest.mark.parametrize(("text", "name"), MEANT)
def test_what_people_paste_means_a_name(text: str, name: str) -> None:
    assert naming.parse(text) == name


LABEL_63 = "a" * 63
WRONG = [
    ("", "has no domain name in it"),
    ("https://", "has no domain name in it"),
    ("a@b.test", "is an e-mail address"),
    ("<mailto:a@b.test|a@b.test>", "is an e-mail address"),
    ("192.0.2.1", "is an IP address"),
    ("http://192.0.2.1:80/", "is an IP address"),
    ("[2001:db8::1]:443", "is an IP address"),
    ("2001:db8::1", "is an IP address"),
    ("192.0.2.0/24", "is an IP address"),
    ("1.2.3", "ends in a number"),
    ("shop.0x7f", "ends in a number"),
    ("localhost", "is a single label"),
    ("*.test", "is a single label"),
    ("shop.*.test", "asterisk"),
    ("*", "asterisk"),
    ("shop..test", "empty label"),
    (".shop.test", "empty label"),
    ("shop.test..", "empty"),
    ("-shop.test", "hyphen"),
    ("ab--cd.test", "hyphens"),
    ("_dmarc.shop.test", "the names of web sites have no underscore"),
    (
        "shop moon.test",
        "a character that no host name may have: space. Host names have letters, digits and hyphens",
    ),
    ("💩.test", "no host name may have: “💩” (pile of poo). Host names"),
    ("a\u0600b\x85.test", "no host name may have: U+0085"),
    ("a·b.test", "where none of its kind may stand: “·” (middle dot)"),
    ("\u0301a.test", "belongs upon a letter: “\u0301” (combining acute accent)"),
    ("שa1.test", "right to left"),
    ("xn--0.test", "stands for no name in another script"),
    ("<!channel>", "is a mention in Slack"),
    (" <@U123|bob>", "is a mention in Slack"),
    ("*bold*.test", "asterisk"),
    ("xn--a.test", "xn--"),
    (f"{'a' * 64}.test", "more than 63"),
    ("한" * 60 + ".test", "more than 63"),
    ("a" * 300, "longer than the 253"),
    ("a." * 2000 + "test", "longer than the 253"),
    ("*." + "a." * 124 + "test", "longer than the 253"),
    ("x\u0378\u200dy.test", "character that no host name may have"),
    (f"*.{LABEL_63}.{LABEL_63}.{LABEL_63}.{'a' * 57}.test", "longer than the 253"),
]


@pytest.mark.parametrize(("text", "why"), WRONG)
def test_what_cannot_be_a_name_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidNameError, match=r"^“") as caught:
        naming.parse(text)
    assert why in str(caught.value)
    assert caught.value.given == text
    assert len(str(caught.value)) < 400
    assert re.search(r"[^.]\.$", str(caught.value))
    assert not any(word in str(caught.value) for word in ("Codepoint", "codepoint", "Label", "A-label"))


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("192.0.2.1", "Give the name that visitors type to reach the shop, such as shop.example.com."),
        ("_dmarc.shop.test", "Give the name that visitors type to reach the shop, such as shop.example.com."),
        ("shop.*.test", "such as *.example.com; or give each name in full, such as shop.example.com."),
        ("shop..test", "Type the whole name as it is registered, such as shop.example.com."),
        ("1.2.3", "Type the whole name as it is registered, such as shop.example.com."),
    ],
)
def test_each_reason_has_its_own_remedy(text: str, remedy: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        naming.parse(text)
    assert str(caught.value.remedy).endswith(remedy)


@given(
    st.text(st.characters(exclude_categories=()), max_size=80)
    | st.text(".-*@:/<>|xn aß한\u200d\u200c。％", max_size=40)
)
def test_any_text_gives_a_normal_name_or_a_sentence(text: str) -> None:
    try:
        name = naming.parse(text)
    except InvalidNameError as error:
        assert str(error)  # noqa: PT017 - most texts end here
        return
    assert naming.parse(name) == name
    assert name == name.lower()
    assert len(name) <= naming.MAX_LENGTH
    assert name.isascii()


LABELS = st.from_regex(r"[a-z0-9]([a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "test"]))


@given(
    NAMES,
    st.sampled_from(
        ["{}", "{}.", "http://{}", "https://{}/a?b", "{}:443", "<http://{0}|{0}>", "“{}”", " {} "]
    ),
)
def test_the_same_name_however_it_is_wrapped(name: str, wrapping: str) -> None:
    assert naming.parse(wrapping.format(name.upper())) == name


@given(st.text(st.sampled_from("한국例えбгдéüñßא"), min_size=1, max_size=8))
def test_what_is_shown_to_people_means_the_name_again(label: str) -> None:
    try:
        name = naming.parse(f"{label}.test")
    except InvalidNameError:
        assume(False)
    assert naming.parse(naming.display(name)) == name


def test_a_name_that_does_not_decode_is_shown_as_it_is() -> None:
    assert naming.display("xn--zz--.test") == "xn--zz--.test"
    with pytest.raises(idna.IDNAError):
        idna.decode("xn--zz--.test")
    assert naming.display("*.xn--3e0b707e.test") == "*.한국.test"


def test_joiners_stay_where_they_mean_something() -> None:
    assert naming.parse("نامه\u200cای.test") != naming.parse("نامهای.test")
    assert naming.parse("क्\u200dष.test") != naming.parse("क्ष.test")


@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("shop.moon.test", ()),
        ("shоp.moon.test", ("Cyrillic", "Latin")),
        ("мοскva.test", ("Cyrillic", "Greek", "Latin")),
        ("москва.test", ()),
        ("москва.shop.test", ()),
        ("日本shop.test", ()),
    ],
)
def test_labels_that_mix_scripts_that_look_alike(name: str, scripts: tuple[str, ...]) -> None:
    assert naming.mixed_scripts(naming.parse(name)) == scripts


def test_registrable_domains() -> None:
    assert naming.registrable("a.b.moon.test") == "moon.test"
    assert naming.registrable("*.shop.co.uk") == "shop.co.uk"
    assert naming.registrable("co.uk") is None
    assert naming.is_public_suffix("co.uk")
    assert not naming.is_public_suffix("moon.test")
