"""A browser without scripts: it follows pages and fills in their forms, as a person at Google's pages would."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
from selectolax.lexbor import LexborHTMLParser as HTMLParser

CALLBACK = "http://127.0.0.1:9/callback"


@dataclass
class Browser:
    """The page that is open, and where Google sent the browser in the end."""

    url: str
    html: str = ""
    status: int = 0
    callback: dict[str, str] = field(default_factory=dict)

    def open(self, **query: str) -> "Browser":
        """Open the authorization URL."""
        asked = {"client_id": "crm", "redirect_uri": CALLBACK, "response_type": "code", **query}
        return self._go("GET", self.url + "/o/oauth2/v2/auth", params=asked)

    def press(self, name: str, value: str, ticked: tuple[str, ...] = ()) -> "Browser":
        """Tick boxes of the page's form (by value) and press one of its buttons."""
        form = HTMLParser(self.html).css_first("form")
        assert form
        assert form.css_first(f'button[name="{name}"][value="{value}"]'), self.html
        hidden = {(str(x.attributes["name"]), str(x.attributes["value"])) for x in form.css("input[type=hidden]")}
        boxes = {str(x.attributes["value"]): str(x.attributes["name"]) for x in form.css("input[type=checkbox]")}
        fields = [*hidden, *((boxes[box], box) for box in ticked), (name, value)]
        return self._go("POST", urljoin(self.url, str(form.attributes["action"])), data=fields)

    def offered(self) -> list[str]:
        """The values of the page's tick boxes."""
        return [str(box.attributes["value"]) for box in HTMLParser(self.html).css("input[type=checkbox]")]

    def heading(self) -> str:
        """The page's heading."""
        return "".join(heading.text() for heading in HTMLParser(self.html).css("h1"))

    def _go(self, verb: str, url: str, **kw: Any) -> "Browser":
        answer = requests.request(verb, url, allow_redirects=False, timeout=20, **kw)
        where = answer.headers.get("Location", "")
        if where.startswith(CALLBACK):
            self.callback = dict(parse_qsl(urlsplit(where).query))
            return self
        if where:
            return self._go("GET", urljoin(url, where))
        self.html, self.status = answer.text, answer.status_code
        return self
