"""HTML from strangers, cleaned by an allow-list: it runs nothing, loads nothing and leads nowhere unexpected (P28)."""

import re
from html import unescape
from urllib.parse import unquote

import nh3

from mailbridge.domain.mail.allowlist import ATTRIBUTES, CLASSES, CONTENT_DROPPED, STYLES, TAGS
from mailbridge.domain.mail.taming import restore, tame

_MAX_DATA_IMAGE = 64 * 1024

_LINK = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_REMOTE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_DATA_IMAGE = re.compile(r"data:image/(?:png|gif|jpe?g|webp);base64,[A-Za-z0-9+/=]*", re.IGNORECASE)
_HARMLESS_FUNCTION = re.compile(r"\b(?:rgba?|hsla?|calc)\([^()\"']*\)", re.IGNORECASE)
_SPACES_OF_URL = re.compile(r"[\t\n\r ]+")
_MARKS = re.compile(r"[\x00-\x02\x05-\x1f\x7f]")
# nh3's filter changes an attribute's value, not its name: control characters, which taming takes out, mark what to rename.
_HELD = "\x01"
_CID = "\x02"


def clean_html(html: str) -> str:
    """`html` by the allow-list, for display; never raises.

    Remote images are held back: their address moves from `src` to `data-remote-src`; images of the mail itself get
    `data-cid` (their Content-ID). Links are http, https, mailto and tel, and open apart. It takes linear time.
    """
    cleaned = _CLEANER.clean(tame(html))
    return restore(cleaned.replace(f'src="{_HELD}', 'data-remote-src="').replace(f'src="{_CID}', 'data-cid="'))


def shown_content_ids(cleaned: str) -> frozenset[str]:
    """The Content-IDs of the images that this cleaned HTML shows."""
    return frozenset(unescape(cid) for cid in re.findall(r'data-cid="([^"]*)"', cleaned))


def _filter(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "style":
        return _style(value)
    if attribute == "href":
        address = _url(value)
        return address if _LINK.match(address) else None
    if tag == "img" and attribute in {"src", "data-cid", "data-remote-src"}:
        return _image(attribute, _url(value))
    return value


def _image(attribute: str, address: str) -> str | None:
    if attribute == "data-cid":
        return address or None
    if _REMOTE.match(address):
        absolute = f"https:{address}" if address.startswith("//") else address
        return absolute if attribute == "data-remote-src" else _HELD + absolute
    if attribute == "src" and address[:4].lower() == "cid:":
        content_id = _MARKS.sub("", unquote(address[4:]))
        return _CID + content_id if content_id else None
    embedded = attribute == "src" and len(address) <= _MAX_DATA_IMAGE and _DATA_IMAGE.fullmatch(address)
    return address if embedded else None


def _url(value: str) -> str:
    """As browsers read it: spaces and line breaks do not count."""
    return _SPACES_OF_URL.sub("", value)


def _style(value: str) -> str:
    """The declarations that cannot load anything; nh3 then keeps those of the allowed properties."""
    return ";".join(declaration for declaration in value.split(";") if _is_harmless(declaration))


def _is_harmless(declaration: str) -> bool:
    rest = _HARMLESS_FUNCTION.sub("", declaration)
    return (
        not any(sign in rest for sign in "(\\@{}<>")
        and "/*" not in rest
        and rest.count('"') % 2 == rest.count("'") % 2 == 0
    )


_CLEANER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=CONTENT_DROPPED,
    attributes=ATTRIBUTES,
    attribute_filter=_filter,
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
    allowed_classes=CLASSES,
    filter_style_properties=STYLES,
)
