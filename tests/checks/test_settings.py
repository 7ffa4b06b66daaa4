"""System checks of the settings: a good site with one thing wrong → the id."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import run_checks

from psc_connect import conf
from psc_connect.checks import libraries
from psc_connect.checks import sessions as session_checks
from psc_connect.checks import settings as settings_checks
from psc_connect.oidc.http import HTTPPolicy

OURS = "psc_connect.backends.ProSanteConnectBackend"
DJANGOS = "django.contrib.auth.backends.ModelBackend"
MOZILLAS = "mozilla_django_oidc.auth.OIDCAuthenticationBackend"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
PROFESSIONAL = "psc_connect.middleware.ProSanteConnectMiddleware"
SIGNED_COOKIES = "django.contrib.sessions.backends.signed_cookies"
MODULES = (settings_checks, session_checks)
KEY = "k" * 32
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
GOOD = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["www.example.org"],
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "PSC_CONNECT_ALLOW_LOOPBACK_HTTP": False,
    "PSC_CONNECT_ENCRYPTION_KEYS": [KEY],
    "PSC_CONNECT_BASE_URL": "https://www.example.org",
}
# What is wrong, its id, and whether `check` reports it without --deploy.
WRONG: list[tuple[dict[str, Any], str, bool]] = [
    ({"AUTHENTICATION_BACKENDS": [DJANGOS]}, "psc_connect.E001", True),
    ({"ROOT_URLCONF": "tests.urls_admin_only"}, "psc_connect.E002", True),
    ({"ROOT_URLCONF": "tests.urls_translated"}, "psc_connect.E003", True),
    ({"SESSION_COOKIE_SAMESITE": "Strict"}, "psc_connect.E004", True),
    ({"PSC_CONNECT_BASE_URL": "www.example.org"}, "psc_connect.E005", True),
    ({"PSC_CONNECT_BASE_URL": "https://www.example.org/intranet"}, "psc_connect.E005", True),
    ({"PSC_CONNECT_BASE_URL": "https://www.example.org?a=b"}, "psc_connect.E005", True),
    ({"PSC_CONNECT_BASE_URL": "https://www.example.org#a"}, "psc_connect.E005", True),
    ({"PSC_CONNECT_BASE_URL": "https://user@www.example.org"}, "psc_connect.E005", True),
    ({"PSC_CONNECT_BASE_URL": "https://www.example.org:port"}, "psc_connect.E005", True),
    ({"PSC_CONNECT_BASE_URL": "https://[www.example.org"}, "psc_connect.E005", True),
    ({"PSC_CONNECT_BASE_URL": "https://www.example.org\n"}, "psc_connect.E005", True),
    ({"PSC_CONNECT_BASE_URL": "https://"}, "psc_connect.E005", True),
    ({"PSC_CONNECT_BASE_URL": "ftp://www.example.org"}, "psc_connect.E005", True),
    ({"PSC_CONNECT_ENCRYPTION_KEYS": [KEY, "k" * 31]}, "psc_connect.E006", True),
    ({"PSC_CONNECT_ENCRYPTION_KEYS": KEY}, "psc_connect.E006", True),
    ({"PSC_CONNECT_ENCRYPTION_KEYS": [KEY.encode()]}, "psc_connect.E006", True),
    ({"MIDDLEWARE": [SESSIONS]}, "psc_connect.E012", True),
    ({"MIDDLEWARE": [AUTHENTICATION, "nowhere.Middleware"]}, "psc_connect.E012", True),
    ({"SECRET_KEY": KEY}, "psc_connect.E013", True),
    ({"SECRET_KEY_FALLBACKS": [KEY]}, "psc_connect.E013", True),
    ({"PSC_CONNECT_HTTPS_PROXY": "proxy.example.org:3128"}, "psc_connect.E010", True),
    ({"PSC_CONNECT_HTTPS_PROXY": "https://proxy.example.org:3128"}, "psc_connect.E010", True),
    ({"PSC_CONNECT_HTTPS_PROXY": "http://proxy.example.org:3128/path"}, "psc_connect.E010", True),
    ({"PSC_CONNECT_EXTRA_ENDPOINT_HOSTS": "sso.example.org"}, "psc_connect.E011", True),
    ({"PSC_CONNECT_EXTRA_ENDPOINT_HOSTS": ["https://sso.example.org"]}, "psc_connect.E011", True),
    ({"PSC_CONNECT_EXTRA_ENDPOINT_HOSTS": ["sso." + "é" * 70]}, "psc_connect.E011", True),
    ({"PSC_CONNECT_PRIVATE_HOSTS": "sso.hospital.example"}, "psc_connect.E014", True),
    ({"PSC_CONNECT_PRIVATE_HOSTS": ["10.0.0.0/8"]}, "psc_connect.E014", True),
    ({"PSC_CONNECT_TRUSTED_PROXY_COUNT": "two"}, "psc_connect.E015", True),
    ({"PSC_CONNECT_TRUSTED_PROXY_COUNT": -1}, "psc_connect.E015", True),
    ({"PSC_CONNECT_TRUSTED_IDENTIFIERS": "rpps"}, "psc_connect.E022", True),
    ({"PSC_CONNECT_TRUSTED_IDENTIFIERS": ["rpps", "email"]}, "psc_connect.E022", True),
    ({"PSC_CONNECT_TRUSTED_IDENTIFIERS": ["unknown"]}, "psc_connect.E022", True),
    ({"PSC_CONNECT_TRUSTED_IDENTIFIERS": [["rpps"]]}, "psc_connect.E022", True),
    ({"PSC_CONNECT_TRUSTED_IDENTIFIERS": None}, "psc_connect.E022", True),
    ({"PSC_CONNECT_ENCRYPTION_KEY": [KEY]}, "psc_connect.W003", True),
    ({"PSC_CONNECT_VERIFY_SSL": False}, "psc_connect.W003", True),
    ({"AUTHENTICATION_BACKENDS": [OURS, MOZILLAS]}, "psc_connect.W004", True),
    ({"PSC_CONNECT_ALLOW_LOOPBACK_HTTP": True}, "psc_connect.E007", False),
    ({"PSC_CONNECT_BASE_URL": "", "ALLOWED_HOSTS": ["*"]}, "psc_connect.E008", False),
    ({"PSC_CONNECT_BASE_URL": "", "ALLOWED_HOSTS": [".example.org"]}, "psc_connect.E008", False),
    ({"PSC_CONNECT_BASE_URL": "http://www.example.org"}, "psc_connect.E009", False),
    ({"PSC_CONNECT_SESSION_MAX_AGE": "4h"}, "psc_connect.E027", True),
    ({"PSC_CONNECT_SESSION_MAX_AGE": -1}, "psc_connect.E027", True),
    ({"PSC_CONNECT_SESSION_MAX_AGE": 1.5}, "psc_connect.E027", True),
    ({"PSC_CONNECT_SESSION_MAX_AGE": True}, "psc_connect.E027", True),
    ({"PSC_CONNECT_SESSION_MAX_AGE": None}, "psc_connect.W018", False),
    ({"PSC_CONNECT_SESSION_MAX_AGE": 0}, "psc_connect.W018", False),
    ({"PSC_CONNECT_SESSION_MAX_AGE": 14401}, "psc_connect.W018", False),
    ({"SESSION_ENGINE": SIGNED_COOKIES}, "psc_connect.W019", False),
    ({"SESSION_EXPIRE_AT_BROWSER_CLOSE": True}, "psc_connect.W019", False),
    ({"SESSION_SAVE_EVERY_REQUEST": True, "SESSION_COOKIE_AGE": 3600}, "psc_connect.W019", False),
    ({"PSC_CONNECT_ENCRYPTION_KEYS": []}, "psc_connect.W001", False),
    ({"SESSION_COOKIE_SECURE": False}, "psc_connect.W002", False),
    ({"CSRF_COOKIE_SECURE": False}, "psc_connect.W002", False),
]


@pytest.fixture
def site(settings: Any) -> Any:
    for name, value in GOOD.items():
        setattr(settings, name, value)
    return settings


def found(*, deploy: bool = True) -> set[str]:
    messages = run_checks(tags=["security", "urls"], include_deployment_checks=deploy)
    ours = [message for message in messages if str(message.id).startswith("psc_connect.")]
    for message in ours:
        assert message.hint
        assert message.is_serious() or ".W" in str(message.id)
    return {str(message.id) for message in ours}


def test_a_good_site_passes(site: Any) -> None:
    assert found() == set()


@pytest.mark.case("CF03")
@pytest.mark.parametrize(("change", "expected", "plain"), WRONG)
def test_one_thing_wrong_is_reported(site: Any, change: dict[str, Any], expected: str, plain: bool) -> None:
    for name, value in change.items():
        setattr(site, name, value)
    assert found() == {expected}
    assert found(deploy=False) == ({expected} if plain else set())


@pytest.mark.parametrize(
    "change",
    [
        {"AUTHENTICATION_BACKENDS": ["tests.email_user.CreatingBackend"]},
        {"SESSION_COOKIE_SAMESITE": "None"},
        {"SESSION_COOKIE_SAMESITE": False},
        {"PSC_CONNECT_BASE_URL": "https://www.example.org/"},
        {"PSC_CONNECT_BASE_URL": "https://www.example.org:8443"},
        {"PSC_CONNECT_BASE_URL": ""},
        {"ALLOWED_HOSTS": ["*"]},
        {"PSC_CONNECT_ENCRYPTION_KEYS": (KEY, KEY)},
        {"ROOT_URLCONF": "tests.urls_translated", "LANGUAGES": [("fr", "Français")]},
        {"ROOT_URLCONF": None},
        {"PSC_CONNECT_HTTPS_PROXY": "http://a-name:a-password@proxy.example.org:3128"},
        {"PSC_CONNECT_EXTRA_ENDPOINT_HOSTS": ["sso.example.org"]},
        {"PSC_CONNECT_PRIVATE_HOSTS": ["sso.hospital.example"]},
        {"PSC_CONNECT_TRUSTED_PROXY_COUNT": 2},
        {"PSC_CONNECT_TRUSTED_IDENTIFIERS": []},
        {"PSC_CONNECT_TRUSTED_IDENTIFIERS": {"rpps", "adeli", "finess_staff", "siret_staff", "psi", "edit"}},
        {"AUTHENTICATION_BACKENDS": [OURS, MOZILLAS], "OIDC_RP_SIGN_ALGO": "RS256"},
        {"MIDDLEWARE": ["tests.checks.test_settings.OwnSessions", AUTHENTICATION]},
        {"PSC_CONNECT_SESSION_MAX_AGE": 3600},
        {"SESSION_SAVE_EVERY_REQUEST": True},
        {"SESSION_COOKIE_AGE": 3600},
        {
            "MIDDLEWARE": [SESSIONS, AUTHENTICATION, PROFESSIONAL],
            "SESSION_ENGINE": SIGNED_COOKIES,
            "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
            "SESSION_SAVE_EVERY_REQUEST": True,
            "SESSION_COOKIE_AGE": 3600,
        },
    ],
)
def test_a_valid_setting_is_not_reported(site: Any, change: dict[str, Any]) -> None:
    for name, value in change.items():
        setattr(site, name, value)
    assert found() == set()


class OwnSessions(SessionMiddleware):
    """A subclass of Django's middleware, as a site may have."""


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("PSC_CONNECT_ENCRYPTION_KEY", "PSC_CONNECT_ENCRYPTION_KEYS"),
        ("PSC_CONNECT_PROXY", "PSC_CONNECT_HTTPS_PROXY"),
        ("PSC_CONNECT_BASEURL", "PSC_CONNECT_BASE_URL"),
        ("PSC_CONNECT_QQQQQQQQQQQQQQQQQQQQQQQQQQ", "docs/settings.md"),
    ],
)
def test_an_unknown_setting_is_reported_with_the_nearest(site: Any, name: str, nearest: str) -> None:
    setattr(site, name, "x")
    [message] = settings_checks.check_setting_names()
    assert name in message.msg
    assert nearest in str(message.hint)


