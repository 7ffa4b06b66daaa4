"""The authorization URL, the parameters of the response, and the logout URL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from psc_connect.oidc.authorization import (
    AuthorizationResponse,
    check_issuer,
    parse_authorization_response,
    with_query,
)
from psc_connect.oidc.error_codes import AUTHORIZATION_ERRORS, CODES
from psc_connect.oidc.errors import AuthorizationResponseError
from psc_connect.oidc.logout import end_session_url
from psc_connect.oidc.metadata import parse_metadata

from .test_metadata import ISSUER, valid_metadata

STATE = "s" * 43
METADATA = parse_metadata(valid_metadata(), sibling_hosts=True)


def response(**changes: Any) -> AuthorizationResponse:
    parameters = {"state": [STATE], "code": ["a.b-c"], "iss": [ISSUER], "session_state": ["x"], **changes}
    return parse_authorization_response({name: values for name, values in parameters.items() if values is not None})


def refused(**changes: Any) -> str:
    with pytest.raises(AuthorizationResponseError) as raised:
        response(**changes)
    return raised.value.code.removeprefix("authorization_")


def test_answer_is_read() -> None:
    assert response() == AuthorizationResponse(state=STATE, code="a.b-c", error="", issuer=ISSUER)


def test_answer_without_iss_is_read() -> None:
    assert response(iss=None).issuer == ""


@pytest.mark.case("AZ01")
@pytest.mark.parametrize("state", [None, [], [""]])
def test_answer_without_state_is_refused(state: Any) -> None:
    assert refused(state=state) == "state_missing"


@pytest.mark.case("AZ02", "AZ15")
@pytest.mark.parametrize(
    "state", ["evil", "s" * 42, "s" * 44, "s" * 42 + "=", "s" * 42 + "\n", "é" * 43, "s" * 100_000]
)
def test_state_of_another_format_is_refused(state: str) -> None:
    assert refused(state=[state]) == "state_unknown"


@pytest.mark.case("AZ11")
@pytest.mark.parametrize("name", ["state", "code", "iss", "error"])
def test_parameter_given_twice_is_refused(name: str) -> None:
    good = {"state": STATE, "code": "c", "iss": ISSUER, "error": "access_denied"}[name]
    assert refused(**{name: [good, good]}) == "duplicate_parameter"
    assert refused(**{name: ["evil", good]}) == "duplicate_parameter"


@pytest.mark.case("AZ12")
def test_error_without_state_is_refused() -> None:
    assert refused(state=None, code=None, error=["access_denied"]) == "state_missing"


@pytest.mark.case("AZ13")
def test_error_and_code_together_are_an_error() -> None:
    both = response(error=["access_denied"])
    assert (both.error, both.code) == ("access_denied", "")


@pytest.mark.case("AZ14")
@pytest.mark.parametrize("error", ["<b>x</b>", "\u202eevil", "x" * 10_000, "ACCESS_DENIED", "invalid_request "])
def test_unknown_error_is_replaced_by_unrecognised(error: str) -> None:
    assert response(code=None, error=[error], error_description=[error]).error == "unrecognised"


@pytest.mark.parametrize("error", sorted(AUTHORIZATION_ERRORS))
def test_every_standard_error_has_a_code(error: str) -> None:
    assert response(code=None, error=[error]).error == error
    assert f"authorization_{error}" in CODES


@pytest.mark.case("AZ15")
@pytest.mark.parametrize("code", ["c" * 4097, "c" * 100_000, "a\nb", "é", "a\x00", "a\x7f"])
def test_malformed_code_is_refused(code: str) -> None:
    assert refused(code=[code]) == "code_malformed"


def test_code_of_4096_characters_is_accepted() -> None:
    assert len(response(code=["c" * 4096]).code) == 4096


@pytest.mark.parametrize("code", [None, [], [""]])
def test_answer_without_code_and_error_is_refused(code: Any) -> None:
    assert refused(code=code) == "code_missing"


@pytest.mark.case("AZ15")
def test_issuer_that_is_too_long_is_a_mismatch() -> None:
    assert refused(iss=["x" * 2049]) == "issuer_mismatch"


@pytest.mark.case("LG01")
def test_repr_of_an_answer_shows_neither_code_nor_state() -> None:
    assert "a.b-c" not in repr(response())
    assert STATE not in repr(response())


@pytest.mark.case("AZ08")
@pytest.mark.parametrize("issuer", ["https://evil.test", ISSUER + "/", ISSUER.upper(), ISSUER + " "])
@pytest.mark.parametrize("require", [True, False])
def test_answer_of_another_provider_is_refused(issuer: str, require: bool) -> None:
    with pytest.raises(AuthorizationResponseError) as raised:
        check_issuer(response(iss=[issuer]), metadata=METADATA, require=require)
    assert raised.value.code == "authorization_issuer_mismatch"


@pytest.mark.case("AZ09")
def test_missing_issuer_is_refused_where_the_provider_announces_it() -> None:
    with pytest.raises(AuthorizationResponseError) as raised:
        check_issuer(response(iss=None), metadata=METADATA, require=True)
    assert raised.value.code == "authorization_issuer_missing"


@pytest.mark.case("AZ09")
@pytest.mark.parametrize(("announced", "require"), [(True, False), (False, True), (False, False)])
def test_missing_issuer_passes_where_it_is_not_announced_or_not_required(announced: bool, require: bool) -> None:
    metadata = replace(METADATA, authorization_response_iss_parameter_supported=announced)
    check_issuer(response(iss=None), metadata=metadata, require=require)


def test_right_issuer_passes() -> None:
    check_issuer(response(), metadata=METADATA, require=True)


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)


def test_parameters_are_encoded_into_the_authorization_url() -> None:
    url = with_query(
        METADATA.authorization_endpoint, {"scope": "openid scope_all", "redirect_uri": "https://a.test/?b=c&d"}
    )
    assert url.startswith("https://wallet.esw.example.test/auth?")
    assert query(url) == {"scope": ["openid scope_all"], "redirect_uri": ["https://a.test/?b=c&d"]}


@pytest.mark.case("AZ19")
def test_query_of_the_endpoint_is_kept_without_duplicate_parameters() -> None:
    endpoint = "https://w.test/auth?hint=x&empty=&scope=evil"
    assert query(with_query(endpoint, {"scope": "openid"})) == {
        "hint": ["x"],
        "empty": [""],
        "scope": ["openid"],
    }


@pytest.mark.case("LO02")
def test_logout_url_has_client_id_redirect_uri_state_and_hint() -> None:
    url = end_session_url(
        METADATA, client_id="c", post_logout_redirect_uri="https://a.test/out/", state="s", id_token_hint="a.b.c"
    )
    assert url.startswith(METADATA.end_session_endpoint + "?")
    assert query(url) == {
        "client_id": ["c"],
        "post_logout_redirect_uri": ["https://a.test/out/"],
        "state": ["s"],
        "id_token_hint": ["a.b.c"],
    }


def test_logout_url_without_a_hint_has_no_hint_parameter() -> None:
    url = end_session_url(METADATA, client_id="c", post_logout_redirect_uri="https://a.test/out/", state="s")
    assert "id_token_hint" not in url


def test_provider_without_end_session_endpoint_has_no_logout_url() -> None:
    metadata = replace(METADATA, end_session_endpoint="")
    assert end_session_url(metadata, client_id="c", post_logout_redirect_uri="https://a.test/", state="s") == ""
