"""A login that has been begun and not finished: one encrypted cookie each, in the browser that began it."""

from __future__ import annotations

import base64
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
from psc_connect.models import ClaimedState

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

STATE = re.compile(r"[A-Za-z0-9_-]{43}")
STATE_SECONDS = 600
# The cookie outlives its state, so that somebody who comes back late can begin again with the same page in view.
COOKIE_SECONDS = 1200
# All of them together: they go out on every request, and servers bound the headers (nginx 8 kB, gunicorn 8190). Logins
# begun at one instant do not know of each other; some thirty of them, short as they are, still pass.
MAX_COOKIES_BYTES = 4096
# Each is a header of the answer, of which nginx takes 4 kB in all from the server behind it.
MAX_DELETIONS = 10
# "auth" is a word by which Django hides a cookie's value in its error reports.
NAME = "psc_auth_"


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """What the callback needs to know of the request that it answers."""

    provider: str
    next: str
    # A login that begins again by itself does so once: a second time is a page for the person.
    is_second_try: bool = False
    # To the millisecond: tabs that are opened together have an order too.
    begun_at: float = field(default_factory=lambda: round(time.time(), 3))
    # 256 bits of which all three values are made, since three of them would make a cookie twice as long.
    seed: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    # The administrator whose dry run it is: nobody is signed in at its end.
    dry_run_by: str = ""

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
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    @property
    def is_expired(self) -> bool:
        return not -60 <= time.time() - self.begun_at <= STATE_SECONDS

    @property
    def state_digest(self) -> str:
        return digest(self.state)


def digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def cookie_name(state: str, *, secure: bool) -> str:
    """Return the name of a state's cookie; ``__Host-`` binds it to this very host (RFC 6265bis 4.1.3.2)."""
    return f"{'__Host-' if secure else ''}{NAME}{digest(state)[:16]}"


def remember(request: HttpRequest, response: HttpResponse, login: PendingLogin, *, secure: bool) -> None:
    """Set the cookie of ``login``, and let the oldest ones go where all together would be too long."""
    # A page in letters of several bytes costs its bytes, not the escapes of each.
    text = json.dumps(astuple(login), ensure_ascii=False, separators=(",", ":"))
    value = cipher_for(PENDING_LOGIN).encrypt(text.encode()).decode()
    name = cookie_name(login.state, secure=secure)
    prefix = cookie_name(login.state, secure=secure)[:-16]
    room = MAX_COOKIES_BYTES - len(name) - len(value) - 3
    others = {key: text for key, text in request.COOKIES.items() if text and key.startswith(prefix)}
    too_old = []
    for other in sorted(others, key=lambda key: _begun_at(others[key]), reverse=True):
        room -= len(other) + len(others[other]) + 3
        if room < 0:
            too_old.append(other)
    for other in too_old[-MAX_DELETIONS:]:
        _delete(response, other, secure=secure)
    response.set_cookie(name, value, max_age=COOKIE_SECONDS, secure=secure, httponly=True, samesite="Lax", path="/")


def recall(request: HttpRequest, state: str, *, secure: bool) -> PendingLogin | None:
    """Return the login that this browser began with ``state``, however old, or None."""
    # A request chooses its own character set: what is no state of ours may not even be text that can be encoded.
    if not STATE.fullmatch(state):
        return None
    login = _read(request.COOKIES.get(cookie_name(state, secure=secure), ""))
    return login if login is not None and secrets.compare_digest(login.state.encode(), state.encode()) else None


def forget(response: HttpResponse, login: PendingLogin, *, secure: bool) -> None:
    _delete(response, cookie_name(login.state, secure=secure), secure=secure)


def claim(login: PendingLogin) -> bool:
    """Take the state for this callback: True once only, whichever worker asks, since a cookie can be sent twice.

    A real Keycloak revokes the tokens of a code that comes a second time, so the second must not even be sent.
    """
    try:
        ClaimedState.objects.create(state_digest=login.state_digest)
    except IntegrityError:
        return False
    return True


def _read(value: str) -> PendingLogin | None:
    try:
        return PendingLogin(*json.loads(cipher_for(PENDING_LOGIN).decrypt(value.encode(), ttl=COOKIE_SECONDS)))
    # TypeError: a cookie of an earlier version of this package, with other fields.
    except (InvalidToken, TypeError, ValueError):
        return None


def _begun_at(value: str) -> float:
    login = _read(value)
    return login.begun_at if login else 0


def _delete(response: HttpResponse, name: str, *, secure: bool) -> None:
    # delete_cookie() marks `__Host-` cookies Secure by itself; the attributes must match for a browser to drop it.
    response.delete_cookie(name, path="/", samesite="Lax")
    response.cookies[name]["httponly"] = True
    response.cookies[name]["secure"] = secure or ""
