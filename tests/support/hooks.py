"""Backends as sites write them: ours, with one hook overridden."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User

from psc_connect.accounts.merging import link, plan_link
from psc_connect.backends import ProSanteConnectBackend
from psc_connect.models import Account


class LinksByNationalIdentifier(ProSanteConnectBackend):
    """A site that knew its professionals before: it wrote their identifier into the last name."""

    def filter_users_by_claims(self, claims: Any) -> Any:
        return User.objects.filter(last_name=claims["SubjectNameID"])


class LooksAtTheRequest(ProSanteConnectBackend):
    """A site that lets people in by one of its hosts only."""

    def verify_claims(self, claims: Any) -> bool:
        return self.request.get_host() == "testserver"


class RefusesEverybody(ProSanteConnectBackend):
    def verify_claims(self, claims: Any) -> bool:
        return False


class MakesMoreThanAUser(ProSanteConnectBackend):
    """Breaks after it has written: nothing of it may stay."""

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


class LinksElsewhere(ProSanteConnectBackend):
    """A site whose code gives the account to somebody else while its person signs in."""

    def update_user(self, user: Any, claims: Any) -> Any:
        other = User.objects.get(username="other")
        link(plan_link(Account.objects.get(user=user), other), by=None)
        return super().update_user(user, claims)


def use(settings: Any, backend: type[ProSanteConnectBackend]) -> str:
    """Make it the site's only backend of ours; return its path."""
    path = f"{backend.__module__}.{backend.__qualname__}"
    settings.AUTHENTICATION_BACKENDS = [path, "django.contrib.auth.backends.ModelBackend"]
    return path


class AuthenticatesNobody(ProSanteConnectBackend):
    def authenticate(self, request: Any, **_credentials: Any) -> None:
        return None
