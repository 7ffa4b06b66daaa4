"""Validation of metadata: the three shipped ones are valid; each problem names its field and code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import psc_connect.environments
from psc_connect.oidc.error_codes import CODES
from psc_connect.oidc.errors import MetadataError, MetadataProblem
from psc_connect.oidc.metadata import ProviderMetadata, parse_metadata

from .tokens import ABSENT, jwk, rsa_key

ISSUER = "https://auth.esw.example.test/auth/realms/esante-wallet"
OPENID = ISSUER + "/protocol/openid-connect"
LOCAL = "http://127.0.0.1:8081/auth"


def valid_metadata(**changes: Any) -> dict[str, Any]:
    good = {
        "issuer": ISSUER,
        "authorization_endpoint": "https://wallet.esw.example.test/auth",
        "token_endpoint": f"{OPENID}/token",
        "userinfo_endpoint": f"{OPENID}/userinfo",
        "jwks_uri": f"{OPENID}/certs",
        "end_session_endpoint": f"{OPENID}/logout",
        "authorization_response_iss_parameter_supported": True,
        "acr_values_supported": ["0", "0"],
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not ABSENT}


def local(base: str = LOCAL, **changes: Any) -> dict[str, Any]:
    names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint")
    return valid_metadata(issuer=base, **{name: f"{base}/{name}" for name in names}) | changes


def parsed(value: object, **options: Any) -> ProviderMetadata:
    """Parse metadata of an issuer that owns its parent domain, like PSC."""
    return parse_metadata(value, **{"sibling_hosts": True, **options})


def problems(value: object, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(MetadataError) as refused:
        parsed(value, **options)
    return [(problem.field, problem.code.removeprefix("metadata_")) for problem in refused.value.problems]


SHIPPED = sorted(Path(psc_connect.environments.__file__).parent.glob("*.json"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_metadata_is_valid(path: Path) -> None:
    read = parsed(json.loads(path.read_text()))
    assert read.authorization_endpoint.startswith("https://wallet.")
    assert read.jwks_uri.startswith(read.issuer)


def test_metadata_of_three_environments_is_shipped() -> None:
    assert len(SHIPPED) == 3


def test_metadata_is_read_field_by_field() -> None:
    assert parsed(valid_metadata()) == ProviderMetadata(
        issuer=ISSUER,
        authorization_endpoint="https://wallet.esw.example.test/auth",
        token_endpoint=f"{OPENID}/token",
        userinfo_endpoint=f"{OPENID}/userinfo",
        jwks_uri=f"{OPENID}/certs",
        end_session_endpoint=f"{OPENID}/logout",
        authorization_response_iss_parameter_supported=True,
    )


@pytest.mark.parametrize(
    "field", ["jwks_uri", "end_session_endpoint", "authorization_response_iss_parameter_supported"]
)
def test_optional_field_may_be_absent(field: str) -> None:
    assert not getattr(parsed(valid_metadata(**{field: ABSENT})), field)


@pytest.mark.parametrize("field", ["jwks_uri", "end_session_endpoint"])
@pytest.mark.parametrize("value", [None, ""])
def test_optional_field_may_be_empty(field: str, value: Any) -> None:
    assert getattr(parsed(valid_metadata(**{field: value})), field) == ""


@pytest.mark.parametrize("field", ["issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint"])
@pytest.mark.parametrize("value", [ABSENT, None, ""], ids=["absent", "null", "empty"])
def test_missing_required_field_is_a_problem(field: str, value: Any) -> None:
    assert problems(valid_metadata(**{field: value})) == [(field, "missing")]


def test_all_problems_are_reported_together() -> None:
    assert problems({"jwks_uri": "http://x.test", "userinfo_endpoint": 5}) == [
        ("issuer", "missing"),
        ("authorization_endpoint", "missing"),
        ("token_endpoint", "missing"),
        ("userinfo_endpoint", "not_text"),
        ("jwks_uri", "not_https"),
    ]


def test_lemonldap_s_misspelt_name_is_explained() -> None:
    spoilt = valid_metadata(end_session_endpoint=ABSENT, endsession_endpoint=f"{OPENID}/logout")
    assert problems(spoilt) == [("endsession_endpoint", "endsession_misnomer")]


@pytest.mark.parametrize("value", ["true", 1, None, []])
def test_iss_parameter_supported_must_be_a_boolean(value: Any) -> None:
    field = "authorization_response_iss_parameter_supported"
    assert problems(valid_metadata(**{field: value})) == [(field, "not_a_boolean")]


URLS: list[Any] = [
    ("token_endpoint", "http://auth.esw.example.test/token", ["not_https", "foreign_host"]),
    ("jwks_uri", "http://auth.esw.example.test/keys", ["not_https", "foreign_host"]),
    ("jwks_uri", "file:///etc/passwd", ["url_malformed"]),
    ("jwks_uri", "file://auth.esw.example.test/etc/passwd", ["not_https", "foreign_host"]),
    ("token_endpoint", "ftp://auth.esw.example.test/", ["not_https", "foreign_host"]),
    ("token_endpoint", "javascript:alert(1)", ["url_malformed"]),
    ("token_endpoint", "/relative", ["url_malformed"]),
    ("token_endpoint", "//auth.esw.example.test/token", ["url_malformed"]),
    ("token_endpoint", f"{OPENID}/to ken", ["url_malformed"]),
    ("token_endpoint", f"{OPENID}/token\n", ["url_malformed"]),
    ("token_endpoint", "https:\\\\auth.esw.example.test", ["url_malformed"]),
    ("token_endpoint", "https://[::1", ["url_malformed"]),
    ("token_endpoint", "https://auth.esw.example.test:abc/", ["url_malformed"]),
    ("token_endpoint", "https://auth.esw.example.test:99999/", ["url_malformed"]),
    ("token_endpoint", "https://", ["url_malformed"]),
    ("token_endpoint", "https://" + "a" * 64 + "é.test", ["url_malformed"]),
    ("token_endpoint", "https://me:pw@auth.esw.example.test/token", ["url_credentials"]),
    ("token_endpoint", "https://auth.esw.example.test@evil.test/", ["url_credentials", "foreign_host"]),
    ("token_endpoint", f"{OPENID}/token#x", ["url_fragment"]),
    ("token_endpoint", f"{OPENID}/token#", ["url_fragment"]),
    ("token_endpoint", "https://evil.test/token", ["foreign_host"]),
    ("token_endpoint", "https://auth.esw.example.test.evil.test/token", ["foreign_host"]),
    ("token_endpoint", "https://evil-auth.esw.example.test/token", ["foreign_host"]),
    ("token_endpoint", "https://auth.esw.example.test:8443/token", ["foreign_host"]),
    ("token_endpoint", "https://wallet.esw.example.test/token", ["foreign_host"]),
    ("userinfo_endpoint", "https://wallet.esw.example.test/userinfo", ["foreign_host"]),
    ("jwks_uri", "https://wallet.esw.example.test/keys", ["foreign_host"]),
    ("token_endpoint", "https://127.0.0.1/", ["foreign_host"]),
    ("token_endpoint", "https://169.254.169.254/latest", ["foreign_host"]),
    ("token_endpoint", "https://2130706433/", ["foreign_host"]),
    ("token_endpoint", "https://0x7f.1/", ["foreign_host"]),
    ("token_endpoint", "https://[::ffff:127.0.0.1]/", ["foreign_host"]),
    ("authorization_endpoint", "https://evil.test/auth", ["foreign_host"]),
    ("authorization_endpoint", "https://wallet.other.example.test/auth", ["foreign_host"]),
    ("authorization_endpoint", "https://deep.wallet.esw.example.test/auth", ["foreign_host"]),
    ("authorization_endpoint", "https://esw.example.test/auth", ["foreign_host"]),
    ("authorization_endpoint", "http://wallet.esw.example.test/auth", ["not_https", "foreign_host"]),
    ("authorization_endpoint", "https://wallet.esw.example.test:444/auth", ["foreign_host"]),
    ("end_session_endpoint", "https://evil.test/logout", ["foreign_host"]),
]


@pytest.mark.case("TR10", "SS01", "SS03", "JO19")
@pytest.mark.parametrize(("field", "url", "codes"), URLS)
def test_url_on_another_host_is_refused(field: str, url: str, codes: list[str]) -> None:
    assert problems(valid_metadata(**{field: url})) == [(field, code) for code in codes]


@pytest.mark.parametrize(
    ("field", "url"),
    [
        ("token_endpoint", "https://AUTH.esw.Example.test/token"),
        ("token_endpoint", "https://auth.esw.example.test:443/token"),
        ("authorization_endpoint", "https://auth.esw.example.test/auth"),
        ("authorization_endpoint", "https://wallet.esw.example.test/auth?kc_idp_hint=x"),
        ("end_session_endpoint", "https://wallet.esw.example.test/logout"),
    ],
)
def test_url_on_the_issuers_host_is_accepted(field: str, url: str) -> None:
    assert getattr(parsed(valid_metadata(**{field: url})), field) == url


@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        (ISSUER + "?a=b", "issuer_query"),
        (ISSUER + "?", "issuer_query"),
        (ISSUER + "#x", "url_fragment"),
        (ISSUER.replace("https://", "https://me@"), "url_credentials"),
        (ISSUER.replace("https", "http"), "not_https"),
    ],
)
def test_issuer_is_a_plain_https_url(issuer: str, code: str) -> None:
    assert ("issuer", code) in problems(valid_metadata(issuer=issuer))


@pytest.mark.case("SS03")
@pytest.mark.parametrize(
    "host", ["169.254.169.254", "10.0.0.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "[fd00::1]"]
)
def test_issuer_named_by_an_ip_address_is_refused(host: str) -> None:
    assert problems(local(f"https://{host}/auth")) == [("issuer", "host_is_an_address")]


@pytest.mark.case("SS03")
@pytest.mark.case("TR10", "SS01")
def test_sibling_hosts_are_refused_for_other_issuers() -> None:
    """Two associations under asso.fr are unrelated: one must not receive the other's users."""
    spoilt = local("https://hospital.asso.fr", authorization_endpoint="https://evil.asso.fr/auth")
    assert problems(spoilt, sibling_hosts=False) == [("authorization_endpoint", "foreign_host")]
    assert parsed(spoilt, sibling_hosts=False, extra_hosts=["evil.asso.fr"])


