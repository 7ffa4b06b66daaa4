"""Backends of sites: subclasses of ours with one hook overridden."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User

from psc_connect.accounts.merging import link, plan_link
from psc_connect.backends import ProSanteConnectBackend
from psc_connect.models import Account


class LinksByNationalIdentifier(ProSanteConnectBackend):
    """A site that already has its professionals as users, with their identifier as the last name."""

    def filter_users_by_claims(self, claims: Any) -> Any:
        return User.objects.filter(last_name=claims["SubjectNameID"])


class LinksByEmail(ProSanteConnectBackend):
    """A site that finds its users by their e-mail address, which several people may share."""

    def filter_users_by_claims(self, claims: Any) -> Any:
        return User.objects.filter(email=claims["email"])


class RefusesOtherHosts(ProSanteConnectBackend):
    """A site that accepts sign-ins on one of its hosts only."""

    def verify_claims(self, claims: Any) -> bool:
        assert self.request is not None
        return self.request.get_host() == "testserver"


class RefusesEverybody(ProSanteConnectBackend):
    def verify_claims(self, claims: Any) -> bool:
        return False


class WritesAndBreaks(ProSanteConnectBackend):
    """Raises after it has written: nothing of it may be saved."""

    def create_user(self, claims: Any) -> Any:
        user = super().create_user(claims)
        Group.objects.create(name=f"group of {user.pk}")
        raise RuntimeError("the hook of the site broke")

    def update_user(self, user: Any, claims: Any) -> Any:
        Group.objects.create(name=f"group of {user.pk}")
        raise RuntimeError("the hook of the site broke")


class BreaksInFilter(ProSanteConnectBackend):
    def filter_users_by_claims(self, claims: Any) -> Any:
        raise RuntimeError("the hook of the site broke")


class BreaksInVerify(ProSanteConnectBackend):
    def verify_claims(self, claims: Any) -> bool:
        raise RuntimeError("the hook of the site broke")


class RelinksTheAccount(ProSanteConnectBackend):
    """A site whose code links the account to another user while its person signs in."""

    def update_user(self, user: Any, claims: Any) -> Any:
        other = User.objects.get(username="other")
        link(plan_link(Account.objects.get(user=user), other), by=None)
        return super().update_user(user, claims)


def use_backend(settings: Any, backend: type[ProSanteConnectBackend]) -> str:
    """Set it as the site's only backend of psc_connect; return its path."""
    path = f"{backend.__module__}.{backend.__qualname__}"
    settings.AUTHENTICATION_BACKENDS = [path, "django.contrib.auth.backends.ModelBackend"]
    return path


class CreatesInactiveUsers(ProSanteConnectBackend):
    def create_user(self, claims: Any) -> Any:
        user = super().create_user(claims)
        user.is_active = False
        user.save(update_fields=["is_active"])
        return user


class HasNoProvider(ProSanteConnectBackend):
    provider = None  # type: ignore[assignment]


class AuthenticatesNobody(ProSanteConnectBackend):
    def authenticate(self, request: Any, *_arguments: Any, **_credentials: Any) -> None:
        return None


class FindsNobodyAgain(ProSanteConnectBackend):
    """Finds no user for a session, as for people whose contract has ended."""

    def get_user(self, user_id: Any) -> None:
        return None


class FindsUsersWhileSigningIn(ProSanteConnectBackend):
    """Finds the user of a session while it signs somebody in, and never later."""

    is_signing_in = False

    def authenticate(self, request: Any, *arguments: Any, **credentials: Any) -> Any:
        FindsUsersWhileSigningIn.is_signing_in = True
        try:
            return super().authenticate(request, *arguments, **credentials)
        finally:
            FindsUsersWhileSigningIn.is_signing_in = False

    def get_user(self, user_id: Any) -> Any:
        return super().get_user(user_id) if self.is_signing_in else None
