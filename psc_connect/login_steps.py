"""The steps of a login at the provider: from its authorization response to the claims of the person.

A login and a dry run both run these functions. They differ in the observer, which hears which steps passed, and in the
key source, which saves fetched keys or does not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from django.views.decorators.debug import sensitive_variables
from typing_extensions import override

from psc_connect import conf
from psc_connect.exceptions import LoginRefused
from psc_connect.login import pending, site_urls
from psc_connect.login.session_limits import is_too_old
from psc_connect.models import RequireIssuer
from psc_connect.oidc.authorization import AUTHENTICATION_EXPIRED, check_issuer, parse_authorization_response
from psc_connect.oidc.client import exchange_code, fetch_userinfo
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import UnknownKey
from psc_connect.oidc.id_token import RULES, IDTokenRules, validate_id_token
from psc_connect.oidc.userinfo import validate_userinfo
from psc_connect.providers.keys import keys_after_unknown_key, keys_for_login, record_use
from psc_connect.text import cut_control_characters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from django.http import HttpRequest

    from psc_connect.login.pending import PendingLogin
    from psc_connect.models import Provider
    from psc_connect.oidc.client import Tokens
    from psc_connect.oidc.http import Answer
    from psc_connect.oidc.id_token import IDToken
    from psc_connect.oidc.jwks import KeySet, SigningKey

    T = TypeVar("T")

# For all requests of one callback together, so that a provider that hangs never holds a worker longer.
CALLBACK_SECONDS = 10.0

STATE: Final = "state"
RESPONSE_ISSUER: Final = "response_issuer"
CODE: Final = "code"
TOKEN: Final = "token"  # noqa: S105 - the name of a step
SIGNATURE: Final = "signature"
ID_TOKEN_RULES: Final = tuple(rule.name for rule in RULES)
USERINFO: Final = "userinfo"
SAME_SUBJECT: Final = "same_subject"
# In the order in which they pass. The first one that has not passed is the one that failed.
STEPS: Final = (STATE, RESPONSE_ISSUER, CODE, TOKEN, SIGNATURE, *ID_TOKEN_RULES, USERINFO, SAME_SUBJECT)


class StepObserver:
    """An observer of a login's steps. This one, of a real login, ignores them."""

    def passed(self, *steps: str) -> None:
        """Called with each step that has passed. A step that fails raises instead."""

    def id_token_accepted(self, id_token: IDToken) -> None:
        """Called with the validated ID token."""


class IDTokenObserver(StepObserver):
    """Keeps the ID token of a login, also of one that is refused afterwards. ``id_token``: compact, or ""."""

    id_token = ""

    @override
    def id_token_accepted(self, id_token: IDToken) -> None:
        self.id_token = id_token.raw


SILENT: Final = StepObserver()


class StoredKeys:
    """The keys that a login verifies signatures with: the provider's stored keys. Fetched keys are saved."""

    def __init__(self, provider: Provider, deadline: Deadline) -> None:
        self.provider, self.deadline = provider, deadline
        self._keys: KeySet | None = None

    def verified(self, verify: Callable[[KeySet], T]) -> T:
        """Return ``verify(keys)``; fetch the keys again, once, where the signature names an unknown one."""
        if self._keys is None:
            self._keys = self.first()
        try:
            return verify(self._keys)
        except UnknownKey as exc:
            self._keys = self.after_unknown_key(exc)
            return verify(self._keys)

    def first(self) -> KeySet:
        return keys_for_login(self.provider, self.deadline)

    def after_unknown_key(self, unknown: UnknownKey) -> KeySet:
        return keys_after_unknown_key(self.provider, self.deadline, unknown=unknown)

    def record_use(self, key: SigningKey) -> None:
        record_use(self.provider, key.thumbprint)


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """An authorization code with what the token request sends, made from an answer to a login of this browser."""

    redirect_uri: str
    code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    # The person can still be asked to identify again.
    refuse_old_identification: bool = False


@dataclass(frozen=True, slots=True)
class ProviderAnswers:
    """The ID token and the userinfo of one login, both validated. ``claims``: the userinfo, read-only."""

    id_token: IDToken = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


class CuredByRestart(LoginRefused):
    """A refusal that a second login cures at once: the person's session at the provider is still open."""


class StateAlreadyUsed(CuredByRestart):
    """The authorization response came a second time: its code is spent."""

    def __init__(self) -> None:
        super().__init__("authorization_state_used")