@pytest.mark.case("CF05")
def test_a_library_older_than_its_minimum_is_an_error(site: Any, tmp_path: Any, monkeypatch: Any) -> None:
    folder = tmp_path / "pyjwt-2.9.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: PyJWT\nVersion: 2.9.0\n")
    assert list(libraries.check_libraries()) == []
    monkeypatch.syspath_prepend(tmp_path)
    [message] = libraries.check_libraries()
    assert message.id == "psc_connect.E016"
    assert "PyJWT 2.9.0" in message.msg
    assert "2.15.1" in str(message.hint)


@pytest.mark.case("CF05")
def test_the_minimum_versions_of_the_check_are_those_of_the_installation() -> None:
    minimums = dict(re.findall(r'^    "([\w-]+)>=([\d.]+)', PYPROJECT.read_text(), re.MULTILINE))
    assert {name: minimums[name] for name in libraries.MINIMUM_VERSIONS} == libraries.MINIMUM_VERSIONS


def test_a_site_in_development_has_no_message(settings: Any) -> None:
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["*"]
    del settings.PSC_CONNECT_ALLOW_LOOPBACK_HTTP
    assert found(deploy=False) == set()


@pytest.mark.django_db
def test_no_check_reads_the_database(site: Any, django_assert_num_queries: Any) -> None:
    members = [member for module in MODULES for member in inspect.getmembers(module)]
    functions = [each for name, each in members if name.startswith("check_")]
    assert len(functions) >= 10
    with django_assert_num_queries(0):
        for check in functions:
            assert list(check()) == []


