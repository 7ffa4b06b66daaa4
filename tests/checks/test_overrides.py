"""The check for overrides of methods of mozilla-django-oidc that psc_connect never calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.utils import translation
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView, OIDCLogoutView

from psc_connect.backends import ProSanteConnectBackend
from psc_connect.uncalled_methods import METHODS
from psc_connect.views.callback import CallbackView
from psc_connect.views.login import LoginView
from psc_connect.views.logout import LogoutView
from tests.support import backend_hooks

API_PAGE = Path(__file__).parents[2] / "docs" / "api.md"
# What psc_connect's own methods of these names do is tested with the backend.
OURS = {"get_or_create_user", "get_settings"}
VIEWS: tuple[tuple[Any, Any, set[str]], ...] = (
    (LoginView, OIDCAuthenticationRequestView, set()),
    (CallbackView, OIDCAuthenticationCallbackView, {"failure_url", "login_failure", "login_success"}),
    (LogoutView, OIDCLogoutView, {"redirect_url"}),
)


class OverridesTwo(ProSanteConnectBackend):
    def get_username(self, claims: Any) -> str:
        return "x"

    def verify_token(self, token: Any, **kwargs: Any) -> Any:
        return {}


class OverridesMore(OverridesTwo):
    def _verify_jws(self, payload: Any, key: Any) -> Any:
        return {}

    def create_user(self, claims: Any) -> Any:
        return super().create_user(claims)


class WithOldBackend(OIDCAuthenticationBackend):
    def get_userinfo(self, access_token: Any, id_token: Any, payload: Any) -> Any:
        return {}


class OnTopOfOldBackend(WithOldBackend, ProSanteConnectBackend):
    pass


class Mixin:
    def get_userinfo(self, access_token: Any, id_token: Any, payload: Any) -> Any:
        return {}


class BeforeMixin(ProSanteConnectBackend, Mixin):
    pass


def methods_of(cls: type) -> set[str]:
    """Return the methods and properties that a class itself has, special ones left out."""
    return {name for name in vars(cls) if not name.startswith("__") and name != "http_method_names"}


def found() -> list[tuple[str, Any]]:
    return [
        (problem.msg, problem.hint) for problem in run_checks(tags=["security"]) if problem.id == "psc_connect.E026"
    ]


@pytest.mark.parametrize(
    ("backend", "overrides"),
    [
        (ProSanteConnectBackend, []),
        (backend_hooks.WritesAndBreaks, []),
        (backend_hooks.AuthenticatesNobody, []),
        (OverridesTwo, ["get_username of OverridesTwo", "verify_token of OverridesTwo"]),
        (
            OverridesMore,
            ["_verify_jws of OverridesMore", "get_username of OverridesTwo", "verify_token of OverridesTwo"],
        ),
        (OnTopOfOldBackend, ["get_userinfo of WithOldBackend"]),
        (BeforeMixin, ["get_userinfo of Mixin"]),
    ],
)
def test_each_override_without_effect_is_named(
    settings: Any, backend: type[ProSanteConnectBackend], overrides: list[str]
) -> None:
    backend_hooks.use_backend(settings, backend)
    with translation.override("en"):
        messages = found()
    assert [message.partition("calls ")[2].partition(":")[0] for message, _hint in messages] == overrides


def test_the_hint_says_what_to_override_instead(settings: Any) -> None:
    backend_hooks.use_backend(settings, OverridesTwo)
    with translation.override("en"):
        hints = [hint for _message, hint in found()]
    assert "create_user" in hints[0]
    assert "verify_claims" in hints[1]


def test_the_other_login_of_the_site_may_override_them(settings: Any) -> None:
    backend_hooks.use_backend(settings, ProSanteConnectBackend)
    settings.AUTHENTICATION_BACKENDS += [f"{WithOldBackend.__module__}.WithOldBackend"]
    assert found() == []


def test_every_method_of_the_backend_is_ours_or_in_the_table() -> None:
    inherited = methods_of(OIDCAuthenticationBackend)
    assert METHODS.keys() <= inherited
    # A method of a new release is in neither.
    assert inherited <= methods_of(ProSanteConnectBackend)
    called = inherited - METHODS.keys()
    assert called == {
        "authenticate",
        "create_user",
        "filter_users_by_claims",
        "get_user",
        "update_user",
        "verify_claims",
    }


@pytest.mark.parametrize("name", sorted(METHODS.keys() - OURS))
def test_a_method_of_the_table_says_what_to_override_when_it_is_called(name: str) -> None:
    with pytest.raises(NotImplementedError) as error:
        getattr(ProSanteConnectBackend(), name)("x")
    assert str(error.value) == f"psc_connect does not use {name}. {METHODS[name]}"


@pytest.mark.parametrize(("view", "base", "uncalled"), VIEWS)
def test_every_method_of_the_views_is_ours_or_documented_as_never_called(
    view: type, base: type, uncalled: set[str]
) -> None:
    ours = {name for cls in view.__mro__[: view.__mro__.index(base)] for name in methods_of(cls)}
    assert methods_of(base) - ours == uncalled
    page = API_PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in uncalled)


@pytest.mark.parametrize(
    "hook", ["verify_claims", "filter_users_by_claims", "user_can_authenticate", "create_user", "update_user"]
)
def test_the_documentation_lists_each_hook(hook: str) -> None:
    assert f"| `{hook}(" in API_PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(METHODS))
def test_the_documentation_lists_each_method_that_is_never_called(name: str) -> None:
    assert f"`{name}`" in API_PAGE.read_text(encoding="utf-8")
