"""The logins that this browser finished within the last minute, counted in a cookie for each page.

A page that does not recognise the person who has just signed in sends the browser back to the login. The provider's
open session answers without a question: the browser would go round without end.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from psc_connect.encryption import RECENT_LOGINS, InvalidToken, cipher_for
from psc_connect.exceptions import LoginRefused
from psc_connect.login.cookies import exact_cookie, forget_own_cookie, own_name, set_own_cookie
from psc_connect.login.session_limits import is_in_cookie
from psc_connect.login.site_urls import is_secure

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from psc_connect.login.pending import PendingLogin

SECONDS = 60
# After so many, another one within the minute is refused.
MAX_LOGINS = 2
MAX_PAGES = 5
# Django hides the values of cookies with "auth" in their name in its error reports.
NAME = "psc_recent_auth"
# Before the path of a page that somebody who is signed in asks for: not counted with the logins for it.
SIGNED_IN = "signed in "


@dataclass(frozen=True, slots=True)
class RecentLogins:
    """The logins for one page, each started after the one before had ended.

    ``first_at``: when the first one ended, in seconds since 1970. ``session_key``: of the session that the last one
    opened; "" if it is not known.
    """

    page: str
    number: int = 0
    first_at: float = 0
    session_key: str = ""


class LoginLoop(LoginRefused):
    """A login that would lead to the page that has asked for it again and again."""


def count(request: HttpRequest, page: str) -> int:
    """Return how many logins for ``page`` this browser has finished within the last minute."""
    return _of_page(request, page).number


def refuse_loop(request: HttpRequest, login: PendingLogin) -> None:
    """Raise LoginLoop if the browser goes round: ``loop_cookie_missing``, ``loop_permission_missing`` …"""
    # Another tab has opened a session that lasts.
    if request.user.is_authenticated:
        return
    recent = _of_page(request, login.next)
    if min(login.finished_before, recent.number) >= MAX_LOGINS:
        raise LoginLoop(f"loop_{_missing(request, recent.session_key)}_missing")


def record(request: HttpRequest, response: HttpResponse, page: str, *, finished_before: int) -> None:
    """Count a login for ``page``. ``finished_before``: ``count()`` when it started, so that parallel ones are one."""
    by_page = _read(request)
    recent = by_page.pop(_digest(page), RecentLogins(_digest(page)))
    number = min(finished_before, recent.number) + 1
    session_key = "" if is_in_cookie(request.session) else request.session.session_key or ""
    new = RecentLogins(recent.page, number, recent.first_at if number > 1 else int(time.time()), session_key)
    kept = [*by_page.values()][1 - MAX_PAGES :]
    text = json.dumps([astuple(each) for each in (*kept, new)], separators=(",", ":"))
    value = cipher_for(RECENT_LOGINS).encrypt(text.encode()).decode()
    secure = is_secure(request)
    set_own_cookie(response, own_name(NAME, secure=secure), value, max_age=SECONDS, secure=secure)


def forget(request: HttpRequest, response: HttpResponseBase) -> None:
    """Delete the cookie: the next login is the first again."""
    forget_own_cookie(request, response, NAME)


def _missing(request: HttpRequest, last_session_key: str) -> str:
    """Return why the last session did not last: its ``cookie``, its ``user`` or a ``permission`` is missing."""
    sent = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if not last_session_key:
        return "user" if sent else "cookie"
    if sent == last_session_key:
        return "user"
    # The site has ended the session, or lost it, if it no longer exists.
    return "cookie" if request.session.exists(last_session_key) else "permission"


def _of_page(request: HttpRequest, page: str) -> RecentLogins:
    return _read(request).get(_digest(page), RecentLogins(_digest(page)))


def _digest(page: str) -> str:
    # Without its query, which a page that goes round may change each time.
    return hashlib.sha256(page.partition("?")[0].encode()).hexdigest()[:16]


def _read(request: HttpRequest) -> dict[str, RecentLogins]:
    """Return the logins of the last minute, by the digest of their page."""
    value = exact_cookie(request, own_name(NAME, secure=is_secure(request)))
    if not value:
        return {}
    try:
        entries = json.loads(cipher_for(RECENT_LOGINS).decrypt(value.encode(), ttl=SECONDS))
        every = [RecentLogins(*entry) for entry in entries]
    # TypeError: a cookie with the fields of an earlier version of this package.
    except (InvalidToken, TypeError, ValueError):
        return {}
    return {recent.page: recent for recent in every if time.time() - recent.first_at <= SECONDS}
