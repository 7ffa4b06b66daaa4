"""Client authentication at the token endpoint, and the sources of the client secret."""

from __future__ import annotations

import base64

import pytest
from django.db import connection

from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from tests.conftest import CLIENT_SECRET, client_of
from tests.support.browser_session import PAGE
from tests.support.refusals import assert_refused
from tests.support.secrets import save_secret

pytestmark = pytest.mark.django_db

AWKWARD = "a:b%/+é &=?"


def set_secret(secret: str, method: str = "client_secret_post") -> None:
    row = Provider.objects.get()
    row.client_secret, row.token_endpoint_auth_method = secret, method
    row.save()


@pytest.mark.case("TR13")
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
@pytest.mark.parametrize("secret", ["plain", AWKWARD, "x" * 4_000])
def test_secret_reaches_the_provider_unchanged(simulator, provider, person, method, secret):
    simulator.register(client_of(client_secret=secret, token_endpoint_auth_method=method))
    set_secret(secret, method)
    person.sign_in()
    assert person.is_signed_in


@pytest.mark.case("TR13")
def test_basic_authentication_is_form_encoded_and_only_in_the_header(simulator, provider, person):
    simulator.register(client_of(client_secret=AWKWARD, token_endpoint_auth_method="client_secret_basic"))
    set_secret(AWKWARD, "client_secret_basic")
    person.sign_in()
    sent = next(request for request in simulator.requests if request.endpoint == "token")
    encoded = sent.headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(encoded) == b"the-client:a%3Ab%25%2F%2B%C3%A9+%26%3D%3F"
    assert sent.form.keys() == {"grant_type", "code", "redirect_uri", "code_verifier"}
    assert not sent.query


@pytest.mark.case("TR13")
def test_posted_secret_is_only_in_the_body(simulator, provider, person):
    person.sign_in()
    sent = next(request for request in simulator.requests if request.endpoint == "token")
    assert sent.form["client_secret"] == "the-client-secret-e7c1"
    assert "authorization" not in sent.headers
    assert not sent.query


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
@pytest.mark.parametrize("secret", ["wrong", "the-client-secret-e7c1 ", "THE-CLIENT-SECRET-E7C1"])
def test_wrong_secret_is_refused_with_its_code(simulator, provider, person, method, secret):
    simulator.register(client_of(token_endpoint_auth_method=method))
    set_secret(secret, method)
    response = person.sign_in(PAGE)
    assert_refused(person, response, "token_unauthorized_client", simulator=simulator, calls=("token",), next_page=PAGE)
    assert secret not in response.content.decode()


def test_wrong_method_is_refused_with_its_code(simulator, provider, person):
    set_secret("the-client-secret-e7c1", "client_secret_basic")
    response = person.sign_in(PAGE)
    assert_refused(person, response, "token_unauthorized_client", simulator=simulator, calls=("token",), next_page=PAGE)


def test_secret_is_read_from_the_environment(provider, person, monkeypatch, settings):
    settings.PSC_CONNECT_SECRET_ISSUERS = {"env:PSC_CONNECT_SECRET_PSC": provider.issuer}
    monkeypatch.setenv("PSC_CONNECT_SECRET_PSC", "the-client-secret-e7c1")
    set_secret("env:PSC_CONNECT_SECRET_PSC")
    person.sign_in()
    assert person.is_signed_in


def test_secret_is_read_from_a_file_without_its_line_end(provider, person, settings, tmp_path):
    settings.PSC_CONNECT_SECRET_DIR = tmp_path
    settings.PSC_CONNECT_SECRET_ISSUERS = {"file:psc": provider.issuer}
    (tmp_path / "psc").write_text("the-client-secret-e7c1\n")
    set_secret("file:psc")
    person.sign_in()
    assert person.is_signed_in


@pytest.mark.parametrize("issuers", [{}, {"env:PSC_CONNECT_SECRET_PSC": "https://another.example"}])
def test_named_secret_is_not_sent_to_another_issuer(simulator, provider, person, monkeypatch, settings, issuers):
    settings.PSC_CONNECT_SECRET_ISSUERS = issuers
    monkeypatch.setenv("PSC_CONNECT_SECRET_PSC", "the-client-secret-e7c1")
    url = person.authorize(person.begin(PAGE))
    set_secret("env:PSC_CONNECT_SECRET_PSC")
    response = person.come_back(url)
    assert_refused(person, response, "secret_reference_not_for_issuer", simulator=simulator, next_page=PAGE)


@pytest.mark.parametrize("environment", ["production", "sandbox"])
def test_named_secret_needs_no_setting_for_the_issuers_of_ans(monkeypatch, environment):
    monkeypatch.setenv("PSC_CONNECT_SECRET_PSC", "the-client-secret-e7c1")
    provider = Provider(metadata=load_metadata(environment), client_secret="env:PSC_CONNECT_SECRET_PSC")
    assert provider.secret_for_its_issuer() == "the-client-secret-e7c1"


