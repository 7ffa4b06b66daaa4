"""Checks of the provider's answers: published metadata and keys compared with the stored ones, client credentials."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables

from psc_connect import conf
from psc_connect.administrator_messages import explain
from psc_connect.diagnosis.findings import Finding, Status
from psc_connect.fields import SECRET_PROBLEMS, SecretUnavailable
from psc_connect.oidc.client import exchange_code
from psc_connect.oidc.errors import OIDCError, ProviderUnavailable, TokenResponseError
from psc_connect.providers.metadata import ISSUER_MISMATCH
from psc_connect.providers.validation import TRUSTED_MEMBERS
from psc_connect.text import escape_control_characters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from psc_connect.models import Provider
    from psc_connect.oidc.deadline import Deadline
    from psc_connect.oidc.jwks import SigningKey
    from psc_connect.oidc.metadata import ProviderMetadata
    from psc_connect.providers.key_management import KeyChanges
    from psc_connect.providers.metadata import Comparison

# Recognisable in the provider's log, and never a code that a provider issues.
WRONG_CODE = "psc-connect-connection-test"
# The members of the metadata that a login uses.
USED_MEMBERS = (*TRUSTED_MEMBERS, "authorization_response_iss_parameter_supported")


def failure(check: str, exc: OIDCError) -> Finding:
    """Return the finding for an error of the protocol."""
    return Finding(check, Status.FAILED, exc.code, explain(exc.code))


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


def check_keys(changes: KeyChanges) -> Iterator[Finding]:
    if changes.found.has_private:
        yield Finding("keys", Status.FAILED, "jwks_key_private", explain("jwks_key_private"))
    if not changes.has_any:
        count = len(changes.same)
        text = ngettext(
            "%(count)s signing key, the same as stored here.", "%(count)s signing keys, the same as stored here.", count
        )
        yield Finding("keys", Status.PASSED, "keys", text % {"count": count})
        return
    groups = [
        (_("new: %(names)s"), changes.new),
        (_("another key with the same name: %(names)s"), changes.changed),
        (_("removed: %(names)s"), changes.gone),
    ]
    parts = [text % {"names": _names_of(keys)} for text, keys in groups if keys]
    text = _("The provider's signing keys differ from the stored ones (%(changes)s).") % {"changes": " · ".join(parts)}
    advice = _("Sign-ins fetch new keys automatically, unless all are pinned. To do it now: “Signing keys”, “Import”.")
    yield Finding("keys", Status.WARNING, "keys_changed", text, advice)


def _names_of(keys: Iterable[SigningKey]) -> str:
    return ", ".join(escape_control_characters(key.kid or key.thumbprint) for key in keys)


def keys_not_fetched(provider: Provider, exc: OIDCError) -> Iterator[Finding]:
    """Report a failed fetch; it passes if the provider publishes no keys and an administrator pasted them."""
    if exc.code == "jwks_uri_missing" and provider.jwks:
        text = _("The provider publishes no keys (its metadata has no jwks_uri): the pasted ones are used.")
        yield Finding("keys", Status.PASSED, "keys_pasted", text)
    else:
        yield failure("keys", exc)


@sensitive_variables()
def check_credentials(
    provider: Provider, metadata: ProviderMetadata, *, redirect_uri: str, deadline: Deadline, name: Finding
) -> Iterator[Finding]:
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
        yield Finding("credentials", Status.FAILED, exc.code, text, str(SECRET_PROBLEMS[exc.code]))
    except TokenResponseError as exc:
        yield _finding_for(exc)
    except ProviderUnavailable as exc:
        # The name server may answer slowly the second time: report the name, not a timeout of the provider.
        yield failure("credentials", exc if name.status is Status.PASSED else ProviderUnavailable(name.code))
    else:
        text = _("The token endpoint gave tokens for a code that it never issued: it is not a real provider.")
        advice = _("Do not use it to sign in. Compare the token endpoint with the provider's documentation.")
        yield Finding("credentials", Status.FAILED, "token_for_wrong_code", text, advice)


def _finding_for(exc: TokenResponseError) -> Finding:
    if exc.code == "token_invalid_grant":
        text = _("The provider accepts the client id and the client secret.")
        return Finding("credentials", Status.PASSED, "credentials", text)
    if exc.code == "token_client_refused":
        advice = _("Also check “token endpoint authentication”: the provider may expect the other method.")
        return Finding("credentials", Status.FAILED, exc.code, explain(exc.code), advice)
    text = _("The token endpoint refused the test without showing whether the client id and the secret are correct.")
    return Finding("credentials", Status.WARNING, exc.code, f"{text} {explain(exc.code)}")
