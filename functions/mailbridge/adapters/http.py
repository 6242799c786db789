"""Connections to Google over HTTP: one pool per purpose, nothing repeated, no cookies between mailboxes."""

from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
TIMEOUT = (CONNECT_SECONDS, ANSWER_SECONDS)
"""To connect, and between two pieces of the answer."""

_CONNECTIONS = 32


def new_session() -> requests.Session:
    """A session that threads may share: its pool is safe, it keeps no cookies, and no request is sent twice."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_maxsize=_CONNECTIONS, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # Gmail compresses only for clients that say so twice.
    session.headers["User-Agent"] = "mailbridge (gzip)"
    return session
