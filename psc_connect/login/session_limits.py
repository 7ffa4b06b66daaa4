"""The longest life of a session that a provider has opened.

Pro Santé Connect ends its own sessions 4 hours after the identification. A session of this site ends then too, whatever
the site's settings are; an earlier end, which they set, stays.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.sessions.backends import signed_cookies

from psc_connect import conf

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

KEY = "psc_connect_limits"
MIDDLEWARE = "psc_connect.middleware.ProSanteConnectMiddleware"


def limit_session(session: SessionBase, *, auth_time: int | None) -> bool:
    """End the session at the latest when the identification is as old as ``PSC_CONNECT_SESSION_MAX_AGE``.

    ``auth_time``: when the person identified, in seconds since 1970. If it is None or older than that, the time counts
    from now. Return False if it was older.
    """
    max_age = conf.session_max_age()
    if max_age is None:
        return True
    is_old = is_too_old(auth_time)
    now = int(time.time())
    start = now if auth_time is None or is_old else min(auth_time, now)
    session[KEY] = {"ends_at": start + max_age, "with_browser": session.get_expire_at_browser_close()}
    if MIDDLEWARE not in settings.MIDDLEWARE:
        # A life that each save prolongs would have no other end.
        session.set_expiry(timedelta(seconds=session.get_expiry_age()))
    keep_limits(session)
    return not is_old


def is_too_old(auth_time: int | None) -> bool:
    """Return whether a person who identified at this time may have no session any more."""
    max_age = conf.session_max_age()
    return auth_time is not None and max_age is not None and time.time() - auth_time >= max_age


def keep_limits(session: SessionBase) -> None:
    """Shorten the life of a session that is about to be saved, and of its cookie."""
    limits = session.get(KEY)
    if limits is None:
        return
    left = limits["ends_at"] - time.time()
    if session.get_expiry_age() > left:
        # A time, not a number of seconds: those would count from each save.
        session.set_expiry(timedelta(seconds=left))
    if limits["with_browser"]:
        # Django gives a cookie either an end or the life of the browser. The end is kept on the server.
        session.get_expire_at_browser_close = _closes_with_browser  # type: ignore[method-assign]


def _closes_with_browser() -> bool:
    return True


def release_limits(session: SessionBase) -> None:
    """Remove the limits of an earlier login from the session."""
    if session.pop(KEY, None) is not None:
        session.set_expiry(None)


def has_ended(session: SessionBase | dict[str, Any]) -> bool:
    """Return whether a session continues beyond its end, as where a cookie stores it or the site has prolonged it."""
    limits = session.get(KEY)
    return limits is not None and time.time() >= limits["ends_at"]


def end_when_loaded(session: SessionBase) -> None:
    """End a session beyond its end as soon as its data are loaded.

    To load them for this alone would cost a statement on every page, and make every page depend on the cookie (`Vary`).
    """
    load, aload = session.load, session.aload

    def load_or_end() -> dict[str, Any]:
        data = load()
        if not has_ended(data):
            return data
        session.flush()
        return {}

    async def aload_or_end() -> dict[str, Any]:
        data = await aload()
        if not has_ended(data):
            return data
        await session.aflush()
        return {}

    session.load = load_or_end  # type: ignore[method-assign]
    session.aload = aload_or_end  # type: ignore[method-assign]


def is_in_cookie(session: SessionBase) -> bool:
    """Return whether the session data are in the cookie: they must be small, and the server cannot delete them."""
    return isinstance(session, signed_cookies.SessionStore)
