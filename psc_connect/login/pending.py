"""Logins that have started and not finished: one encrypted cookie for each, in the browser that started it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING

from django.db import IntegrityError

from psc_connect.encryption import PENDING_LOGIN, InvalidToken, cipher_for
from psc_connect.login.cookies import delete_own_cookie, exact_cookie, exact_cookies, own_name, set_own_cookie
from psc_connect.login.visits import Start
from psc_connect.models import ClaimedState
from psc_connect.oidc import base64url

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

STATE = re.compile(r"[A-Za-z0-9_-]{43}")
STATE_SECONDS = 600
# Longer than its state, so that a person who comes back late can start again for the same page.
COOKIE_SECONDS = 1200
# For all pending logins: every request sends them, and servers limit headers (nginx 8 kB, gunicorn 8190 bytes).
# Logins started at the same moment do not see each other's cookies: about thirty of them still fit if their pages have
# short paths, and eight with the longest path (redirects.MAX_BYTES).
MAX_COOKIES_BYTES = 4096
# Each deletion is a response header, and nginx accepts 4 kB of headers from the server behind it.
MAX_DELETIONS = 10
# Django hides the values of cookies with "auth" in their name in its error reports.
NAME = "psc_auth_"
SHORT_DIGEST = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """What the callback needs to know about the authorization request that it answers."""

    provider: str
    next: str
    # A login is restarted automatically once; the second time, the person sees a page.
    is_retry: bool = False
    # In seconds since 1970, to the millisecond: tabs opened together are sorted too.
    started_at: float = field(default_factory=lambda: round(time.time(), 3))
    # 256 bits from which state, nonce and verifier are derived: three random values would double the cookie's length.
    seed: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    # Primary key of the administrator who started a dry run, which signs no one in; "" for a login.
    dry_run_by: str = ""
    # A `Start`: which logins are kept if all together would be too long.
    start: int = Start.UNKNOWN
    # Primary key of the provider, which its slug does not tell: an administrator may give that to another one.
    provider_id: int = 0
    # The provider had to ask for the identification (`prompt=login`): so has a restart.
    as_other_person: bool = False
    # Logins for the same page that this browser had finished just before (login/recent_logins.py).
    finished_before: int = 0
    # The person identified too long ago for a session: `max_age` asks for a new identification, once.
    identify: bool = False

    @property
    def state(self) -> str:
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """OpenID Connect Core 15.5.2."""
        return self._derived("nonce")

    @property
    def code_verifier(self) -> str:
        """RFC 7636 4.1: 43 characters."""
        return self._derived("code_verifier")

    def _derived(self, name: str) -> str:
        mac = hmac.digest(self.seed.encode(), name.encode(), hashlib.sha256)
        return base64url.encode(mac)

    @property
    def is_expired(self) -> bool:
        return not -60 <= time.time() - self.started_at <= STATE_SECONDS

    @property
    def state_digest(self) -> str:
        return digest(self.state)

    @property
    def short_digest(self) -> str:
        """The end of its cookie's name, which no other site knows."""
        return self.state_digest[:16]


def digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def cookie_name(state: str, *, secure: bool) -> str:
    return _cookie_name(digest(state)[:16], secure=secure)


def _cookie_name(short_digest: str, *, secure: bool) -> str:
    return own_name(f"{NAME}{short_digest}", secure=secure)


def store(request: HttpRequest, response: HttpResponse, login: PendingLogin, *, secure: bool) -> None:
    """Set the cookie of ``login``, and delete others if all together would be too long: see `_sorted_by_need`."""
    # No \u escapes: they would lengthen the path of a page that has non-ASCII characters.
    text = json.dumps(astuple(login), ensure_ascii=False, separators=(",", ":"))
    value = cipher_for(PENDING_LOGIN).encrypt(text.encode()).decode()
    name = cookie_name(login.state, secure=secure)
    free_bytes = MAX_COOKIES_BYTES - len(name) - len(value) - 3
    # Only names of this package: a browser can send names that no response can have.
    name_of_ours = re.compile(_cookie_name(SHORT_DIGEST.pattern, secure=secure))
    others = {key: text for key, text in exact_cookies(request).items() if text and name_of_ours.fullmatch(key)}
    too_many = []
    for other in _sorted_by_need(others):
        free_bytes -= len(other) + len(others[other]) + 3
        if free_bytes < 0:
            too_many.append(other)
    for other in too_many[-MAX_DELETIONS:]:
        delete_own_cookie(response, other)
    set_own_cookie(response, name, value, max_age=COOKIE_SECONDS, secure=secure)


def load(request: HttpRequest, state: str, *, secure: bool) -> PendingLogin | None:
    """Return the login that this browser started with ``state``, even if it has expired, or None."""
    # Before anything encodes it: a request chooses its character set, and its text may be impossible to encode.
    if not STATE.fullmatch(state):
        return None
    login = _read(exact_cookie(request, cookie_name(state, secure=secure)))
    return login if login is not None and secrets.compare_digest(login.state.encode(), state.encode()) else None


def load_restarted(request: HttpRequest, name: str, *, secure: bool) -> PendingLogin | None:
    """Return the login whose ``short_digest`` is ``name``, if this browser started it, or None."""
    return _read(exact_cookie(request, _cookie_name(name, secure=secure)))


def delete(response: HttpResponse, login: PendingLogin, *, secure: bool) -> None:
    delete_own_cookie(response, cookie_name(login.state, secure=secure))


def claim(login: PendingLogin) -> bool:
    """Reserve the state for this callback. Return True once only, across all workers: browsers can send a cookie twice.

    Keycloak revokes the tokens of a code that it receives twice, so the second request must not be sent.
    """
    try:
        ClaimedState.objects.create(state_digest=login.state_digest)
    except IntegrityError:
        return False
    return True


def _read(value: str) -> PendingLogin | None:
    try:
        return PendingLogin(*json.loads(cipher_for(PENDING_LOGIN).decrypt(value.encode(), ttl=COOKIE_SECONDS)))
    # TypeError: a cookie with the fields of an earlier version of this package.
    except (InvalidToken, TypeError, ValueError):
        return None


def _sorted_by_need(cookies: dict[str, str]) -> list[str]:
    """Return the names of the cookies: first the logins that a person may be on, then the newest ones.

    Another site can start any number of logins, which are `Start.UNKNOWN`. The newest login of each other start stays.
    """
    logins = {name: login for name, value in cookies.items() if (login := _read(value))}
    oldest_first = sorted(logins, key=lambda name: logins[name].started_at)
    newest = {logins[name].start: name for name in oldest_first}
    kept = [newest[start] for start in (Start.CLICK, Start.THIS_SITE) if start in newest]
    # Those that cannot be read come last.
    return list(dict.fromkeys([*kept, *reversed(oldest_first), *cookies]))
