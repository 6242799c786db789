"""Addresses compare as people expect, and lists of them can be read whatever a stranger wrote."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbridge.domain.addresses import Address, is_address, normalise, parse_list


@pytest.mark.rule("B7")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna.Berg@Example.COM", "anna.berg@example.com"),
        (" anna@example.com ", "anna@example.com"),
        ("kontakt@bücher.example", "kontakt@xn--bcher-kva.example"),
        ("kontakt@BÜCHER.example", "kontakt@XN--BCHER-KVA.example"),
        ("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"),
        ("jo\u0308rg@example.com", "j\u00f6rg@example.com"),
        ("anna@example.com.", "anna@example.com"),
    ],
)
def test_addresses_are_equal_whatever_their_case_and_the_spelling_of_their_domain(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.rule("B7")
@pytest.mark.parametrize("other", ["annaberg@example.com", "anna.berg+crm@example.com", "anna.berg@mail.example.com"])
def test_dots_tags_and_subdomains_make_another_address(other: str) -> None:
    assert normalise(other) != normalise("anna.berg@example.com")


@given(st.text(max_size=60))
@settings(deadline=None)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "text",
    ["a@example.com", "o'brien+x@mail.example.co", "jörg@example.com", "a@bücher.example", "a@xn--bcher-kva.example"],
)
def test_a_plain_address_is_one(text: str) -> None:
    assert is_address(text)


@pytest.mark.rule("P29")
@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "anna",
            "@example.com",
            "anna@",
            "anna@localhost",
            "anna@example.com.",
            "anna@1.2.3.4",
            "a@b@example.com",
        ),
        *(
            "Anna <a@example.com>",
            "a@example.com, b@example.com",
            "a b@example.com",
            "a..b@example.com",
            ".a@example.com",
        ),
        *(
            "a@example.com\r\nBcc: b@example.com",
            "a\x00@example.com",
            "a@exam_ple.com",
            "a@-x.com",
            "a\u2028b@example.com",
        ),
        *(f"{'a' * 65}@example.com", f"a@{'b' * 64}.com", f"a@{'b.' * 130}com", "\ud800@example.com"),
    ],
)
def test_anything_else_is_not_an_address(text: str) -> None:
    assert not is_address(text)


@pytest.mark.rule("P29")
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("anna@example.com", [("anna@example.com", "")]),
        ("Anna Berg <anna@example.com>", [("anna@example.com", "Anna Berg")]),
        ('"Berg, Anna" <anna@example.com>, b@example.com', [("anna@example.com", "Berg, Anna"), ("b@example.com", "")]),
        (r'"Anna \"Ann\" Berg" <anna@example.com>', [("anna@example.com", 'Anna "Ann" Berg')]),
        ("'Anna' <anna@example.com>", [("anna@example.com", "Anna")]),
        ("anna@example.com (Anna (at work))", [("anna@example.com", "Anna (at work)")]),
        ("anna@example.com <anna@example.com>", [("anna@example.com", "")]),
        (
            "Team: a@example.com, B <b@example.com>;, c@example.com",
            [("a@example.com", ""), ("b@example.com", "B"), ("c@example.com", "")],
        ),
        ("undisclosed-recipients:;", []),
        ("a@example.com; b@example.com", [("a@example.com", ""), ("b@example.com", "")]),
        ("=?utf-8?Q?J=C3=B6rg?= =?utf-8?Q?_M=C3=BCller?= <j@example.com>", [("j@example.com", "Jörg Müller")]),
        ("=?utf-8?B?ww==?= =?utf-8?B?tg==?= <j@example.com>", [("j@example.com", "ö")]),
        ("=?utf-8?Q?Berg=2C_Anna?= <a@example.com>", [("a@example.com", "Berg, Anna")]),
        ('"=?iso-8859-1?Q?M=FCller?=" <a@example.com>', [("a@example.com", "Müller")]),
        ("=?no-such-charset?Q?M=FCller?= <a@example.com>", [("a@example.com", "Müller")]),
        ("=?utf-8?Q?M=FCller?= <a@example.com>", [("a@example.com", "Müller")]),
        ("=?utf-8?Q?Anna=0D=0ABcc=3A_x=00?= <a@example.com>", [("a@example.com", "Anna Bcc: x")]),
        ("=?utf-8?Q?victim=40example.com?= <a@example.net>", [("a@example.net", "victim@example.com")]),
        ("victim@example.com <a@example.net>", [("a@example.net", "victim@example.com")]),
        ('"john doe"@example.com', [('"john doe"@example.com', "")]),
        ("<@relay.example:a@example.com>", [("a@example.com", "")]),
        ("<mailto:a@example.com>", [("a@example.com", "")]),
        ('Anna "Ann <a@example.com>, b@example.com', [("a@example.com", "Anna Ann"), ("b@example.com", "")]),
        ("Anna (Ann <a@example.com>", [("a@example.com", "Anna Ann")]),
        ("<<a@example.com>>", [("a@example.com", "")]),
        ("Müller, Jörg <j@example.com>", [("j@example.com", "Jörg")]),
        ("Anna\r\n Berg\r\n <a@example.com>", [("a@example.com", "Anna Berg")]),
        ("anna, <>, @, a@, @b, <anna>", []),
        ("", []),
    ],
)
def test_a_list_is_read_as_people_meant_it(header: str, expected: list[tuple[str, str]]) -> None:
    assert parse_list([header]) == tuple(Address(email, name) for email, name in expected)


def test_several_headers_make_one_list_in_order_without_repetitions() -> None:
    found = parse_list(["B <b@example.com>, a@example.com", "A@EXAMPLE.com", "c@example.com, B@example.com"])
    assert [address.email for address in found] == ["b@example.com", "a@example.com", "c@example.com"]


@pytest.mark.rule("P29")
@given(st.lists(st.text(alphabet=st.sampled_from('ab@.,;:<>()"\\[]=?\r\n\x00 üß\ud800'), max_size=40), max_size=3))
@settings(deadline=None, max_examples=300)
def test_no_header_makes_reading_fail(headers: list[str]) -> None:
    for address in parse_list(headers):
        assert address.email.count("@") >= 1
        assert not set("\r\n\x00\ud800") & set(address.name + address.email)


@pytest.mark.rule("P29")
@pytest.mark.parametrize("unit", ["(", '"', '"\\', "<", "a@b,", "((", '("', "=?a?q?", "x:"])
def test_long_hostile_headers_are_read_in_linear_time(unit: str) -> None:
    assert isinstance(parse_list([unit * 50_000]), tuple)
