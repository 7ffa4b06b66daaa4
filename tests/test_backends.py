"""Our backend authenticates for our callback only. The "measured" tests show why, in Django and mozilla-django-oidc."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib import auth
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from psc_connect.backends import ProSanteConnectBackend, prepared_backend
from psc_connect.login_steps import CodeGrant
from tests.support import backend_hooks
from tests.support.backend_hooks import HasNoProvider
from tests.support.refusals import assert_sign_in_is_refused

PASSWORD: dict[str, Any] = {"username": "anne", "password": "the-password-of-anne"}


class OnlyAuthenticate(OIDCAuthenticationBackend):
    """A backend of mozilla-django-oidc with only ``authenticate`` overridden."""

    def __init__(self) -> None:
        self.UserModel = User

    def authenticate(self, request: Any, **_credentials: Any) -> Any:  # type: ignore[override]
        return None


@pytest.fixture
def anne(db: None) -> User:
    return User.objects.create_user(**PASSWORD)


def test_measured_overriding_authenticate_alone_leaves_a_login_by_password(anne):
    assert OnlyAuthenticate().authenticate(None, **PASSWORD) is None
    assert async_to_sync(OnlyAuthenticate().aauthenticate)(None, **PASSWORD) == anne


def test_our_backend_accepts_no_password(anne):
    backend = ProSanteConnectBackend()
    assert backend.authenticate(RequestFactory().get("/"), **PASSWORD) is None
    assert async_to_sync(backend.aauthenticate)(RequestFactory().get("/"), **PASSWORD) is None


def test_a_site_with_our_backend_only_accepts_no_password(anne, settings):
    settings.AUTHENTICATION_BACKENDS = ["psc_connect.backends.ProSanteConnectBackend"]
    assert auth.authenticate(None, **PASSWORD) is None
    assert async_to_sync(auth.aauthenticate)(None, **PASSWORD) is None


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"request": None},
        {"token": "x"},
        {"nonce": "n", "code_verifier": "v"},
        {"code": "c", "state": "s"},
        {"code_grant": None},
        {"provider": "psc", "code": "c", "code_verifier": "v", "nonce": "n"},
    ],
)
def test_our_backend_returns_none_to_all_other_callers(provider, simulator, credentials):
    request = RequestFactory().get("/psc/psc/callback/?code=c&state=s")
    credentials.pop("request", None)
    backend = ProSanteConnectBackend()
    assert backend.authenticate(request, **credentials) is None
    assert async_to_sync(backend.aauthenticate)(request, **credentials) is None
    assert auth.authenticate(request, **credentials) is None
    assert simulator.requests == []


@pytest.mark.parametrize("code_grant", ["c", 5, {"code": "c"}, object()], ids=lambda value: type(value).__name__)
def test_our_backend_returns_none_for_an_object_that_is_no_code_grant(provider, simulator, code_grant):
    backend = prepared_backend(RequestFactory().get("/"), provider)
    assert backend.authenticate(None, code_grant=code_grant) is None
    assert async_to_sync(backend.aauthenticate)(None, code_grant=code_grant) is None
    assert auth.authenticate(None, code_grant=code_grant) is None
    assert simulator.requests == []


def test_our_backend_returns_none_for_a_code_grant_if_no_provider_is_set(provider, simulator):
    grant = CodeGrant("http://testserver/psc/psc/callback/", code="c", code_verifier="v", nonce="n")
    assert ProSanteConnectBackend().authenticate(None, code_grant=grant) is None
    assert HasNoProvider().authenticate(None, code_grant=grant) is None
    assert auth.authenticate(None, code_grant=grant) is None
    assert simulator.requests == []


def test_measured_mozillas_backend_returns_inactive_users(anne):
    User.objects.update(is_active=False)
    assert OnlyAuthenticate().get_user(anne.pk) == anne


@pytest.mark.case("SE02")
def test_our_backend_returns_no_inactive_user(anne):
    backend = ProSanteConnectBackend()
    assert backend.get_user(anne.pk) == anne
    assert async_to_sync(backend.aget_user)(anne.pk) == anne
    User.objects.update(is_active=False)
    assert backend.get_user(anne.pk) is None
    assert async_to_sync(backend.aget_user)(anne.pk) is None


def test_our_backend_returns_none_for_an_unknown_primary_key(db):
    assert ProSanteConnectBackend().get_user(12345) is None


@pytest.mark.case("SE01")
def test_measured_django_keeps_the_session_key_when_the_same_user_signs_in_again(anne):
    request = RequestFactory().get("/")
    request.session = SessionStore()
    path = "django.contrib.auth.backends.ModelBackend"
    auth.login(request, anne, backend=path)
    first = request.session.session_key
    auth.login(request, anne, backend=path)
    assert request.session.session_key == first


def test_our_backend_needs_no_setting_of_mozilla_django_oidc(settings):
    assert not [name for name in dir(settings) if name.startswith("OIDC_")]
    with pytest.raises(ImproperlyConfigured):
        OIDCAuthenticationBackend()
    assert isinstance(ProSanteConnectBackend(), OIDCAuthenticationBackend)


def test_our_backend_reads_no_setting_of_mozilla_django_oidc(settings):
    settings.OIDC_RP_CLIENT_ID = "the-other-login"
    assert ProSanteConnectBackend().get_settings("OIDC_RP_CLIENT_ID", "the default") == "the default"
    with pytest.raises(ImproperlyConfigured, match="psc_connect"):
        ProSanteConnectBackend().get_settings("OIDC_RP_CLIENT_ID")


def test_user_login_failed_gets_the_provider_and_the_code_alone(provider, simulator, person):
    heard: list[Any] = []
    receiver = lambda **said: heard.append(said)  # noqa: E731
    user_login_failed.connect(receiver)
    try:
        with simulator.fault("wrong_nonce"):
            assert_sign_in_is_refused("id_token_nonce_mismatch", person=person, simulator=simulator, calls=("token",))
    finally:
        user_login_failed.disconnect(receiver)
    [said] = heard
    assert said["credentials"] == {"provider": "psc", "code": "id_token_nonce_mismatch"}
    assert set(said) == {"signal", "sender", "credentials", "request"}
    assert dict(said["request"].GET) == {}
    assert said["request"].META["QUERY_STRING"] == ""


def test_the_session_names_the_sites_subclass(provider, simulator, person, settings):
    path = backend_hooks.use_backend(settings, backend_hooks.LinksByNationalIdentifier)
    person.sign_in()
    assert person.browser.session["_auth_user_backend"] == path


def test_a_site_without_our_backend_refuses_before_any_call(provider, simulator, person, settings):
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    assert_sign_in_is_refused("backend_not_installed", person=person, simulator=simulator, calls=())
