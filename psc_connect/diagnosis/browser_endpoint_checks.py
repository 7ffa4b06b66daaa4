"""Checks of the endpoints that browsers visit: authorization and end of session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from psc_connect import conf
from psc_connect.administrator_messages import explain
from psc_connect.diagnosis.findings import Finding, Status, described, failure
from psc_connect.login.authorization_request import authorization_url
from psc_connect.login.pending import PendingLogin
from psc_connect.models import RequireIssuer
from psc_connect.oidc.authorization import check_issuer
from psc_connect.oidc.errors import AuthorizationResponseError, ProviderUnavailable
from psc_connect.oidc.http import send
from psc_connect.oidc.silent_authorization import PERSON_MISSING, request_silently

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psc_connect.models import Provider
    from psc_connect.oidc.authorization import AuthorizationResponse
    from psc_connect.oidc.deadline import Deadline
    from psc_connect.oidc.metadata import ProviderMetadata
    from psc_connect.oidc.silent_authorization import SilentAnswer

CHECK = "authorization"
# Its state and nonce are no secrets. No browser can finish it: it is in no cookie, and expired long ago.
TEST_LOGIN = PendingLogin(provider="", next="", started_at=0, seed="psc-connect-connection-test")
# The provider answered, or a browser would meet the same obstacle. After any other code, a browser may get through:
# people use another network, and other certificate authorities.
SEEN_BY_BROWSERS = {
    "provider_busy",
    "provider_not_found",
    "provider_server_error",
    "provider_tls_expired",
    "provider_tls_other_host",
    "provider_unexpected_status",
}


def check_authorization(
    provider: Provider, metadata: ProviderMetadata, *, redirect_uri: str, credentials: str, deadline: Deadline
) -> Finding:
    """Send the authorization request of a login with ``prompt=none``, and report whether the provider accepts it.

    ``credentials``: the code of the finding about the client id and the secret.
    """
    if not redirect_uri:
        return _not_judged(_("The authorization endpoint was not asked: the redirect URI of this site is not known."))
    url = authorization_url(provider, TEST_LOGIN, redirect_uri=redirect_uri, prompt="none")
    try:
        answer = request_silently(
            url, redirect_uri=redirect_uri, state=TEST_LOGIN.state, http=conf.http_policy(), deadline=deadline
        )
        if answer.response is None:
            return _finding_for_page(answer, redirect_uri=redirect_uri, credentials=credentials)
        is_required = provider.require_iss == RequireIssuer.ANNOUNCED
        check_issuer(answer.response, metadata=metadata, require=is_required)
    except AuthorizationResponseError as exc:
        return failure(CHECK, exc)
    except ProviderUnavailable as exc:
        return _without_answer(CHECK, exc)
    return _finding_for_response(answer.response, answer.detail)


def _finding_for_response(response: AuthorizationResponse, detail: str) -> Finding:
    if response.error in PERSON_MISSING:
        text = _("The provider accepts the authorization requests of this site: client id, redirect URI and scope.")
        return Finding(CHECK, Status.PASSED, "authorization", text)
    if response.error:
        code = f"authorization_{response.error}"
        return Finding(CHECK, Status.FAILED, code, described(explain(code), detail))
    text = _("The provider sent a code although no person has identified: it is not a real provider.")
    advice = _("Do not use it to sign in. Compare the authorization endpoint with the provider's documentation.")
    return Finding(CHECK, Status.FAILED, "code_without_person", text, advice)


def _finding_for_page(answer: SilentAnswer, *, redirect_uri: str, credentials: str) -> Finding:
    """Return the finding for a page or a redirect elsewhere, where the response should go to the redirect URI.

    A provider shows an error page if it does not know the client or the redirect URI (RFC 6749 4.1.2.1).
    """
    if answer.status != 400:
        text = _(
            "The authorization endpoint answered with status %(status)s, where the request asks for a redirect to this "
            "site: whether it accepts the request is not known."
        )
        return _not_judged(text % {"status": answer.status}, _("Start a dry run, or sign in."))
    if credentials == "credentials":
        text = _("The provider does not know the redirect URI %(uri)s: it shows an error page to people who sign in.")
        advice = _(
            "Declare it to the provider, character by character, or set PSC_CONNECT_BASE_URL to what is declared."
        )
        code = "authorization_redirect_uri_refused"
        return Finding(CHECK, Status.FAILED, code, text % {"uri": redirect_uri}, advice)
    if credentials == "token_invalid_client":
        text = _("The provider shows an error page to people who sign in: the client id is unknown or disabled.")
        advice = _(
            "Compare the client id and the environment with what the provider gave you. If they are right, ask the "
            "provider to enable the client."
        )
        return Finding(CHECK, Status.FAILED, "authorization_client_refused", text, advice)
    text = _(
        "The provider shows an error page to people who sign in: it does not know the client id or the redirect URI, "
        "the client is disabled, or its realm is switched off."
    )
    advice = _(
        "Compare the client id and the environment with what the provider gave you. If they are right, ask the "
        "provider whether the client and its realm are enabled, and whether it knows the redirect URI %(uri)s."
    )
    return Finding(CHECK, Status.FAILED, "authorization_request_refused", text, advice % {"uri": redirect_uri})


def check_end_session(metadata: ProviderMetadata, *, deadline: Deadline) -> Iterator[Finding]:
    """Open the page to which the sign-out leads, without a session. A missing one keeps nobody from signing in."""
    url = metadata.end_session_endpoint
    if not url:
        return
    try:
        headers = {"Accept": "text/html"}
        send("GET", url, headers=headers, http=conf.http_policy(), deadline=deadline, limit=0, as_browser=True)
    except ProviderUnavailable as exc:
        finding = _without_answer("end_session", exc)
        yield replace(finding, status=Status.WARNING) if finding.status is Status.FAILED else finding
    else:
        text = _("The provider answers at the address to which the sign-out leads.")
        yield Finding("end_session", Status.PASSED, "end_session", text)


def _without_answer(check: str, exc: ProviderUnavailable) -> Finding:
    finding = failure(check, exc)
    if exc.code in SEEN_BY_BROWSERS:
        return finding
    advice = _("This server does not need this address. Open it in a browser of the people who sign in.")
    return replace(finding, status=Status.NOT_JUDGED, advice=advice)


def _not_judged(text: str, advice: str = "") -> Finding:
    return Finding(CHECK, Status.NOT_JUDGED, "authorization_not_judged", text, advice)
