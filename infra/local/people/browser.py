"""A person's browser: keeps cookies, fills in forms, follows redirects, and walks Google's pages."""

from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import requests
from selectolax.lexbor import LexborHTMLParser, LexborNode

from infra.local.people.http import accepted

_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows: the page, or only the address it was sent to (`text` is empty then)."""

    url: str
    text: str

    @property
    def tick_boxes(self) -> list[str]:
        """The permissions that can be ticked."""
        boxes = LexborHTMLParser(self.text).css("input[type=checkbox][name=scope]")
        return [str(box.attributes["value"]) for box in boxes]

    def form(self) -> LexborNode:
        """The page's form."""
        found = LexborHTMLParser(self.text).css_first("form")
        if found is None:
            raise AssertionError(f"{self.url} shows no form: {self.text[:500]}")
        return found


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser with its own cookies; it never opens the pages of `stays_out_of`, where a redirect ends the walk."""

    stays_out_of: str
    session: requests.Session = field(default_factory=requests.Session)

    def open(self, url: str) -> Page:
        """The page at the end of all redirects; RefusedError."""
        return self._follow(url, self._get(url))

    def choose_account(self, page: Page, email: str) -> Page:
        """Press the account's button in the chooser."""
        known = [str(button.attributes["value"]) for button in page.form().css("button[name=account]")]
        if email not in known:
            raise AssertionError(f"the account chooser offers {known}, not {email}")
        return self._submit(page, [("account", email)])

    def consent(self, page: Page, tick: Collection[str] | None = None) -> Page:
        """Tick these permissions (by their last part, `gmail.send`; None: all) and continue."""
        ticked = [scope for scope in page.tick_boxes if tick is None or scope.rpartition("/")[2] in tick]
        return self._submit(page, [*(("scope", scope) for scope in ticked), ("action", "continue")])

    def cancel(self, page: Page) -> Page:
        """Press Cancel on the consent page."""
        return self._submit(page, [("action", "cancel")])

    def _submit(self, page: Page, pressed: list[tuple[str, str]]) -> Page:
        form = page.form()
        hidden = [
            (str(node.attributes["name"]), str(node.attributes["value"])) for node in form.css("input[type=hidden]")
        ]
        action = urljoin(page.url, form.attributes["action"])
        answer = self.session.post(action, data=[*hidden, *pressed], allow_redirects=False, timeout=_TIMEOUT_SECONDS)
        return self._follow(action, answer)

    def _follow(self, url: str, answer: requests.Response) -> Page:
        accepted(answer)
        while answer.is_redirect or answer.status_code == requests.codes.see_other:
            url = urljoin(url, answer.headers["Location"])
            if _origin(url) == _origin(self.stays_out_of):
                return Page(url, "")
            answer = accepted(self._get(url))
        return Page(url, answer.text)

    def _get(self, url: str) -> requests.Response:
        return self.session.get(url, allow_redirects=False, timeout=_TIMEOUT_SECONDS)


def _origin(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))
