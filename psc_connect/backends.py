"""The authentication backend: signs in people that a provider has authenticated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model, load_backend
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Manager, QuerySet
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from typing_extensions import override

from psc_connect.accounts import linking
from psc_connect.accounts.matching import users_with_number
from psc_connect.accounts.unlinking import STAMP, bind_sessions, stamp_of_user
from psc_connect.accounts.verified_identity import VerifiedIdentity
from psc_connect.claims.budget import LOGIN_STEPS, shared_budget
from psc_connect.exceptions import LoginRefused
from psc_connect.login_steps import CodeGrant, IDTokenObserver, ask_provider
from psc_connect.mapping.attributes import apply_results, evaluate_attributes
from psc_connect.uncalled_methods import raise_when_called

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import User
    from django.http import HttpRequest

    from psc_connect.accounts.linking import LoginResult
    from psc_connect.models import Provider
    from psc_connect.oidc.id_token import IDToken

__all__ = ["ProSanteConnectBackend"]


@dataclass(frozen=True, slots=True)
class CompletedLogin:
    """What the callback needs of a login besides its user."""

    result: LoginResult
    identity: VerifiedIdentity
    id_token: IDToken


def default_setting(attr: str, *args: Any) -> Any:
    """Return the default. The OIDC_* settings of a site belong to its other login, mozilla-django-oidc's own."""
    if args:
        return args[0]
    raise ImproperlyConfigured(f"{attr} is not a setting of psc_connect: see its providers in the admin.")


