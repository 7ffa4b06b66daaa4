"""The authentication backend: the code becomes tokens, the tokens a person, the person a user of this site."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from typing_extensions import override

from psc_connect import conf
from psc_connect.accounts import linking
from psc_connect.accounts.linking import VerifiedIdentity
from psc_connect.accounts.matching import users_with_number
from psc_connect.accounts.unlinking import STAMP, bind_sessions, stamp_of_user
from psc_connect.exceptions import LoginRefused
from psc_connect.login import site_urls
from psc_connect.mapping.attributes import apply_exported_attributes
from psc_connect.oidc.client import exchange_code, fetch_userinfo
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import UnknownKey
from psc_connect.oidc.id_token import IDTokenRules, validate_id_token
from psc_connect.oidc.userinfo import validate_userinfo
from psc_connect.providers.keys import keys_after_unknown_key, keys_for_login, note_use

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from django.contrib.auth.models import User
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from psc_connect.accounts.linking import LoginResult
    from psc_connect.login.pending import PendingLogin
    from psc_connect.models import Provider
    from psc_connect.oidc.client import Tokens, UserinfoAnswer
    from psc_connect.oidc.id_token import IDToken
    from psc_connect.oidc.jwks import KeySet

    T = TypeVar("T")

# All calls of one callback together: a worker is never held longer by a provider that hangs.
CALLBACK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """What our callback hands to our backend, and nobody else can: an answer to a login that this browser began."""

    provider: Provider
    redirect_uri: str
    code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)

    @classmethod
    @sensitive_variables()
    def of(cls, request: HttpRequest, provider: Provider, login: PendingLogin, code: str) -> CodeGrant:
        return cls(provider, site_urls.redirect_uri(request, provider), code, login.code_verifier, login.nonce)


@dataclass(frozen=True, slots=True)
class CompletedLogin:
    """What the callback takes from a login besides its user."""

    resolution: LoginResult
    person: VerifiedIdentity
    id_token: str = field(repr=False)
    auth_time: int | None = None


def default_setting(attr: str, *args: Any) -> Any:
    """Return the default: the OIDC_* settings of a site belong to another login of it, by mozilla-django-oidc."""
    if args:
        return args[0]
    raise ImproperlyConfigured(f"{attr} is not a setting of psc_connect: see its providers in the admin.")


class ProSanteConnectBackend(OIDCAuthenticationBackend):
    """Signs in professionals whom Pro Santé Connect vouches for.

    A site subclasses it to override ``verify_claims``, ``filter_users_by_claims``, ``create_user`` or ``update_user``,
    each with the meaning that mozilla-django-oidc gives it, and names the subclass in AUTHENTICATION_BACKENDS.
    ``self.provider`` is there for them.
    """

    path = "psc_connect.backends.ProSanteConnectBackend"
    provider: Provider
    completed: CompletedLogin

    @override
    def __init__(self) -> None:
        # mozilla-django-oidc reads OIDC_* settings here and fails without them: everything of ours is on the provider.
        pass

    @property
    def UserModel(self) -> type[User]:  # noqa: N802 - the name that subclasses of mozilla's backend know
        return get_user_model()

    get_settings = staticmethod(default_setting)

    @override
    @sensitive_variables()
    def authenticate(  # type: ignore[override]  # mozilla-django-oidc's shape: no username, no password
        self, request: HttpRequest | None, code_grant: CodeGrant | None = None, **_credentials: Any
    ) -> User | None:
        """Return the user whom the provider names; None to every caller but our own callback.

        Raises LoginRefused, SecretUnavailable, an OIDCError, or DatabaseError; nothing is saved then.
        """
        if code_grant is None:
            return None
        deadline = Deadline(CALLBACK_SECONDS)
        tokens = self.exchange_code(code_grant, deadline)
        id_token, keys = self._with_keys(
            partial(self.id_token_of, code_grant, tokens), keys_for_login(self.provider, deadline), deadline
        )
        note_use(self.provider, id_token.key)
        answer = self.fetch_userinfo(tokens, deadline)
        claims, _keys = self._with_keys(partial(self.claims_of, answer, id_token), keys, deadline)
        return self._resolve_account(id_token, claims)

    @override
    async def aauthenticate(  # type: ignore[override]  # as above
        self, request: HttpRequest | None, **credentials: Any
    ) -> User | None:
        # Inherited, it would be ModelBackend's, which checks a password.
        return await sync_to_async(self.authenticate)(request, **credentials)

    @override
    def get_user(self, user_id: Any) -> User | None:
        # Not mozilla-django-oidc's, which returns inactive users: their open sessions would go on.
        users = self.UserModel._default_manager.annotate(**{STAMP: stamp_of_user("pk")})
        try:
            user = users.get(pk=user_id)
        except self.UserModel.DoesNotExist:
            return None
        return bind_sessions(user) if self.user_can_authenticate(user) else None

    @override
    async def aget_user(self, user_id: Any) -> User | None:
        return await sync_to_async(self.get_user)(user_id)

    def get_or_create_user(self, *_args: Any) -> None:
        """Answer mozilla-django-oidc's class for Django REST framework: nobody, since it brings a token unverified."""

    @sensitive_variables()
    def exchange_code(self, grant: CodeGrant, deadline: Deadline) -> Tokens:
        provider = self.provider
        return exchange_code(
            provider.parsed_metadata,
            provider.credentials(),
            code=grant.code,
            redirect_uri=grant.redirect_uri,
            code_verifier=grant.code_verifier,
            http=conf.http_policy(),
            deadline=deadline,
        )

    @sensitive_variables()
    def id_token_of(self, grant: CodeGrant, tokens: Tokens, keys: KeySet) -> IDToken:
        return validate_id_token(
            tokens.id_token,
            rules=self._rules(),
            keys=keys,
            nonce=grant.nonce,
            access_token=tokens.access_token,
            now=time.time(),
        )

    def _rules(self) -> IDTokenRules:
        provider = self.provider
        return IDTokenRules(
            issuer=provider.issuer,
            client_id=provider.client_id,
            algorithm=provider.id_token_signed_response_alg,
            max_age=provider.max_age,
            accepted_acr=tuple(provider.accepted_acr_values.split()),
        )

    def _with_keys(self, verify: Callable[[KeySet], T], keys: KeySet, deadline: Deadline) -> tuple[T, KeySet]:
        """Verify, and once more with the keys fetched again where the signature names one that is not there."""
        try:
            return verify(keys), keys
        except UnknownKey as exc:
            keys = keys_after_unknown_key(self.provider, deadline, unknown=exc)
            return verify(keys), keys

    @sensitive_variables()
    def fetch_userinfo(self, tokens: Tokens, deadline: Deadline) -> UserinfoAnswer:
        metadata = self.provider.parsed_metadata
        return fetch_userinfo(metadata, access_token=tokens.access_token, http=conf.http_policy(), deadline=deadline)

    def claims_of(self, answer: UserinfoAnswer, id_token: IDToken, keys: KeySet) -> Mapping[str, Any]:
        algorithm = self.provider.userinfo_signed_response_alg
        claims = validate_userinfo(
            answer, id_token=id_token, rules=self._rules(), keys=keys, now=time.time(), signed_algorithm=algorithm
        )
        return MappingProxyType(claims)

    @sensitive_variables()
    def _resolve_account(self, id_token: IDToken, claims: Mapping[str, Any]) -> User:
        person = self.person_of(id_token.subject, claims, id_token_claims=id_token.claims)
        resolution = linking.resolve(self.provider, person, hooks=self)
        self.completed = CompletedLogin(resolution, person, id_token=id_token.raw, auth_time=id_token.auth_time)
        user = resolution.user if resolution.created else bind_sessions(resolution.user)
        user.backend = self.path
        return user

    @sensitive_variables()
    def person_of(
        self, subject: str, claims: Mapping[str, Any], *, id_token_claims: Mapping[str, Any]
    ) -> VerifiedIdentity:
        """Return whom the two answers speak of. Raises LoginRefused ``account_claims_refused``, ``userinfo_…``."""
        if not self.verify_claims(claims):
            raise LoginRefused("account_claims_refused")
        return VerifiedIdentity.read(subject, claims, id_token_claims=id_token_claims)

    @override
    def verify_claims(self, claims: Mapping[str, Any]) -> bool:
        """Return whether the site accepts these claims: it does, unless it overrides this."""
        return True

    @override
    def filter_users_by_claims(self, claims: Mapping[str, Any]) -> QuerySet[Any]:
        """Return the users to whom a first login may be linked: by the provider's field with the RPPS number.

        Without it nobody, since an e-mail or a name proves nothing.
        """
        return users_with_number(self.provider, claims)

    @override
    def create_user(self, claims: Mapping[str, Any]) -> User:
        """Return a new saved user with the exported attributes and no usable password."""
        user = self.UserModel()
        user.set_unusable_password()
        rows = self.provider.exported_attributes.all()
        apply_exported_attributes(user, rows, claims, creating=True)
        if not user.get_username():
            raise LoginRefused("account_username_missing")
        user.save(force_insert=True)
        return user

    @override
    def update_user(self, user: User, claims: Mapping[str, Any]) -> User:
        """Bring the exported attributes of a known user up to date; save what changed only."""
        rows = self.provider.exported_attributes.all()
        changed = apply_exported_attributes(user, rows, claims, creating=False)
        if changed:
            user.save(update_fields=changed)
        return user


def installed_class() -> tuple[str, type[ProSanteConnectBackend]] | None:
    """Return the path and the class of the site's backend that is ours or a subclass, or None."""
    for path in settings.AUTHENTICATION_BACKENDS:
        backend = import_string(path)
        if isinstance(backend, type) and issubclass(backend, ProSanteConnectBackend):
            return path, backend
    return None


def prepared_backend(request: HttpRequest | None, provider: Provider) -> ProSanteConnectBackend:
    """Return the site's backend as its hooks expect it in a login. Raises LoginRefused ``backend_not_installed``."""
    installed = installed_class()
    if installed is None:
        raise LoginRefused("backend_not_installed")
    path, backend_class = installed
    backend = backend_class()
    # What django.contrib.auth.authenticate() would have noted: login() and the session need it.
    backend.path = path
    backend.request, backend.provider = request, provider
    return backend


def creation_is_impossible(provider: Provider) -> bool:
    """Whether a first login would end in ``account_username_missing``: nothing gives a new user its username."""
    username_field = get_user_model().USERNAME_FIELD
    if not provider.create_unknown_users or provider.exported_attributes.filter(user_field=username_field).exists():
        return False
    installed = installed_class()
    return installed is None or installed[1].create_user is ProSanteConnectBackend.create_user
