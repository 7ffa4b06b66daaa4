"""What a session stores about its login: account, level, chosen activity, and the ID token for the logout."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import auth

from psc_connect.encryption import ID_TOKEN, InvalidToken, cipher_for
from psc_connect.login.session_limits import has_ended, is_in_cookie, limit_session, release_limits

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest

    from psc_connect.login.pending import PendingLogin

logger = logging.getLogger("psc_connect")

KEY = "psc_connect"
# The SessionRefresh middleware of mozilla-django-oidc redirects to the site's other provider after this time.
MOZILLA_EXPIRATION_KEY = "oidc_id_token_expiration"
TEN_YEARS = 10 * 365 * 24 * 3600
AUTHENTICATED_AT_KEY = "psc_connect_authenticated_at"
# Re-authentication grace period of the administration.
RECENT_AUTH_SECONDS = 15 * 60
# Logins whose callback can be reloaded: as many tabs as one person may have opened at once.
MAX_FINISHED_LOGINS = 5


@dataclass(frozen=True, slots=True)
class SessionLogin:
    """What a session knows about its login.

    ``provider``: its slug, which an administrator may give to another provider; ``issuer``: who opened the session.
    ``account``: primary key, or None if another backend opened the session. ``acr``: the level of the login.
    ``means``: how the person identified. ``activity_choice``: key of the chosen activity, or "".
    ``must_choose``: the person has not chosen an activity yet.
    """

    provider: str = ""
    issuer: str = ""
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
    details: SessionLogin,
) -> None:
    """Sign the user in, always under a new session key (OWASP: session fixation).

    ``auth_time``: when the person identified at the provider, in seconds since 1970, or None if it does not say.
    """
    reload_session(request)
    # Before the receivers of `user_logged_in`, which may set an expiry of the site.
    release_limits(request.session)
    old_key = request.session.session_key
    auth.login(request, user)
    _set_authentication_time(request, auth_time)
    # Django keeps the key if the same user signs in again.
    if old_key is not None and request.session.session_key == old_key:
        request.session.cycle_key()
    # After auth.login(), which empties the session of another user.
    finished_logins = [*_finished_logins(request)[1 - MAX_FINISHED_LOGINS :], [login.state_digest, login.next]]
    request.session[KEY] = {
        **asdict(details),
        "id_token": "" if is_in_cookie(request.session) else cipher_for(ID_TOKEN).encrypt(id_token.encode()).decode(),
        "finished_logins": finished_logins,
    }
    request.session[MOZILLA_EXPIRATION_KEY] = int(time.time()) + TEN_YEARS
    if not limit_session(request.session, auth_time=auth_time):
        logger.warning("login.identification_old provider=%s account=%s", login.provider, details.account)


def current_session_login(request: HttpRequest) -> SessionLogin:
    """Return the login of the session, or an empty one after the session's longest life."""
    return SessionLogin() if has_ended(request.session) else session_login(request)


def session_login(request: HttpRequest) -> SessionLogin:
    stored = request.session.get(KEY, {})
    return SessionLogin(**{name: stored[name] for name in SessionLogin.__slots__ if name in stored})


def store_activity_choice(request: HttpRequest, activity_choice: str) -> None:
    """Store the activity that the person has chosen for this session."""
    request.session[KEY] = {**request.session.get(KEY, {}), "activity_choice": activity_choice, "must_choose": False}


def session_id_token(request: HttpRequest) -> str:
    """Return the ``id_token_hint`` of the logout (OpenID Connect RP-Initiated Logout 1.0 section 2), or ""."""
    try:
        return cipher_for(ID_TOKEN).decrypt(request.session.get(KEY, {}).get("id_token", "").encode()).decode()
    # The encryption key has changed: without the hint, PSC asks for a confirmation.
    except InvalidToken:
        return ""


def finished_login_page(request: HttpRequest, state_digest: str) -> str | None:
    """Return the page that a login with this state has led to in this session, or None."""
    return next((page for digest, page in _finished_logins(request) if digest == state_digest), None)


def _finished_logins(request: HttpRequest) -> list[list[str]]:
    finished_logins: list[list[str]] = request.session.get(KEY, {}).get("finished_logins", [])
    return finished_logins


def reload_session(request: HttpRequest) -> None:
    """Discard session data read before the requests to the provider: another request may have changed them since."""
    session = request.session
    if session.session_key and not session.modified:
        request.session = type(session)(session.session_key)


def record_authentication_time(request: HttpRequest | None, **_kwargs: Any) -> None:
    """Store when the person of this session authenticated, with any backend (receiver of ``user_logged_in``)."""
    if request is not None and hasattr(request, "session"):
        request.session[AUTHENTICATED_AT_KEY] = int(time.time())


def _set_authentication_time(request: HttpRequest, auth_time: int | None) -> None:
    """Use the time of the identification, not of the login: an open session at the provider asks for none."""
    if auth_time is None:
        request.session.pop(AUTHENTICATED_AT_KEY, None)
    else:
        request.session[AUTHENTICATED_AT_KEY] = min(auth_time, int(time.time()))


def has_recent_authentication(request: HttpRequest) -> bool:
    """Return whether the person of this session authenticated within ``RECENT_AUTH_SECONDS``."""
    authenticated_at = request.session.get(AUTHENTICATED_AT_KEY)
    return isinstance(authenticated_at, int) and 0 <= time.time() - authenticated_at <= RECENT_AUTH_SECONDS