@pytest.fixture
def secrets_folder(settings, tmp_path, monkeypatch) -> None:
    folder = tmp_path / "secrets"
    (folder / "folder").mkdir(parents=True)
    (folder / "empty").write_text(" \n")
    (folder / "latin").write_bytes(b"\xe9")
    (tmp_path / "outside").write_text("the-client-secret-e7c1")
    (folder / "link").symlink_to(tmp_path / "outside")
    settings.PSC_CONNECT_SECRET_DIR = folder
    monkeypatch.setenv("PSC_CONNECT_SECRET_EMPTY", "")
    monkeypatch.setenv("OTHER", "the-client-secret-e7c1")


@pytest.mark.usefixtures("provider", "secrets_folder")
@pytest.mark.parametrize(
    ("stored", "code"),
    [
        ("", "secret_missing"),
        ("env:PSC_CONNECT_SECRET_ABSENT", "secret_environment_missing"),
        ("env:PSC_CONNECT_SECRET_EMPTY", "secret_environment_missing"),
        ("env:OTHER", "secret_reference_invalid"),
        ("env:SECRET_KEY", "secret_reference_invalid"),
        ("file:absent", "secret_file_missing"),
        ("file:empty", "secret_file_missing"),
        ("file:latin", "secret_file_missing"),
        ("file:folder", "secret_file_missing"),
        ("file:link", "secret_reference_invalid"),
        ("file:../outside", "secret_reference_invalid"),
        ("file:/etc/hostname", "secret_reference_invalid"),
        ("file:..", "secret_reference_invalid"),
    ],
)
def test_unavailable_secret_refuses_before_any_request(simulator, person, stored, code):
    url = person.authorize(person.begin(PAGE))
    set_secret(stored)
    response = person.come_back(url)
    assert_refused(person, response, code, simulator=simulator, next_page=PAGE)
    assert response.status_code == 503


@pytest.mark.parametrize("stored", ["", "env:PSC_CONNECT_SECRET_ABSENT"])
def test_without_a_secret_the_browser_is_not_sent_to_the_provider(
    simulator, provider, person, stored, django_assert_max_num_queries
):
    set_secret(stored)
    with django_assert_max_num_queries(2):
        response = person.browser.get("/psc/psc/login/", {"next": PAGE})
    code = "secret_environment_missing" if stored else "secret_missing"
    assert_refused(person, response, code, simulator=simulator, next_page=PAGE)
    assert not [request for request in simulator.requests if request.endpoint == "authorization"]


def test_file_secret_is_refused_without_a_secret_dir(simulator, provider, person):
    set_secret("file:psc")
    response = person.browser.get("/psc/psc/login/", {"next": PAGE})
    assert_refused(person, response, "secret_reference_invalid", simulator=simulator, next_page=PAGE)


@pytest.mark.parametrize("stored", ["gAAAAA-no-token", "é", "the-client-secret-e7c1"])
def test_undecryptable_secret_refuses_before_any_request(simulator, provider, person, stored):
    url = person.authorize(person.begin(PAGE))
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Provider._meta.db_table} SET client_secret = %s", [stored])
    response = person.come_back(url)
    assert_refused(person, response, "secret_undecryptable", simulator=simulator, next_page=PAGE)


def test_secret_of_another_encryption_key_refuses_before_any_request(simulator, provider, person, settings):
    settings.SECRET_KEY = "a-new-key-that-did-not-encrypt-the-secret"
    response = person.browser.get("/psc/psc/login/", {"next": PAGE})
    assert_refused(person, response, "secret_undecryptable", simulator=simulator, next_page=PAGE)


def test_pending_login_survives_a_change_of_the_encryption_key(provider, person, settings):
    url = person.authorize(person.begin(PAGE))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the-next-one-" + "y" * 40
    assert person.come_back(url)["Location"] == PAGE


def test_unusable_metadata_refuse_before_any_request(simulator, provider, person):
    url = person.authorize(person.begin(PAGE))
    Provider.objects.update(metadata=simulator.metadata | {"token_endpoint": "http://evil.example/token"})
    response = person.come_back(url)
    assert_refused(person, response, "metadata_not_https", simulator=simulator, next_page=PAGE)


@pytest.mark.case("TR10")
@pytest.mark.parametrize("endpoint", ["token_endpoint", "userinfo_endpoint", "jwks_uri", "authorization_endpoint"])
def test_an_endpoint_on_a_foreign_host_refuses_at_the_start(simulator, provider, person, endpoint):
    Provider.objects.update(metadata=simulator.metadata | {endpoint: "https://evil.example/x"})
    save_secret(CLIENT_SECRET)
    response = person.browser.get("/psc/psc/login/", {"next": PAGE})
    assert_refused(person, response, "metadata_foreign_host", simulator=simulator, next_page=PAGE)