class IdentificationTooOld(LoginRefused):
    """The person identified longer ago than a session lasts, and has not been asked to identify again."""

    def __init__(self) -> None:
        super().__init__("id_token_authentication_too_old")


@sensitive_variables()
def read_response(
    request: HttpRequest,
    provider: Provider,
    login: PendingLogin,
    parameters: Mapping[str, Sequence[str]],
    *,
    observer: StepObserver = SILENT,
) -> CodeGrant:
    """Check the authorization response to ``login`` and claim its state (RFC 6749 4.1.2, RFC 9207).

    Raises AuthorizationResponseError, MetadataError, LoginRefused, CuredByRestart, StateAlreadyUsed.
    """
    response = parse_authorization_response(parameters)
    if login.provider_id != provider.pk:
        raise LoginRefused("authorization_provider_mismatch")
    if login.is_expired:
        raise LoginRefused("authorization_state_expired")
    observer.passed(STATE)
    is_required = provider.require_iss == RequireIssuer.ANNOUNCED
    check_issuer(response, metadata=provider.parsed_metadata, require=is_required)
    observer.passed(RESPONSE_ISSUER)
    if response.error == AUTHENTICATION_EXPIRED:
        raise CuredByRestart(f"authorization_{response.error}")
    if response.error:
        raise LoginRefused(f"authorization_{response.error}")
    if not pending.claim(login):
        raise StateAlreadyUsed
    observer.passed(CODE)
    return CodeGrant(
        site_urls.redirect_uri(request, provider),
        response.code,
        login.code_verifier,
        login.nonce,
        refuse_old_identification=not (login.identify or login.dry_run_by),
    )


@sensitive_variables()
def ask_provider(
    provider: Provider,
    grant: CodeGrant,
    *,
    observer: StepObserver = SILENT,
    key_source: type[StoredKeys] = StoredKeys,
) -> ProviderAnswers:
    """Exchange the code, validate the ID token and fetch the userinfo of the same ``sub``.

    OpenID Connect Core 3.1.3 and 5.3. Raises IdentificationTooOld, SecretUnavailable, OIDCError, DatabaseError.
    """
    deadline = Deadline(CALLBACK_SECONDS)
    keys = key_source(provider, deadline)
    tokens = exchange_code(
        provider.parsed_metadata,
        provider.credentials(),
        code=grant.code,
        redirect_uri=grant.redirect_uri,
        code_verifier=grant.code_verifier,
        http=conf.http_policy(),
        deadline=deadline,
    )
    observer.passed(TOKEN)
    id_token = keys.verified(partial(_id_token, provider, grant, tokens))
    observer.passed(SIGNATURE, *ID_TOKEN_RULES)
    observer.id_token_accepted(id_token)
    if grant.refuse_old_identification and is_too_old(id_token.auth_time):
        raise IdentificationTooOld
    keys.record_use(id_token.key)
    answer = fetch_userinfo(
        provider.parsed_metadata, access_token=tokens.access_token, http=conf.http_policy(), deadline=deadline
    )
    observer.passed(USERINFO)
    claims = keys.verified(partial(_claims, provider, answer, id_token))
    observer.passed(SAME_SUBJECT)
    return ProviderAnswers(id_token, claims)


def _id_token(provider: Provider, grant: CodeGrant, tokens: Tokens, keys: KeySet) -> IDToken:
    id_token = validate_id_token(
        tokens.id_token,
        rules=_id_token_rules(provider),
        keys=keys,
        nonce=grant.nonce,
        access_token=tokens.access_token,
        now=time.time(),
    )
    return replace(id_token, claims=_without_control_characters(id_token.claims))


def _claims(provider: Provider, answer: Answer, id_token: IDToken, keys: KeySet) -> Mapping[str, Any]:
    claims = validate_userinfo(
        answer,
        id_token=id_token,
        rules=_id_token_rules(provider),
        keys=keys,
        now=time.time(),
        signed_algorithm=provider.userinfo_signed_response_alg,
    )
    return _without_control_characters(claims)


def _without_control_characters(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what hooks, rules, users and snapshots get, read-only: here, so that all of them get the same."""
    return MappingProxyType(cut_control_characters(dict(claims)))


def _id_token_rules(provider: Provider) -> IDTokenRules:
    return IDTokenRules(
        issuer=provider.issuer,
        client_id=provider.client_id,
        algorithm=provider.id_token_signed_response_alg,
        max_age=provider.max_age,
        accepted_acr=tuple(provider.accepted_acr_values.split()),
    )
