"""Text out of cleaned HTML, and HTML out of text, for mails that have only one of them."""

import re
from html import escape
from html.parser import HTMLParser

from mailbridge.domain.mail.html import clean_html

_MAX_QUOTE_MARKS = 8
_SPACED_ELEMENTS = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"})
_LINE_ELEMENTS = _SPACED_ELEMENTS | {
    *("address", "article", "aside", "caption", "center", "dd", "div", "dl", "dt", "figcaption", "figure", "footer"),
    *("header", "hr", "li", "main", "nav", "section", "tr"),
}
_SPACES = re.compile(r"[ \t\r\n\f]+")
_URL = re.compile(r"\bhttps?://[^\s<>\"']+")
_TRAILING = ".,;:!?)]}"


def html_to_text(cleaned: str) -> str:
    """Readable text: lines, lists and quotes (`> `) as in plain mail, a link's address behind its words."""
    renderer = _Renderer()
    renderer.feed(cleaned)
    renderer.close()
    return renderer.text()


def text_to_html(text: str) -> str:
    """The text, escaped, with its line breaks and indents, and with its web addresses as links; cleaned."""
    lines = (_linked(line.rstrip()) for line in text.strip("\n").split("\n"))
    return clean_html("<div>" + "<br>\n".join(lines) + "</div>") if text.strip() else ""


def _linked(line: str) -> str:
    pieces: list[str] = []
    position = 0
    for match in _URL.finditer(line):
        address = match[0].rstrip(_TRAILING)
        pieces.append(_spaced(line[position : match.start()]))
        pieces.append(f'<a href="{escape(address)}">{escape(address)}</a>')
        position = match.start() + len(address)
    return "".join(pieces) + _spaced(line[position:])


def _spaced(text: str) -> str:
    """Escaped, its runs of spaces kept from collapsing."""
    return escape(text.expandtabs(4)).replace("  ", "\u00a0 ")


class _Renderer(HTMLParser):
    """Collects lines; its input is what nh3 wrote, so every element is closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._marker = ""
        self._gap = False
        self._depth = 0
        self._quotes = 0
        self._preformatted = 0
        self._counters: list[int | None] = []
        self._link = ("", 0)

    def text(self) -> str:
        self._end_line()
        return "\n".join(self._lines).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _LINE_ELEMENTS:
            self._break(spaced=tag in _SPACED_ELEMENTS)
        self._quotes += tag == "blockquote"
        self._preformatted += tag == "pre"
        attributes = dict(attrs)
        match tag:
            case "br":
                self._end_line(keep_empty=True)
            case "hr":
                self._line.append("---")
                self._break(spaced=False)
            case "ul" | "ol":
                self._counters.append(0 if tag == "ol" else None)
            case "li":
                self._marker = self._bullet()
            case "td" | "th":
                self._line.append(" ")
            case "img":
                self.handle_data(attributes.get("alt") or "")
            case "a":
                self._link = (attributes.get("href") or "", len(self._line))

    def handle_endtag(self, tag: str) -> None:
        if tag in _LINE_ELEMENTS:
            self._break(spaced=tag in _SPACED_ELEMENTS)
        self._quotes -= tag == "blockquote"
        self._preformatted -= tag == "pre"
        if tag in {"ul", "ol"} and self._counters:
            self._counters.pop()
        if tag == "a":
            self._end_link()

    def handle_data(self, data: str) -> None:
        if not self._preformatted:
            self._line.append(_SPACES.sub(" ", data))
            return
        for number, line in enumerate(data.split("\n")):
            if number:
                self._end_line(keep_empty=True)
            self._line.append(line)

    def _end_link(self) -> None:
        address, start = self._link
        words = "".join(self._line[start:]).strip()
        if words and _URL.match(address) and not _same_address(words, address):
            self._line.append(f" <{address}>")
        self._link = ("", 0)

    def _bullet(self) -> str:
        indent = "  " * min(max(len(self._counters) - 1, 0), _MAX_QUOTE_MARKS)
        if not self._counters or self._counters[-1] is None:
            return f"{indent}- "
        self._counters[-1] += 1
        return f"{indent}{self._counters[-1]}. "

    def _break(self, *, spaced: bool) -> None:
        self._end_line()
        self._gap = self._gap or spaced

    def _end_line(self, *, keep_empty: bool = False) -> None:
        line = "".join(self._line).replace("\u00a0", " ")
        line = line.rstrip() if self._preformatted else _SPACES.sub(" ", line).strip()
        self._line = []
        if line or keep_empty:
            self._write(f"{self._marker}{line}")
            self._marker = ""

    def _write(self, line: str) -> None:
        depth = min(self._quotes, _MAX_QUOTE_MARKS)
        if self._gap and line and self._lines and self._lines[-1]:
            self._lines.append(("> " * min(depth, self._depth)).rstrip())
        self._lines.append(f"{'> ' * depth}{line}".rstrip())
        self._gap, self._depth = False, depth


def _same_address(words: str, address: str) -> bool:
    return words.rstrip("/") in {address.rstrip("/"), address.partition("://")[2].rstrip("/")}
