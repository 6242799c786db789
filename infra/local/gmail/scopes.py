"""OAuth scopes: their long names and what the consent page says about them."""

GMAIL = "https://www.googleapis.com/auth/gmail."
SIGN_IN = {
    "openid": "openid",
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}
DESCRIPTIONS = {
    f"{GMAIL}readonly": "View your email messages and settings.",
    f"{GMAIL}send": "Send email on your behalf.",
    f"{GMAIL}modify": "Read, compose, and send emails from your Gmail account.",
    f"{GMAIL}compose": "Manage drafts and send emails.",
    f"{GMAIL}labels": "See and edit your email labels.",
    f"{GMAIL}insert": "Add emails into your Gmail mailbox.",
    f"{GMAIL}metadata": "View your email message metadata such as labels and headers, but not the email body.",
    f"{GMAIL}settings.basic": "See, edit, create, or change your email settings and filters in Gmail.",
    "https://mail.google.com/": "Read, compose, send, and permanently delete all your email from Gmail.",
    "https://www.googleapis.com/auth/contacts.readonly": "See and download your contacts.",
}


def canonical(text: str) -> tuple[str, ...]:
    """The scopes of a space-separated list under the names that Google answers with, each once."""
    return tuple(dict.fromkeys(SIGN_IN.get(name, name) for name in text.split()))


def tickable(scope: str) -> bool:
    """Whether the consent page asks for it apart; signing in is not a matter of ticking."""
    return scope not in SIGN_IN.values()


def description(scope: str) -> str:
    """What the consent page says."""
    return DESCRIPTIONS.get(scope, scope)
