"""What a session keeps of its login: whose, how it was proved, in what capacity, the ID token for the sign-out."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import auth
from django.contrib.sessions.backends import signed_cookies

from psc_connect.encryption import ID_TOKEN, InvalidToken, cipher_for

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.base import SessionBase
    from django.http import HttpRequest

    from psc_connect.login.pending import PendingLogin

KEY = "psc_connect"
# mozilla-django-oidc's SessionRefresh would send our people to the other provider of the site once this moment is past.
MOZILLA_EXPIRATION_KEY = "oidc_id_token_expiration"
TEN_YEARS = 10 * 365 * 24 * 3600
SIGNED_IN_AT_KEY = "psc_connect_signed_in_at"
# As long as that, nobody who administers secrets is asked again who they are.
RECENT_AUTH_SECONDS = 15 * 60
# Callbacks that can be reloaded onto their pages: the tabs that one person may have begun at once.
KEPT_LANDINGS = 5


@dataclass(frozen=True, slots=True)
class KeptLogin:
    """What a session tells of its login; ``account`` is None where no login of ours opened it.

    ``activity_choice``: the key of the chosen activity, or "". ``must_choose``: the person has yet to choose one.
    """

    provider: str = ""
    account: int | None = None
    acr: str = ""
    means: str = ""
    activity_choice: str = ""
    must_choose: bool = False


def open_session(
    request: HttpRequest,
    user: User,
    login: PendingLogin,
    *,
    id_token: str,
    auth_time: int | None,
    kept: KeptLogin,
) -> None:
    """Sign the user in, under a new session key whoever was signed in before (OWASP: session fixation).

    ``auth_time``: when the person identified at the provider, in seconds since 1970, or None where it does not say.
    """
    reload_session(request)
    before = request.session.session_key
    auth.login(request, user)
    _note_identification(request, auth_time)
    # Django changes the key for another user, and keeps it where the same one signs in again.
    if before is not None and request.session.session_key == before:
        request.session.cycle_key()
    # Read only now: Django has emptied the session if it was somebody else's.
    landings = [*_landings(request)[1 - KEPT_LANDINGS :], [login.state_digest, login.next]]
    request.session[KEY] = {
        **asdict(kept),
        "id_token": "" if is_in_cookie(request.session) else cipher_for(ID_TOKEN).encrypt(id_token.encode()).decode(),
        "landings": landings,
    }
    request.session[MOZILLA_EXPIRATION_KEY] = int(time.time()) + TEN_YEARS


def kept_login(request: HttpRequest) -> KeptLogin:
    kept = request.session.get(KEY, {})
    return KeptLogin(**{name: kept[name] for name in KeptLogin.__slots__ if name in kept})


def keep_activity_choice(request: HttpRequest, activity_choice: str) -> None:
    """Keep in what capacity the person of this session acts from now on."""
    request.session[KEY] = {**request.session.get(KEY, {}), "activity_choice": activity_choice, "must_choose": False}


def kept_id_token(request: HttpRequest) -> str:
    """Return the ID token that the sign-out hands back (OpenID Connect RP-Initiated Logout 1.0 section 2), or ""."""
    try:
        return cipher_for(ID_TOKEN).decrypt(request.session.get(KEY, {}).get("id_token", "").encode()).decode()
    # The encryption key has been changed since: PSC will ask for a confirmation.
    except InvalidToken:
        return ""


def landing_of(request: HttpRequest, state_digest: str) -> str | None:
    """Return the page that a callback of this session has led to already, or None."""
    return next((page for known, page in _landings(request) if known == state_digest), None)


def _landings(request: HttpRequest) -> list[list[str]]:
    landings: list[list[str]] = request.session.get(KEY, {}).get("landings", [])
    return landings


def is_in_cookie(session: SessionBase) -> bool:
    """Whether the session travels with the browser: then it can hold neither much nor what must end at will."""
    return isinstance(session, signed_cookies.SessionStore)


def reload_session(request: HttpRequest) -> None:
    """Forget what was read before the calls to the provider: another request may have written meanwhile."""
    session = request.session
    if session.session_key and not session.modified:
        request.session = type(session)(session.session_key)


def record_authentication_time(request: HttpRequest | None, **_said: Any) -> None:
    """Keep when the person of this session proved who they are, by whatever backend (a receiver of Django's signal)."""
    if request is not None and hasattr(request, "session"):
        request.session[SIGNED_IN_AT_KEY] = int(time.time())


def _note_identification(request: HttpRequest, auth_time: int | None) -> None:
    """Put in the place of now when they did so at the provider: a session that is open there signs in silently."""
    if auth_time is None:
        request.session.pop(SIGNED_IN_AT_KEY, None)
    else:
        request.session[SIGNED_IN_AT_KEY] = min(auth_time, int(time.time()))


def has_just_signed_in(request: HttpRequest) -> bool:
    """Whether the person of this session proved who they are within the last quarter of an hour."""
    moment = request.session.get(SIGNED_IN_AT_KEY)
    return isinstance(moment, int) and 0 <= time.time() - moment <= RECENT_AUTH_SECONDS