@raise_when_called
class ProSanteConnectBackend(OIDCAuthenticationBackend):
    """The authentication backend for professionals that Pro Santé Connect has authenticated.

    A site subclasses it to override ``verify_claims``, ``filter_users_by_claims``, ``create_user`` or ``update_user``,
    with the meaning that mozilla-django-oidc gives them, and names the subclass in AUTHENTICATION_BACKENDS. These
    hooks can read ``self.provider`` and ``self.request``. docs/api.md lists all hooks.
    """

    path = "psc_connect.backends.ProSanteConnectBackend"
    provider: Provider
    completed: CompletedLogin
    observer: IDTokenObserver

    @override
    def __init__(self) -> None:
        # mozilla-django-oidc reads OIDC_* settings here and fails without them. Our settings are on the provider.
        pass

    @property
    def UserModel(self) -> type[User]:  # noqa: N802 - the name that subclasses of mozilla's backend know
        return get_user_model()

    get_settings = staticmethod(default_setting)

    @override
    @sensitive_variables()
    def authenticate(  # type: ignore[override]  # mozilla-django-oidc's signature: no username, no password
        self, request: HttpRequest | None, code_grant: CodeGrant | None = None, **_credentials: Any
    ) -> User | None:
        """Return the user of the authenticated person. Return None to all callers except our callback.

        Raises LoginRefused, SecretUnavailable, OIDCError or DatabaseError; nothing is saved then.
        """
        if not isinstance(code_grant, CodeGrant) or getattr(self, "provider", None) is None:
            return None
        answers = ask_provider(self.provider, code_grant, observer=self.observer)
        id_token = answers.id_token
        with shared_budget(LOGIN_STEPS):
            identity = self.verified_identity(id_token.subject, answers.claims, id_token_claims=id_token.claims)
            result = linking.find_or_create_account(self.provider, identity, hooks=self)
        self.completed = CompletedLogin(result, identity, id_token)
        user = result.user if result.created else bind_sessions(result.user)
        user.backend = self.path
        return user

    @override
    async def aauthenticate(  # type: ignore[override]  # as above
        self, request: HttpRequest | None, **credentials: Any
    ) -> User | None:
        # The inherited one is ModelBackend's, which checks a password.
        return await sync_to_async(self.authenticate)(request, **credentials)

    @override
    def get_user(self, user_id: Any) -> User | None:
        # mozilla-django-oidc's returns inactive users: their open sessions would continue.
        users = self.UserModel._default_manager.annotate(**{STAMP: stamp_of_user("pk")})
        try:
            user = users.get(pk=user_id)
        except self.UserModel.DoesNotExist:
            return None
        return bind_sessions(user) if self.user_can_authenticate(user) else None

    def can_open_session(self, user: User) -> bool:
        """Return whether the requests of a session of this user will find the user.

        Else the person would be sent back to the login by each page. The user is looked up as those requests do where
        the lookup is the site's own: it can hide a user that an account names, such as a deleted one.
        """
        if not self.user_can_authenticate(user):
            return False
        return not self._has_own_lookup() or load_backend(self.path).get_user(user.pk) is not None

    def _has_own_lookup(self) -> bool:
        """Return whether the site replaces ``get_user`` or the queryset of the user model's manager."""
        if type(self).get_user is not ProSanteConnectBackend.get_user:
            return True
        manager = self.UserModel._default_manager
        return type(manager).get_queryset is not Manager.get_queryset or type(manager.all()) is not QuerySet

    @override
    async def aget_user(self, user_id: Any) -> User | None:
        return await sync_to_async(self.get_user)(user_id)

    def get_or_create_user(self, *_args: Any) -> None:
        """Return None: mozilla-django-oidc's class for Django REST framework passes a token that is not verified."""

    @sensitive_variables()
    def verified_identity(
        self, subject: str, claims: Mapping[str, Any], *, id_token_claims: Mapping[str, Any]
    ) -> VerifiedIdentity:
        """Return the identity that the two answers vouch for.

        Raises LoginRefused: ``account_claims_refused``, ``userinfo_…``.
        """
        if not self.verify_claims(claims):
            raise LoginRefused("account_claims_refused")
        return VerifiedIdentity.read(subject, claims, id_token_claims=id_token_claims)

    @override
    def verify_claims(self, claims: Mapping[str, Any]) -> bool:
        """Return whether the site accepts these claims: True unless a site overrides this."""
        return True

    @override
    def filter_users_by_claims(self, claims: Mapping[str, Any]) -> QuerySet[Any]:
        """Return the users that a first login may be linked to: those with the person's RPPS number.

        Return no user if the provider names no field for that number: an e-mail address or a name proves nothing.
        """
        return users_with_number(self.provider, claims)

    @override
    def create_user(self, claims: Mapping[str, Any]) -> User:
        """Return a new saved user with the exported attributes and no usable password."""
        user = self.UserModel()
        user.set_unusable_password()
        self._apply_attributes(user, claims, creating=True)
        user.save(force_insert=True)
        return user

    @override
    def update_user(self, user: User, claims: Mapping[str, Any]) -> User:
        """Update the exported attributes of a known user; save only the fields that changed."""
        changed = self._apply_attributes(user, claims, creating=False)
        if changed:
            user.save(update_fields=changed)
        return user

    def _apply_attributes(self, user: User, claims: Mapping[str, Any], *, creating: bool) -> set[str]:
        rows = self.provider.exported_attributes.all()
        return apply_results(user, evaluate_attributes(user, rows, claims, creating=creating), creating=creating)


def installed_class() -> tuple[str, type[ProSanteConnectBackend]] | None:
    """Return the path and the class of the first backend of the site that is ours or a subclass, or None."""
    for path in settings.AUTHENTICATION_BACKENDS:
        backend = import_string(path)
        if isinstance(backend, type) and issubclass(backend, ProSanteConnectBackend):
            return path, backend
    return None


def prepared_backend(request: HttpRequest | None, provider: Provider) -> ProSanteConnectBackend:
    """Return the site's backend with what its hooks read in a login. Raises LoginRefused ``backend_not_installed``."""
    installed = installed_class()
    if installed is None:
        raise LoginRefused("backend_not_installed")
    path, backend_class = installed
    backend = backend_class()
    # django.contrib.auth.authenticate() would set it: login() and the session need it.
    backend.path = path
    backend.request, backend.provider = request, provider
    backend.observer = IDTokenObserver()
    return backend


def creation_is_impossible(provider: Provider) -> bool:
    """Return whether each first login ends in ``account_username_missing``: nothing fills the username."""
    username_field = get_user_model().USERNAME_FIELD
    if not provider.create_unknown_users or provider.exported_attributes.filter(user_field=username_field).exists():
        return False
    installed = installed_class()
    return installed is None or installed[1].create_user is ProSanteConnectBackend.create_user
