"""What ``manage.py check`` finds: a good site with one thing wrong → the id."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import pytest
from django.core.checks import run_checks

from psc_connect import checks, conf
from psc_connect.oidc.client import HTTPPolicy

OURS = "psc_connect.backends.ProSanteConnectBackend"
DJANGOS = "django.contrib.auth.backends.ModelBackend"
KEY = "k" * 32
GOOD = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["www.example.org"],
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "PSC_CONNECT_ALLOW_LOOPBACK_HTTP": False,
    "PSC_CONNECT_ENCRYPTION_KEYS": [KEY],
    "PSC_CONNECT_BASE_URL": "https://www.example.org",
}
# What is wrong, and whether `check` says it without --deploy.
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
    ({"PSC_CONNECT_HTTPS_PROXY": "proxy.example.org:3128"}, "psc_connect.E010", True),
    ({"PSC_CONNECT_HTTPS_PROXY": "https://proxy.example.org:3128"}, "psc_connect.E010", True),
    ({"PSC_CONNECT_HTTPS_PROXY": "http://proxy.example.org:3128/path"}, "psc_connect.E010", True),
    ({"PSC_CONNECT_EXTRA_ENDPOINT_HOSTS": "sso.example.org"}, "psc_connect.E011", True),
    ({"PSC_CONNECT_EXTRA_ENDPOINT_HOSTS": ["https://sso.example.org"]}, "psc_connect.E011", True),
    ({"PSC_CONNECT_EXTRA_ENDPOINT_HOSTS": ["sso." + "é" * 70]}, "psc_connect.E011", True),
    ({"PSC_CONNECT_ALLOW_LOOPBACK_HTTP": True}, "psc_connect.E007", False),
    ({"PSC_CONNECT_BASE_URL": "", "ALLOWED_HOSTS": ["*"]}, "psc_connect.E008", False),
    ({"PSC_CONNECT_BASE_URL": "", "ALLOWED_HOSTS": [".example.org"]}, "psc_connect.E008", False),
    ({"PSC_CONNECT_BASE_URL": "http://www.example.org"}, "psc_connect.E009", False),
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
def test_one_thing_wrong_is_found(site: Any, change: dict[str, Any], expected: str, plain: bool) -> None:
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
    ],
)
def test_what_is_right_is_not_found(site: Any, change: dict[str, Any]) -> None:
    for name, value in change.items():
        setattr(site, name, value)
    assert found() == set()


def test_a_site_in_development_is_left_alone(settings: Any) -> None:
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["*"]
    del settings.PSC_CONNECT_ALLOW_LOOPBACK_HTTP
    assert found(deploy=False) == set()


@pytest.mark.django_db
def test_no_check_reads_the_database(site: Any, django_assert_num_queries: Any) -> None:
    functions = [each for name, each in inspect.getmembers(checks) if name.startswith("check_")]
    assert len(functions) >= 10
    with django_assert_num_queries(0):
        for check in functions:
            assert list(check()) == []


def test_every_id_is_in_the_table() -> None:
    source = inspect.getsource(checks)
    ids = {line.split('"')[1] for line in source.splitlines() if 'id="psc_connect.' in line}
    assert ids == {expected for _change, expected, _plain in WRONG}


@pytest.mark.case("TR11", "CF04")
def test_there_is_no_switch_that_turns_a_protection_off() -> None:
    # Whoever adds a setting or a policy reads this list, and says here why it weakens nothing.
    readers = {name for name, _reader in inspect.getmembers(conf, inspect.isfunction) if not name.startswith("_")}
    assert readers == {
        "allow_loopback_http",
        "base_url",
        "ca_bundle",
        "encryption_keys",
        "extra_endpoint_hosts",
        "https_proxy",
        "jwks_max_age",
        "raw",  # what the site wrote, for the checks
        "secret_dir",
        "secret_issuers",  # says where a named secret may go; without it, to ANS alone
        "simulator_url",
    }
    assert {each.name for each in fields(HTTPPolicy)} == {
        "ca_bundle",
        "https_proxy",
        "connect_timeout",
        "read_timeout",
        "allow_loopback_http",  # plain http on this machine, as the setting says
    }