def test_ip_addresses_have_no_siblings() -> None:
    spoilt = local("https://127.0.0.1", authorization_endpoint="https://10.0.0.1/auth")
    assert problems(spoilt) == [("authorization_endpoint", "foreign_host")]


def test_host_with_two_labels_has_no_siblings() -> None:
    spoilt = local("https://example.test", authorization_endpoint="https://evil.test/auth")
    assert problems(spoilt) == [("authorization_endpoint", "foreign_host")]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "[::1]", "LOCALHOST"])
def test_plain_http_is_accepted_for_this_machine_only_if_allowed(host: str) -> None:
    base = f"http://{host}:8081/auth"
    assert parsed(local(base), allow_loopback_http=True).issuer == base
    assert ("issuer", "loopback_http_refused") in problems(local(base))


@pytest.mark.parametrize("host", ["10.0.0.1", "127.0.0.1.evil.test", "localhost.evil.test", "2130706433", "0177.0.0.1"])
def test_plain_http_to_another_host_is_always_refused(host: str) -> None:
    assert ("issuer", "not_https") in problems(local(f"http://{host}/auth"), allow_loopback_http=True)


@pytest.mark.case("TR10")
def test_another_port_is_another_origin() -> None:
    spoilt = local(token_endpoint="http://127.0.0.1:9/token")
    assert problems(spoilt, allow_loopback_http=True) == [("token_endpoint", "foreign_host")]


