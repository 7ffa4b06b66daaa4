"""The connection test over TLS: expiry of the certificate, and refused certificates."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.models import Provider
from tests.admin.pages import Administrator, text_of
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


@pytest.mark.usefixtures("english")
def test_the_summary_claims_no_more_than_was_judged(admin: Administrator, serving: Serving) -> None:
    response = admin.press(serving(days=90, dated=False), "connection")
    assert response.context["outcome"] == "not_judged"
    assert "Everything that could be judged is in order" in text_of(response)
    assert "not judged" in text_of(response)


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
@pytest.mark.parametrize(
    ("certificate", "code", "told"),
    [
        ({"days": -1}, "provider_tls_expired", "has expired"),
        ({"begins": 1, "days": 2}, "provider_tls_not_yet_valid", "not valid yet"),
        ({"names": OTHER_NAMES}, "provider_tls_other_host", "belongs to another host"),
        ({"names": ()}, "provider_tls_other_host", "belongs to another host"),
        ({"mutual": "TLSv1_2"}, "provider_tls_client_certificate", "demands a client certificate"),
        ({"mutual": "TLSv1_3"}, "provider_tls_client_certificate", "demands a client certificate"),
    ],
    ids=str,
)
def test_a_certificate_that_is_refused_fails_with_its_cause_and_the_secret_is_not_sent(
    admin: Administrator, serving: Serving, settings: Any, certificate: dict[str, Any], code: str, told: str
) -> None:
    settings.LANGUAGE_CODE = "en"
    lines = admin.press(serving(**certificate), "connection").context["lines"]
    found = {line["finding"].check: line["finding"] for line in lines}
    for check in ("metadata", "keys", "credentials", "userinfo"):
        assert (found[check].status.value, found[check].code) == ("failed", code)
        assert told in found[check].text
    assert "tls" not in found
    assert found["clock"].status.value == "not_judged"


def test_an_authority_that_nobody_named_fails(admin: Administrator, serving: Serving, settings: Any) -> None:
    provider = serving(days=90)
    settings.PSC_CONNECT_CA_BUNDLE = ""
    assert outcome(admin, provider)["metadata"] == ("failed", "provider_tls_unknown_authority")


@pytest.mark.parametrize(
    ("certificate", "status"),
    [
        ({"days": -1}, "failed"),
        ({"names": OTHER_NAMES}, "failed"),
        # People's browsers have other authorities, and may have a certificate.
        ({"mutual": "TLSv1_3"}, "not_judged"),
    ],
    ids=str,
)
def test_a_certificate_that_browsers_refuse_too_fails_at_the_authorization_endpoint(
    admin: Administrator, serving: Serving, certificate: dict[str, Any], status: str
) -> None:
    assert outcome(admin, serving(**certificate))["authorization"][0] == status
