"""System checks of the settings that decide how long a session lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks
from django.utils.translation import gettext as _

from psc_connect import conf
from psc_connect.login.session_limits import MIDDLEWARE

if TYPE_CHECKING:
    from collections.abc import Iterator

# The longest session of Pro Santé Connect, in seconds.
LONGEST = conf.DEFAULTS["SESSION_MAX_AGE"]
SIGNED_COOKIES = "django.contrib.sessions.backends.signed_cookies"


@checks.register(checks.Tags.security)
def check_max_age(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if not _is_valid(conf.raw("SESSION_MAX_AGE")):
        yield checks.Error(
            _("PSC_CONNECT_SESSION_MAX_AGE is not a number of seconds."),
            hint=_("Give a whole number such as 14400, which is 4 hours. None: only the site's own settings apply."),
            id="psc_connect.E027",
        )


def _is_valid(seconds: Any) -> bool:
    return seconds is None or (isinstance(seconds, int) and not isinstance(seconds, bool) and seconds >= 0)


@checks.register(checks.Tags.security, deploy=True)
def check_longest_life(**_kwargs: Any) -> Iterator[checks.CheckMessage]:
    if not _is_valid(conf.raw("SESSION_MAX_AGE")):
        return
    max_age = conf.session_max_age()
    if max_age is None or max_age > LONGEST:
        yield checks.Warning(
            _("Sessions can last longer than the 4 hours after which Pro Santé Connect ends its own."),
            hint=_("Set PSC_CONNECT_SESSION_MAX_AGE to 14400 or less, or remove it."),
            id="psc_connect.W018",
        )
    if max_age is not None and MIDDLEWARE not in settings.MIDDLEWARE:
        hint = _("Add “%(middleware)s” to MIDDLEWARE.") % {"middleware": MIDDLEWARE}
        for problem in _without_middleware(max_age):
            yield checks.Warning(problem, hint=hint, id="psc_connect.W019")


def _without_middleware(max_age: int) -> Iterator[str]:
    """Yield what is wrong with the sessions of a site that lacks our middleware."""
    if settings.SESSION_ENGINE == SIGNED_COOKIES:
        yield _(
            "SESSION_ENGINE keeps sessions in signed cookies: a copied cookie works longer than its session may last."
        )
    if settings.SESSION_EXPIRE_AT_BROWSER_CLOSE:
        yield _(
            "SESSION_EXPIRE_AT_BROWSER_CLOSE is on, but the cookie of a session that has changed survives the browser."
        )
    if settings.SESSION_SAVE_EVERY_REQUEST and max_age > settings.SESSION_COOKIE_AGE:
        yield _(
            "SESSION_SAVE_EVERY_REQUEST is on, but a session ends SESSION_COOKIE_AGE after the sign-in, even in use."
        )
