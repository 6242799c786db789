"""What HTML mail may contain; everything else is taken out (P28)."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = _words(
    "a abbr address b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt em"
    " figcaption figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span"
    " strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr article aside footer header main"
    " nav"
)
CONTENT_DROPPED = _words(
    "applet audio canvas embed iframe math noembed noframes noscript object script style svg template title video xml"
)
_CELL = _words("abbr align bgcolor colspan height nowrap rowspan scope valign width")
ATTRIBUTES = {
    "*": _words("dir lang style title"),
    "a": _words("href"),
    "blockquote": _words("type"),
    "col": _words("align span valign width"),
    "colgroup": _words("align span valign width"),
    "div": _words("align"),
    "font": _words("color face size"),
    "h1": _words("align"),
    "h2": _words("align"),
    "h3": _words("align"),
    "hr": _words("align color noshade size width"),
    "img": _words("align alt border data-cid data-remote-src height hspace src vspace width"),
    "li": _words("type value"),
    "ol": _words("start type"),
    "p": _words("align"),
    "table": _words("align bgcolor border cellpadding cellspacing height summary width"),
    "tbody": _words("align valign"),
    "td": _CELL,
    "th": _CELL,
    "tr": _words("align bgcolor height valign"),
    "ul": _words("type"),
}
_QUOTE_CLASSES = _words("gmail_attr gmail_quote gmail_signature moz-cite-prefix yahoo_quoted")
CLASSES = {"blockquote": _QUOTE_CLASSES, "div": _QUOTE_CLASSES}
STYLES = _words(
    "background background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width"
    " border-collapse border-color border-left border-left-color border-left-style border-left-width border-radius"
    " border-right border-right-color border-right-style border-right-width border-spacing border-style border-top"
    " border-top-color border-top-style border-top-width border-width clear color direction display float font"
    " font-family font-size font-style font-variant font-weight height letter-spacing line-height list-style-type"
    " margin margin-bottom margin-left margin-right margin-top max-width min-width overflow-wrap padding"
    " padding-bottom padding-left padding-right padding-top table-layout text-align text-decoration text-indent"
    " text-transform vertical-align white-space width word-break word-wrap"
)

# Elements that have no end tag, or whose end tag is commonly left out and which then do not nest.
FLAT = _words("area br col embed hr img input link meta param source wbr dd dt li option p td tfoot th thead tr")
