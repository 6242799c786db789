"""HTML that would take its parser more than linear time, made harmless before it is parsed (P28).

Four things do: many elements open at once, many attributes on one element, and many ampersands or no-break spaces in one
text, which the serialiser replaces one by one.
"""

import re
from collections import Counter
from html.entities import html5

from mailbridge.domain.mail.allowlist import FLAT

_MAX_OPEN = 1000
_MAX_ATTRIBUTES = 1000
_SMALL = 10_000
_EFFORT = 4

_NAME = r"[\s/]*+(?:=[^\s/>=]*+|[^\s/>=]++)"
_VALUE = r"\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+)?+"
_TAG = re.compile(rf"<(/?)([a-zA-Z][^\s/>]*+)(?:{_NAME}(?:{_VALUE})?+){{0,{_MAX_ATTRIBUTES}}}+")
_ANOTHER = re.compile(_NAME)
_START = re.compile(r"</?[a-zA-Z]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_AMPERSAND = "\x03"
_NO_BREAK_SPACE = "\x04"
_SLOW = {ord("&"): _AMPERSAND, 0xA0: _NO_BREAK_SPACE}
_MARKUP = re.compile(r"<[^<>]*>?")
_REFERENCE = re.compile(
    r"&(?:(?P<number>#(?:[0-9]{1,8}|[xX][0-9a-fA-F]{1,6}));?|(?P<name>[A-Za-z][A-Za-z0-9]{1,31}+(?:;|(?!=))))?"
)


def tame(html: str) -> str:
    """The same document to a parser, or its words alone where only an attacker would have written it.

    Ampersands and no-break spaces travel as control characters, of which nothing else is left: `restore` brings them back.
    """
    html = _CONTROLS.sub("", html)
    if len(html) > _SMALL and _is_hostile(html):
        html = _MARKUP.sub(" ", html)
    return _REFERENCE.sub(_by_number, html).replace("\u00a0", _NO_BREAK_SPACE)


def restore(cleaned: str) -> str:
    """What came out of the serialiser, with its ampersands and no-break spaces."""
    return cleaned.replace(_AMPERSAND, "&amp;").replace(_NO_BREAK_SPACE, "&nbsp;")


def _is_hostile(html: str) -> bool:
    """Whether it opens too many elements, or gives one too many attributes, as far as its tags tell.

    Tags are looked for in attributes and comments too, so that a parser can find none that was not looked at.
    """
    opened: Counter[str] = Counter()
    total, effort = 0, _EFFORT * len(html)
    for start in _START.finditer(html):
        tag = _TAG.match(html, start.start())
        if tag is None or _ANOTHER.match(html, tag.end()):
            return True
        effort -= tag.end() - tag.start()
        total += _step(opened, closing=bool(tag[1]), name=tag[2].lower())
        if total > _MAX_OPEN or effort < 0:
            return True
    return False


def _step(opened: Counter[str], *, closing: bool, name: str) -> int:
    if name in FLAT or (closing and not opened[name]):
        return 0
    step = -1 if closing else 1
    opened[name] += step
    return step


def _by_number(reference: re.Match[str]) -> str:
    """A character reference by its number; an ampersand that begins none is itself."""
    number, name = reference["number"], reference["name"]
    if number:
        return _written(int(number[2:], 16) if number[1] in "xX" else int(number[1:]))
    if name in html5:
        return "".join(_written(ord(character)) for character in html5[name])
    return _AMPERSAND + reference[0][1:]


def _written(code: int) -> str:
    if code in _SLOW:
        return _SLOW[code]
    is_control = code < 0x20 and code not in b"\t\n\r"
    return "" if is_control or code == 0x7F else f"&#{code};"