@pytest.mark.parametrize("extra", ["tokens.example.test", "TOKENS.example.test"])
def test_extra_host_is_accepted_for_every_endpoint(extra: str) -> None:
    elsewhere = valid_metadata(token_endpoint="https://tokens.example.test/token")
    assert parsed(elsewhere, extra_hosts=[extra]).token_endpoint == "https://tokens.example.test/token"


def test_extra_host_must_use_https() -> None:
    elsewhere = valid_metadata(token_endpoint="http://tokens.example.test/token")
    assert problems(elsewhere, extra_hosts=["tokens.example.test"]) == [("token_endpoint", "not_https")]


@pytest.mark.case("TR10")
@pytest.mark.parametrize("host", ["auth.straße.test", "auth.ｓtrasse.test", "auth。strasse.test", "auth.ſtrasse.test"])
def test_non_ascii_host_is_refused(host: str) -> None:
    elsewhere = local("https://auth.strasse.test", token_endpoint=f"https://{host}/token")
    assert problems(elsewhere) == [("token_endpoint", "url_malformed")]


def test_host_in_xn_form_is_accepted() -> None:
    assert parsed(local("https://auth.xn--sant-epa.test"))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"keys": [jwk(rsa_key())]}, "looks_like_jwks"),
        ("<!doctype html><title>x</title>", "looks_like_html"),
        (b"\n <html>", "looks_like_html"),
        ("-----BEGIN CERTIFICATE-----", "looks_like_certificate"),
        ("https://auth.example.test/.well-known/openid-configuration", "looks_like_url"),
        ("text", "not_json"),
        ([valid_metadata()], "not_an_object"),
        (None, "not_an_object"),
        (5, "not_an_object"),
    ],
)
def test_other_content_is_recognised(value: object, code: str) -> None:
    assert problems(value) == [("", code)]


def test_metadata_error_has_the_code_of_the_first_problem() -> None:
    problem = MetadataProblem("jwks_uri", "metadata_not_https")
    assert MetadataError((problem,)).code == "metadata_not_https"
    assert problem.code in CODES
