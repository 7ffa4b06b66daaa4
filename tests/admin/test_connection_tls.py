"""The connection test over TLS: expiry of the certificate, and refused certificates."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.models import Provider
from tests.admin.pages import Administrator
from tests.oidc.raw_server import OTHER_NAMES
from tests.support.tls_provider import Serving

pytestmark = pytest.mark.django_db


def outcome(admin: Administrator, provider: Provider) -> dict[str, tuple[str, str]]:
    lines = admin.press(provider, "connection").context["lines"]
    return {line["finding"].check: (line["finding"].status.value, line["finding"].code) for line in lines}


def test_everything_passes_over_tls(admin: Administrator, serving: Serving) -> None:
    found = outcome(admin, serving(days=90))
    assert {status for status, _code in found.values()} == {"passed"}
    assert found["tls"] == ("passed", "tls")


@pytest.mark.parametrize(
    ("days", "status", "told"), [(14.1, "passed", "14 days"), (13.9, "warning", "13 days"), (1.5, "warning", "1 day.")]
)
def test_the_days_of_the_certificate_are_told(
    admin: Administrator, serving: Serving, settings: Any, days: float, status: str, told: str
) -> None:
    settings.LANGUAGE_CODE = "en"
    lines = admin.press(serving(days=days), "connection").context["lines"]
    (finding,) = [line["finding"] for line in lines if line["finding"].check == "tls"]
    assert (finding.status.value, told in finding.text) == (status, True)
    assert bool(finding.advice) == (status == "warning")


def test_a_provider_that_ends_each_connection_has_a_certificate_all_the_same(
    admin: Administrator, serving: Serving
) -> None:
    assert outcome(admin, serving(days=90, closing=True))["tls"] == ("passed", "tls")


@pytest.mark.case("TR11")
@pytest.mark.parametrize("certificate", [{"days": -1}, {"names": OTHER_NAMES}, {"names": ()}], ids=str)
def test_a_certificate_that_is_refused_fails_and_the_secret_is_not_sent(
    admin: Administrator, serving: Serving, certificate: dict[str, Any]
) -> None:
    found = outcome(admin, serving(**certificate))
    for check in ("metadata", "keys", "credentials"):
        assert found[check] == ("failed", "provider_tls_failed")
    assert "tls" not in found


def test_an_authority_that_nobody_named_fails(admin: Administrator, serving: Serving, settings: Any) -> None:
    provider = serving(days=90)
    settings.PSC_CONNECT_CA_BUNDLE = ""
    assert outcome(admin, provider)["metadata"] == ("failed", "provider_tls_failed")
