"""Why a login ended without a session: a stable code, and what the person is told."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Read aloud over the telephone: no 0, 1, I, O.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a page says: what happened, and what to do. ``status`` is the HTTP status that goes with it."""

    status: int
    title: _StrPromise
    text: _StrPromise
    can_start_again: bool = True


CANCELLED = Explanation(
    403,
    _("You cancelled the sign-in"),
    _("Pro Santé Connect told us that you did not finish identifying yourself. You can start again whenever you wish."),
)
EXPIRED = Explanation(
    400,
    _("The sign-in took too long"),
    _("More than ten minutes went by between your click and your return. Start again: it will be quicker."),
)
LOST = Explanation(
    400,
    _("This sign-in can no longer be finished"),
    _(
        "It was begun in another browser or another window, or it is over already. Start again from here, "
        "and stay in the same browser."
    ),
)
UNAVAILABLE = Explanation(
    503,
    _("Pro Santé Connect does not answer"),
    _("The service is unavailable or too slow at the moment. Try again in a few minutes."),
)
PROVIDER_FAULT = Explanation(
    502,
    _("The answer of Pro Santé Connect could not be accepted"),
    _("For your safety you have not been signed in. Start again; if it happens again, give us the code below."),
)
PROVIDER_REFUSED = Explanation(
    403,
    _("Pro Santé Connect refused the sign-in"),
    _("Start again; if it happens again, give the code below to the people who run this site."),
)
SITE_FAULT = Explanation(
    503,
    _("Signing in is not set up correctly on this site"),
    _("You cannot do anything about it. Give the code below to the people who run this site."),
)
NO_ACCOUNT = Explanation(
    403,
    _("You have no account on this site"),
    _("Pro Santé Connect recognised you, but this site only admits people it already knows. Ask its team to add you."),
    can_start_again=False,
)
ACCOUNT_CLOSED = Explanation(
    403,
    _("Your account on this site is closed"),
    _("Pro Santé Connect recognised you, but your account here has been deactivated. Ask the team of this site."),
    can_start_again=False,
)
ACCOUNT_FAULT = Explanation(
    403,
    _("Your account could not be opened"),
    _(
        "Pro Santé Connect recognised you, but what it says of you does not suffice for this site, or does not fit. "
        "Give the code below to the people who run this site."
    ),
)
TWO_ACCOUNTS = Explanation(
    403,
    _("Two accounts of this site seem to be yours"),
    _(
        "What Pro Santé Connect says of you leads to two different accounts here, and for your safety neither has been "
        "opened. Ask the team of this site to merge them: give them the code and the reference below."
    ),
    can_start_again=False,
)
LINKED_BY_HAND = Explanation(
    403,
    _("Your account has to be linked by an administrator"),
    _(
        "Pro Santé Connect recognised you, and you have an account on this site with which it may not be linked "
        "automatically. Ask the team of this site to do it: give them the code and the reference below."
    ),
    can_start_again=False,
)
NOT_A_VISIT = Explanation(
    400,
    _("Signing in starts from a page"),
    _("A sign-in begins when you open its page yourself. Start again from here."),
)

# By code; otherwise by the first prefix that fits.
BY_CODE = {
    "authorization_access_denied": CANCELLED,
    "authorization_state_expired": EXPIRED,
    "authorization_state_missing": LOST,
    "authorization_state_unknown": LOST,
    "authorization_state_used": LOST,
    "authorization_provider_mismatch": LOST,
    "authorization_temporarily_unavailable": UNAVAILABLE,
    "authorization_server_error": UNAVAILABLE,
    "authorization_unauthorized_client": SITE_FAULT,
    "authorization_invalid_scope": SITE_FAULT,
    "database_unavailable": Explanation(
        503,
        _("The site could not finish signing you in"),
        _("Nothing has been changed. Try again in a few minutes."),
    ),
    "no_provider": Explanation(
        404,
        _("This way of signing in is not available"),
        _("The site does not offer it, or not at the moment. Go back to its home page."),
        can_start_again=False,
    ),
    # What no waiting mends.
    "provider_ca_bundle_unreadable": SITE_FAULT,
    "provider_not_found": SITE_FAULT,
    "provider_proxy_failed": SITE_FAULT,
    "provider_redirected": SITE_FAULT,
    "provider_tls_failed": SITE_FAULT,
    "provider_url_refused": SITE_FAULT,
    "login_not_a_visit": NOT_A_VISIT,
    "dry_run_of_somebody_else": Explanation(
        403,
        _("This dry run cannot be shown to you"),
        _(
            "The administrator who began it is not signed in here any longer, or no longer has the right to. Sign in "
            "to the administration and begin anew."
        ),
        can_start_again=False,
    ),
    "access_refused": Explanation(
        403,
        _("You cannot sign in to this site"),
        _("Pro Santé Connect recognised you, but this site is not open to you."),
        can_start_again=False,
    ),
    "access_rule_malformed": SITE_FAULT,
    "token_client_refused": SITE_FAULT,
    "account_unknown": NO_ACCOUNT,
    "account_inactive": ACCOUNT_CLOSED,
    "account_identifiers_conflict": TWO_ACCOUNTS,
    "account_link_privileged": LINKED_BY_HAND,
    "account_already_linked": LINKED_BY_HAND,
    "account_link_field_unknown": SITE_FAULT,
}
BY_PREFIX = {
    "account_": ACCOUNT_FAULT,
    "attribute_": ACCOUNT_FAULT,
    "authorization_": PROVIDER_REFUSED,
    "provider_": UNAVAILABLE,
    "token_": PROVIDER_FAULT,
    "id_token_": PROVIDER_FAULT,
    "userinfo_": PROVIDER_FAULT,
    "jwks_": PROVIDER_FAULT,
    # secret_…, metadata_…, base_url_missing, backend_not_installed: only the site can mend these.
    "": SITE_FAULT,
}


def new_reference() -> str:
    """Return what finds the line of the log from the page that somebody saw: 8 characters, random."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _position in range(8))


class LoginRefused(PermissionDenied):
    """A login that ended without a session.

    ``code`` is stable and safe to log; ``reference`` finds the line of the log from the page that the person saw.
    ``message`` and ``contact`` are an administrator's own words for whoever is refused. No attribute holds a token, a
    secret or anything the provider said of the person.
    """

    def __init__(self, code: str, *, message: str = "", contact: str = "") -> None:
        super().__init__(code)
        self.code, self.message, self.contact = code, message, contact
        self.reference = new_reference()

    @property
    def explanation(self) -> Explanation:
        if self.code in BY_CODE:
            return BY_CODE[self.code]
        return next(said for prefix, said in BY_PREFIX.items() if self.code.startswith(prefix))
