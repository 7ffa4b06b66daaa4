"""Checks of the provider's answers: published metadata, client credentials, userinfo endpoint."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables

from psc_connect import conf
from psc_connect.administrator_messages import explain
from psc_connect.diagnosis.findings import Finding, Status, described, failure
from psc_connect.fields import SECRET_PROBLEMS, SecretUnavailable
from psc_connect.oidc.client import exchange_code, fetch_userinfo
from psc_connect.oidc.errors import OIDCError, ProviderUnavailable, TokenResponseError, UserinfoError
from psc_connect.providers.metadata import ISSUER_MISMATCH
from psc_connect.providers.validation import TRUSTED_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psc_connect.models import Provider
    from psc_connect.oidc.deadline import Deadline
    from psc_connect.oidc.metadata import ProviderMetadata
    from psc_connect.providers.metadata import Comparison

# Recognisable in the provider's log, and never a code or a token that a provider issues.
WRONG_CODE = WRONG_TOKEN = "psc-connect-connection-test"  # noqa: S105 - no one's token
# The members of the metadata that a login uses.
USED_MEMBERS = (*TRUSTED_MEMBERS, "authorization_response_iss_parameter_supported")


def metadata_not_fetched(exc: OIDCError) -> Finding:
    if exc.code != ISSUER_MISMATCH:
        return failure("metadata", exc)
    text = _("The provider publishes another issuer than the stored one. No sign-in accepts it.")
    advice = _(
        "Ask ANS (or the provider) before you accept anything. Then declare the new issuer as a new provider, and "
        "move the accounts to it."
    )
    return Finding("metadata", Status.FAILED, "metadata_issuer_changed", text, advice)


def check_metadata(comparison: Comparison) -> Iterator[Finding]:
    names = [difference.name for difference in comparison.diff]
    used = [name for name in names if name in USED_MEMBERS]
    if not names:
        text = _("The stored metadata is the same as the provider's.")
        yield Finding("metadata", Status.PASSED, "metadata", text)
    elif used:
        text = _("The provider publishes metadata that differs from the stored one: %(names)s.") % {
            "names": ", ".join(used)
        }
        advice = _("Review the differences and accept them one by one.")
        yield Finding("metadata", Status.WARNING, "metadata_changed", text, advice)
    else:
        text = ngettext(
            "%(count)s other member differs from what the provider publishes; no sign-in uses it.",
            "%(count)s other members differ from what the provider publishes; no sign-in uses them.",
            len(names),
        ) % {"count": len(names)}
        yield Finding("metadata", Status.PASSED, "metadata_changed_elsewhere", text)


@sensitive_variables()
def check_credentials(
    provider: Provider, metadata: ProviderMetadata, *, redirect_uri: str, deadline: Deadline, name: Finding
) -> Finding:
    """Send a token request with a wrong code: the provider's error shows whether it accepts the client.

    ``name``: the finding about the name of the token endpoint's host.
    """
    try:
        exchange_code(
            metadata,
            provider.credentials(),
            code=WRONG_CODE,
            redirect_uri=redirect_uri,
            code_verifier=secrets.token_urlsafe(32),
            http=conf.http_policy(),
            deadline=deadline,
        )
    except SecretUnavailable as exc:
        text = _("The client id and the secret could not be tested: the secret cannot be used.")
        return Finding("credentials", Status.FAILED, exc.code, text, str(SECRET_PROBLEMS[exc.code]))
    except TokenResponseError as exc:
        return _finding_for(exc)
    except ProviderUnavailable as exc:
        return _unavailable("credentials", exc, name)
    text = _("The token endpoint gave tokens for a code that it never issued: it is not a real provider.")
    advice = _("Do not use it to sign in. Compare the token endpoint with the provider's documentation.")
    return Finding("credentials", Status.FAILED, "token_for_wrong_code", text, advice)


def _unavailable(check: str, exc: ProviderUnavailable, name: Finding) -> Finding:
    # The name server may answer slowly the second time: report the name, not a timeout of the provider.
    return failure(check, exc if name.status is Status.PASSED else ProviderUnavailable(name.code, url=exc.url))


def _finding_for(exc: TokenResponseError) -> Finding:
    if exc.code == "token_invalid_grant":
        text = _("The provider accepts the client id and the client secret.")
        return Finding("credentials", Status.PASSED, "credentials", text)
    reason = described(explain(exc.code), exc.detail)
    if exc.code == "token_forbidden":
        return Finding("credentials", Status.FAILED, exc.code, reason)
    if exc.code in ("token_invalid_client", "token_unauthorized_client"):
        advice = _("Also check “token endpoint authentication”: the provider may expect the other method.")
        return Finding("credentials", Status.FAILED, exc.code, reason, advice)
    text = _("The token endpoint refused the test without showing whether the client id and the secret are correct.")
    return Finding("credentials", Status.WARNING, exc.code, f"{text} {reason}")


def check_userinfo(metadata: ProviderMetadata, *, deadline: Deadline, name: Finding) -> Finding:
    """Send a userinfo request with a wrong access token, which the provider has to refuse (RFC 6750 3.1).

    ``name``: the finding about the name of the userinfo endpoint's host.
    """
    try:
        fetch_userinfo(metadata, access_token=WRONG_TOKEN, http=conf.http_policy(), deadline=deadline)
    except UserinfoError:
        text = _("The userinfo endpoint answers, and refuses an invented access token.")
        return Finding("userinfo", Status.PASSED, "userinfo", text)
    except ProviderUnavailable as exc:
        return _unavailable("userinfo", exc, name)
    text = _("The userinfo endpoint accepts an access token that was never issued: it is not a real provider.")
    advice = _("Do not use it to sign in. Compare the userinfo endpoint with the provider's documentation.")
    return Finding("userinfo", Status.FAILED, "userinfo_for_wrong_token", text, advice)
