"""Behaviour of Keycloak itself, without our code, which the other tests rely on."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote_plus

import jwt
import pytest
import requests

from tests.interop.bare_client import BareClient, callback_parameters, secret_of
from tests.interop.browser import Browser
from tests.interop.keycloak import PASSWORD, Keycloak, people

pytestmark = pytest.mark.interop

PERSON = "doctor-card-two-activities-2023"


@pytest.mark.parametrize("person", people())
def test_userinfo_equals_the_shared_payload(keycloak: Keycloak, person: str) -> None:
    client = BareClient(keycloak)
    answer = client.userinfo(client.tokens(person)["access_token"])
    assert answer.json() == people()[person]


def test_tokens_live_two_minutes(keycloak: Keycloak) -> None:
    # Keycloak counts whole seconds since the token was issued.
    assert BareClient(keycloak).tokens(PERSON)["expires_in"] in {119, 120}


@pytest.mark.parametrize(("slug", "algorithm"), [("post", "RS256"), ("ps256", "PS256"), ("es256", "ES256")])
def test_id_token_is_signed_with_the_algorithm_of_the_client(keycloak: Keycloak, slug: str, algorithm: str) -> None:
    header = jwt.get_unverified_header(BareClient(keycloak, slug).tokens(PERSON)["id_token"])
    assert header["alg"] == algorithm


def test_id_token_has_the_claims_of_pro_sante_connect(keycloak: Keycloak) -> None:
    client = BareClient(keycloak)
    claims = jwt.decode(client.tokens(PERSON)["id_token"], options={"verify_signature": False})
    expected = {
        "iss": keycloak.issuer,
        "aud": "psc-post",
        "azp": "psc-post",
        "typ": "ID",
        "acr": "eidas1",
        "nonce": client.nonce,
        "sub": people()[PERSON]["sub"],
        "SubjectNameID": people()[PERSON]["SubjectNameID"],
        "authMode": "CARD",
        "session_state": claims["sid"],
    }
    assert expected.items() <= claims.items()
    assert claims["at_hash"]


def test_callback_names_the_issuer_and_the_session(keycloak: Keycloak) -> None:
    client = BareClient(keycloak)
    with Browser(stop_before=client.redirect_uri) as browser:
        answer = browser.sign_in(browser.open(client.authorization_url()), PERSON)
    parameters = callback_parameters(answer)
    assert parameters.keys() == {"code", "iss", "session_state", "state"}
    assert parameters["iss"] == keycloak.issuer


def test_code_used_twice_revokes_the_first_tokens(keycloak: Keycloak) -> None:
    client = BareClient(keycloak)
    code = client.code(PERSON)
    access_token = client.exchange(code).json()["access_token"]
    assert client.userinfo(access_token).status_code == 200

    second = client.exchange(code)

    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")
    assert client.userinfo(access_token).status_code == 401


def test_wrong_secret_is_401_unauthorized_client(keycloak: Keycloak) -> None:
    client = BareClient(keycloak)
    answer = client.exchange(client.code(PERSON), client_secret="another secret")
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")
    assert "WWW-Authenticate" not in answer.headers


def test_unknown_client_is_401_invalid_client(keycloak: Keycloak) -> None:
    answer = BareClient(keycloak).exchange("a code", client_id="psc-unknown")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_secret_of_the_basic_client_is_refused_in_the_form(keycloak: Keycloak) -> None:
    client = BareClient(keycloak, "basic")
    answer = client.exchange(client.code(PERSON))
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")


def basic_exchange(client: BareClient, credentials: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "code": client.code(PERSON),
        "redirect_uri": client.redirect_uri,
        "code_verifier": client.verifier,
    }
    header = {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}
    return requests.post(client.keycloak.endpoint("token"), data=form, headers=header, timeout=30)


def test_basic_secret_is_taken_in_the_encoding_of_rfc_6749(keycloak: Keycloak) -> None:
    client = BareClient(keycloak, "basic")
    answer = basic_exchange(client, f"psc-basic:{quote_plus(secret_of('basic'))}")
    assert answer.status_code == 200


def test_basic_secret_is_refused_without_that_encoding(keycloak: Keycloak) -> None:
    client = BareClient(keycloak, "basic")
    answer = basic_exchange(client, f"psc-basic:{secret_of('basic')}")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_unknown_redirect_uri_is_a_page_and_no_redirect(keycloak: Keycloak, browser: Browser) -> None:
    answer = browser.open(BareClient(keycloak).authorization_url(redirect_uri="http://127.0.0.1/elsewhere/"))
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert not answer.history


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "openid unheard_of"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
    ids=["without PKCE", "plain PKCE", "unknown scope", "silent without a session"],
)
def test_authorization_request_is_refused(keycloak: Keycloak, change: dict[str, str | None], error: str) -> None:
    client = BareClient(keycloak)
    with Browser(stop_before=client.redirect_uri) as browser:
        answer = browser.open(client.authorization_url(**change))
    assert callback_parameters(answer)["error"] == error


def test_wrong_pkce_verifier_is_refused(keycloak: Keycloak) -> None:
    client = BareClient(keycloak)
    answer = client.exchange(client.code(PERSON), code_verifier="v" * 43)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("acr_values", ["eidas1", "eidas2", "eidas3"])
def test_second_login_is_silent_whatever_the_acr_asked(keycloak: Keycloak, acr_values: str) -> None:
    client = BareClient(keycloak)
    with Browser(stop_before=client.redirect_uri) as browser:
        browser.sign_in(browser.open(client.authorization_url()), PERSON)
        second = browser.open(client.authorization_url(acr_values=acr_values))
    assert callback_parameters(second)["code"]


def test_cancelled_consent_is_access_denied(keycloak: Keycloak) -> None:
    client = BareClient(keycloak, "consent")
    with Browser(stop_before=client.redirect_uri) as browser:
        consent = browser.sign_in(browser.open(client.authorization_url()), PERSON)
        answer = browser.submit(consent, cancel="No")
    assert callback_parameters(answer)["error"] == "access_denied"


def test_wrong_password_asks_again(keycloak: Keycloak) -> None:
    client = BareClient(keycloak)
    with Browser(stop_before=client.redirect_uri) as browser:
        page = browser.open(client.authorization_url())
        again = browser.submit(page, username=PERSON, password=f"not {PASSWORD}")
    assert not again.is_redirect
    assert 'name="password"' in again.text


def test_rotated_key_signs_at_once_and_the_old_one_stays_published(keycloak: Keycloak) -> None:
    def kid() -> str:
        header: dict[str, str] = jwt.get_unverified_header(BareClient(keycloak).tokens(PERSON)["id_token"])
        return header["kid"]

    before = kid()
    with keycloak.rotated_key() as rotated:
        published = {key["kid"] for key in keycloak.jwks()["keys"]}
        assert kid() == rotated
        assert {before, rotated} <= published
    assert kid() == before


def test_logout_with_the_id_token_ends_the_session_and_its_tokens(keycloak: Keycloak) -> None:
    client = BareClient(keycloak)
    back = client.redirect_uri.replace("/callback/", "/logged-out/")
    with Browser(stop_before="http://127.0.0.1:9/") as browser:
        code = callback_parameters(browser.sign_in(browser.open(client.authorization_url()), PERSON))["code"]
        tokens = client.exchange(code).json()
        query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": back, "state": "a state"}
        logout = requests.Request("GET", keycloak.endpoint("logout"), params=query).prepare()
        answer = browser.open(str(logout.url))
        assert answer.headers["Location"] == f"{back}?state=a+state"
        silent = browser.open(client.authorization_url(prompt="none"))
    assert callback_parameters(silent)["error"] == "login_required"
    assert client.userinfo(tokens["access_token"]).status_code == 401


def logout_url(keycloak: Keycloak, client: BareClient, id_token: str) -> str:
    query = {
        "client_id": f"psc-{client.slug}",
        "id_token_hint": id_token,
        "post_logout_redirect_uri": client.redirect_uri.replace("/callback/", "/logged-out/"),
    }
    return str(requests.Request("GET", keycloak.endpoint("logout"), params=query).prepare().url)


def assert_session_is_open(browser: Browser, client: BareClient) -> None:
    assert callback_parameters(browser.open(client.authorization_url(prompt="none")))["code"]


def test_logout_with_the_id_token_of_another_client_is_refused(keycloak: Keycloak) -> None:
    client = BareClient(keycloak)
    with Browser(stop_before="http://127.0.0.1:9/") as browser:
        code = callback_parameters(browser.sign_in(browser.open(client.authorization_url()), PERSON))["code"]
        id_token = client.exchange(code).json()["id_token"]
        answer = browser.open(logout_url(keycloak, BareClient(keycloak, "ps256"), id_token))
        assert answer.status_code == 400
        assert "id_token_hint" in answer.text
        assert_session_is_open(browser, client)


def test_logout_with_an_id_token_whose_key_is_gone_is_refused(keycloak: Keycloak) -> None:
    client = BareClient(keycloak)
    with Browser(stop_before="http://127.0.0.1:9/") as browser:
        with keycloak.rotated_key():
            code = callback_parameters(browser.sign_in(browser.open(client.authorization_url()), PERSON))["code"]
            id_token = client.exchange(code).json()["id_token"]
        answer = browser.open(logout_url(keycloak, client, id_token))
        assert answer.status_code == 400
        assert "id_token_hint" in answer.text
        assert_session_is_open(browser, client)


def test_logout_without_the_id_token_asks_the_person(keycloak: Keycloak) -> None:
    client = BareClient(keycloak)
    with Browser(stop_before=client.redirect_uri) as browser:
        browser.sign_in(browser.open(client.authorization_url()), PERSON)
        page = browser.open(f"{keycloak.endpoint('logout')}?client_id=psc-post")
        silent = browser.open(client.authorization_url(prompt="none"))
    assert page.status_code == 200
    assert callback_parameters(silent)["code"]