def test_every_id_is_in_the_table() -> None:
    ids = set(re.findall(r'"(psc_connect\.[EW]\d{3})"', "".join(map(inspect.getsource, MODULES))))
    assert ids == {expected for _change, expected, _plain in WRONG}


@pytest.mark.case("TR11", "CF04")
def test_no_setting_turns_a_protection_off() -> None:
    # To add a setting or a policy, add it here with the reason why it weakens nothing.
    readers = {name for name, _reader in inspect.getmembers(conf, inspect.isfunction) if not name.startswith("_")}
    assert readers == {
        "allow_loopback_http",
        "base_url",
        "ca_bundle",
        "encryption_keys",
        "extra_endpoint_hosts",
        "http_policy",  # made of four of these
        "https_proxy",
        "jwks_max_age",
        "nomenclature_dir",  # labels of codes, which are shown and have no effect on access
        "private_hosts",  # a list of names; without it, no private address is called
        "raw",  # the value of a setting, for the checks
        "secret_dir",
        "secret_issuers",  # where a secret given by reference may be sent; without it, only to ANS
        "session_max_age",  # only ends sessions earlier than the site's settings do
        "simulator_url",
        "trusted_identifiers",  # the national register guarantees each; unknown kinds are refused
        "trusted_proxy_count",  # selects a provider by network; gives no access
    }
    assert {each.name for each in fields(HTTPPolicy)} == {
        "ca_bundle",
        "https_proxy",
        "connect_timeout",
        "read_timeout",
        "private_hosts",  # as the setting says
        "allow_loopback_http",  # plain http on this machine, as the setting says
    }
