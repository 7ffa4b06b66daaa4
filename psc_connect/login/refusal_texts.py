"""The texts of the page of a refused login: what happened, what to do, for each error code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Explanation:
    """The texts of an error page (what happened, what to do) and its HTTP status.

    The status is over 499 only if the site failed or the provider did not answer. Load balancers count such responses
    and take the site out: a browser must not be able to cause one by what it sends.
    """

    status: int
    title: _StrPromise
    text: _StrPromise
    can_start_again: bool = True


LOST = Explanation(
    400,
    _("This sign-in can no longer be finished"),
    _(
        "It was started in another browser or window, or it has already ended. Start again from here, "
        "and stay in the same browser."
    ),
)
UNAVAILABLE = Explanation(
    503,
    _("Pro Santé Connect does not answer"),
    _("The service is unavailable or too slow at the moment. Try again in a few minutes."),
)
PROVIDER_FAULT = Explanation(
    403,
    _("The answer of Pro Santé Connect could not be accepted"),
    _("For your safety you have not been signed in. Start again; if it happens again, give us the code below."),
)
ALTERED = Explanation(
    400,
    _("The answer of Pro Santé Connect did not arrive intact"),
    _(
        "Your browser or a device on the network may have changed it on its way. For your safety you have not been "
        "signed in. Start again; if it happens again, give us the code below."
    ),
)
PROVIDER_REFUSED = Explanation(
    403,
    _("Pro Santé Connect refused the sign-in"),
    _("Start again; if it happens again, give the code below to the people who run this site."),
)
SITE_FAULT = Explanation(
    503,
    _("Signing in is not set up correctly on this site"),
    _("You did not cause this problem. Give the code below to the people who run this site."),
)
UNANSWERED = Explanation(
    403,
    _("Pro Santé Connect needs an answer from you"),
    _(
        "It could not ask its question, for example which account to use. Start again; if it happens again, sign in "
        "on the site of Pro Santé Connect first."
    ),
)
ACCOUNT_FAULT = Explanation(
    403,
    _("Your account could not be opened"),
    _(
        "Pro Santé Connect recognised you, but the information it sent is not sufficient or not suitable for this "
        "site. Give the code below to the people who run this site."
    ),
)
LINKED_BY_ADMINISTRATOR = Explanation(
    403,
    _("Your account has to be linked by an administrator"),
    _(
        "Pro Santé Connect recognised you, but your account on this site cannot be linked to it automatically. "
        "Ask the team of this site to do it, and give them the code and the reference below."
    ),
    can_start_again=False,
)

# A code without an entry has the explanation of the first prefix that fits.
EXPLANATIONS = {
    "authorization_access_denied": Explanation(
        403,
        _("You cancelled the sign-in"),
        _(
            "Pro Santé Connect told us that you did not finish identifying yourself. You can start again whenever you "
            "wish."
        ),
    ),
    "authorization_authentication_expired": Explanation(
        400,
        _("The page of Pro Santé Connect had expired"),
        _(
            "You identified yourself twice, or on a page that had been open for too long. Start again: nothing is "
            "wrong with your card, your phone or your password."
        ),
    ),
    "authorization_account_selection_required": UNANSWERED,
    "authorization_consent_required": Explanation(
        403,
        _("Pro Santé Connect needs your consent"),
        _(
            "You have not agreed that it sends your information to this site, or it could not ask you. Start again, "
            "and accept on its page."
        ),
    ),
    "authorization_interaction_required": UNANSWERED,
    "authorization_login_required": Explanation(
        403,
        _("You are not signed in at Pro Santé Connect"),
        _(
            "Your session there has ended, or it could not ask you to identify yourself. Start again; if it happens "
            "again, sign in on the site of Pro Santé Connect first."
        ),
    ),
    # Not a refusal of the provider.
    "authorization_code_malformed": ALTERED,
    "authorization_code_missing": ALTERED,
    "authorization_duplicate_parameter": ALTERED,
    "authorization_issuer_mismatch": ALTERED,
    "authorization_issuer_missing": ALTERED,
    "authorization_state_expired": Explanation(
        400,
        _("The sign-in took too long"),
        _("More than ten minutes passed between your click and your return. Start again: it will be quicker."),
    ),
    "authorization_state_missing": LOST,
    "authorization_state_unknown": LOST,
    "authorization_state_used": LOST,
    "authorization_provider_mismatch": LOST,
    # The browser brings these answers, and can write them itself.
    "authorization_temporarily_unavailable": replace(UNAVAILABLE, status=403),
    "authorization_server_error": replace(UNAVAILABLE, status=403),
    "authorization_unauthorized_client": replace(SITE_FAULT, status=403),
    "authorization_invalid_scope": replace(SITE_FAULT, status=403),
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
    # The site has sent too many requests, perhaps because browsers brought invalid codes.
    "provider_busy": replace(UNAVAILABLE, status=429),
    # A firewall may have found an invalid code suspect.
    "provider_refusal_page": PROVIDER_FAULT,
    "loop_cookie_missing": Explanation(
        403,
        _("Your browser does not keep your session"),
        _(
            "You have just signed in twice, but the cookie of this site did not come back. Allow its cookies, then "
            "start again; if it happens again, give the code below to the people who run this site."
        ),
    ),
    "loop_permission_missing": Explanation(
        403,
        _("Your session ended each time"),
        _(
            "You have just signed in twice, and each time you or the page that you wanted signed you out. If it was "
            "not you, your account may lack a permission, or the site has lost your session: ask the team of this "
            "site, and give them the code below."
        ),
        # It would end here again.
        can_start_again=False,
    ),
    "loop_user_missing": Explanation(
        403,
        _("This site cannot find your account"),
        _(
            "You have just signed in twice, but the next page did not find your session or your account. Start again; "
            "if it happens again, give the code below to the people who run this site."
        ),
    ),
    # Errors of the provider that waiting does not solve.
    "provider_ca_bundle_unreadable": SITE_FAULT,
    "provider_not_found": SITE_FAULT,
    "provider_proxy_failed": SITE_FAULT,
    "provider_redirected": SITE_FAULT,
    "provider_url_refused": SITE_FAULT,
    "login_not_a_visit": Explanation(
        400,
        _("Signing in starts from a page"),
        _("To sign in, open the sign-in page yourself. Start again from here."),
    ),
    "login_method_not_allowed": Explanation(
        405,
        _("This page cannot be opened this way"),
        _(
            "It is opened by a link and accepts no data. Start again from here; if it happens again, give the code "
            "below to the people who run this site."
        ),
    ),
    "dry_run_of_somebody_else": Explanation(
        403,
        _("This dry run cannot be shown to you"),
        _(
            "The administrator who started it is no longer signed in here, or no longer has the permission. Sign in "
            "to the administration and start again."
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
    # The person's own data may be the cause.
    "access_rules_too_slow": replace(SITE_FAULT, status=403),
    # A firewall may have found an invalid code suspect.
    "token_forbidden": replace(SITE_FAULT, status=403),
    "token_invalid_client": SITE_FAULT,
    "token_unauthorized_client": SITE_FAULT,
    "account_unknown": Explanation(
        403,
        _("You have no account on this site"),
        _(
            "Pro Santé Connect recognised you, but this site only admits people it already knows. Ask its team to add "
            "you."
        ),
        can_start_again=False,
    ),
    "account_inactive": Explanation(
        403,
        _("Your account on this site is closed"),
        _("Pro Santé Connect recognised you, but your account here has been deactivated. Ask the team of this site."),
        can_start_again=False,
    ),
    "account_identifiers_conflict": Explanation(
        403,
        _("We are not sure which account is yours"),
        _(
            "The information from Pro Santé Connect matches two accounts of this site, or one that belongs to another "
            "person. For your safety, none has been opened. Ask the team of this site to check, and give them the code "
            "and the reference below."
        ),
        can_start_again=False,
    ),
    "account_link_privileged": LINKED_BY_ADMINISTRATOR,
    "account_already_linked": LINKED_BY_ADMINISTRATOR,
    "account_link_field_unknown": SITE_FAULT,
}
EXPLANATIONS_BY_PREFIX = {
    "account_": ACCOUNT_FAULT,
    "attribute_": ACCOUNT_FAULT,
    "authorization_": PROVIDER_REFUSED,
    # The certificate is checked again at the next sign-in: waiting does not solve it.
    "provider_tls_": SITE_FAULT,
    "provider_": UNAVAILABLE,
    "token_": PROVIDER_FAULT,
    "id_token_": PROVIDER_FAULT,
    "userinfo_": PROVIDER_FAULT,
    "jwks_": PROVIDER_FAULT,
    # secret_…, metadata_…, base_url_missing, backend_not_installed: only the site can fix these.
    "": SITE_FAULT,
}


def explanation_of(code: str) -> Explanation:
    """Return the texts for an error code: its own, or those of the first prefix that fits."""
    if code in EXPLANATIONS:
        return EXPLANATIONS[code]
    return next(explanation for prefix, explanation in EXPLANATIONS_BY_PREFIX.items() if code.startswith(prefix))
