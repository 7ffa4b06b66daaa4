"""Logins at a provider whose TLS connection fails: each cause has its code, and the page says what it is about."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from psc_connect.models import Account
from tests.oidc.raw_server import OTHER_NAMES
from tests.support.browser_session import HOST, error_code_of, query_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.mark.case("TR11")
@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        ({"days": -1}, "provider_tls_expired"),
        ({"names": OTHER_NAMES}, "provider_tls_other_host"),
        ({"mutual": "TLSv1_2"}, "provider_tls_client_certificate"),
        ({"mutual": "TLSv1_3"}, "provider_tls_client_certificate"),
    ],
    ids=str,
)
def test_a_failed_connection_is_a_matter_of_the_site_and_has_the_code_of_its_cause(
    person, serving, settings, caplog, certificate, code
):
    serving(**certificate)
    settings.PSC_CONNECT_BASE_URL = HOST
    state = query_of(person.begin())["state"]
    response = person.browser.get("/psc/psc/callback/", {"code": "abc", "state": state})
    assert error_code_of(response) == code
    assert "not set up correctly" in response.content.decode()
    assert not person.is_signed_in
    assert not User.objects.exists()
    assert not Account.objects.exists()
    # What OpenSSL says is for administrators.
    assert "127.0.0.1'" not in response.content.decode()
    lines = [record.getMessage() for record in caplog.records if record.name == "psc_connect"]
    reference = response.context["reference"]
    assert f"login.refused code={code} provider=psc reference={reference}" in lines
