"""The table of faults: a good login with one thing wrong → the code with which it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

# The endpoints that the site has asked when it refuses.
AT_AUTHORIZATION: tuple[str, ...] = ()
AT_TOKEN, AT_USERINFO = ("token",), ("token", "userinfo")
# A fetch of keys that fails on the provider's side is retried once.
AT_KEYS, AT_KEYS_TWICE = ("token", "jwks"), ("token", "jwks", "jwks")


@dataclass(frozen=True)
class FaultCase:
    """One wrong answer. ``row``: values of the provider with which the fault matters."""

    fault: str
    code: str
    calls: tuple[str, ...] = AT_TOKEN
    options: dict[str, Any] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)
    cases: tuple[str, ...] = ()

    def param(self) -> Any:
        said = "-".join(str(value)[:24] for value in self.options.values())
        return pytest.param(self, id=f"{self.fault}-{said}", marks=pytest.mark.case(*self.cases))


def id_token(fault: str, code: str, *cases: str, row: dict[str, Any] | None = None, **options: Any) -> FaultCase:
    # The keys are fetched again if the key is unknown or may have changed under its name.
    calls = AT_KEYS if code in {"unknown_key", "signature_invalid"} else AT_TOKEN
    return FaultCase(fault, f"id_token_{code}", calls, options, row or {}, cases)


def userinfo(fault: str, code: str, *cases: str, signed: str = "", **options: Any) -> FaultCase:
    calls = (*AT_USERINFO, "jwks") if code == "userinfo_signature_invalid" else AT_USERINFO
    return FaultCase(fault, code, calls, options, {"userinfo_signed_response_alg": signed}, cases)


def token(fault: str, code: str, *cases: str, **options: Any) -> FaultCase:
    return FaultCase(fault, code, AT_TOKEN, options, {}, cases)


def jwks(fault: str, code: str, *cases: str, **options: Any) -> FaultCase:
    """Return a fault of the key set, which the first login fetches: the provider has no keys yet."""
    calls = AT_KEYS_TWICE if code == "provider_server_error" else AT_KEYS
    return FaultCase(fault, code, calls, options, {"jwks": {}, "jwks_updated_at": None}, cases)


def callback(fault: str, code: str, *cases: str, **options: Any) -> FaultCase:
    return FaultCase(fault, f"authorization_{code}", AT_AUTHORIZATION, options, {}, cases)


ID_TOKENS = [
    id_token("wrong_issuer", "issuer_mismatch", "ID01"),
    id_token("missing_issuer", "issuer_missing", "ID02"),
    id_token("wrong_audience", "audience_mismatch", "ID03"),
    id_token("missing_audience", "audience_missing", "ID04"),
    id_token("second_audience", "authorized_party_mismatch", "ID05"),
    id_token("id_token_claims", "authorized_party_missing", "ID05", claims={"aud": ["the-client", "x"]}, drop=("azp",)),
    id_token("other_azp", "authorized_party_mismatch", "ID06"),
    id_token("expired_id_token", "expired", "ID08"),
    id_token("missing_exp", "expiry_missing", "ID09"),
    id_token("missing_iat", "issued_at_missing", "ID10"),
    # A week between iat and exp is too long; a short lifetime that began long ago has expired.
    id_token("iat_long_ago", "lifetime", "ID11"),
    id_token("iat_long_ago", "issued_long_ago", "ID11", seconds=3600),
    id_token("iat_in_the_future", "issued_in_future", "ID12"),
    id_token("nbf_in_the_future", "not_yet_valid", "ID13"),
    id_token("wrong_nonce", "nonce_mismatch", "ID15"),
    id_token("id_token_claims", "nonce_mismatch", "ID15", claims={"nonce": ["x"]}),
    id_token("missing_nonce", "nonce_missing", "ID16"),
    id_token("missing_sub", "subject_missing", "ID18"),
    id_token("id_token_claims", "subject_missing", "ID19", claims={"sub": ""}),
    id_token("id_token_claims", "subject_malformed", "ID20", claims={"sub": "x" * 300}),
    id_token("id_token_claims", "subject_malformed", "ID21", claims={"sub": 5}),
    id_token("id_token_claims", "time_malformed", "ID22", claims={"exp": "4102444800"}),
    id_token("id_token_claims", "lifetime", "ID22", claims={"exp": 4102444800.5}),
    id_token("id_token_claims", "time_malformed", "ID22", claims={"exp": 1e300}),
    id_token("endless_id_token", "lifetime", "ID22"),
    id_token("wrong_at_hash", "at_hash_mismatch", "ID23"),
    id_token("logout_token_as_id_token", "wrong_type", "ID24"),
    id_token("access_token_as_id_token", "wrong_type", "ID24"),
    id_token("lower_acr", "acr_refused", "ID25", row={"accepted_acr_values": "eidas1"}),
    id_token("missing_acr", "acr_missing", "ID25", row={"accepted_acr_values": "eidas1"}),
    id_token("old_auth_time", "authentication_too_old", "AZ22", row={"max_age": 3600}),
    id_token("missing_auth_time", "auth_time_missing", "AZ22", row={"max_age": 3600}),
    id_token("old_auth_time", "authentication_in_future", "NW14", seconds=-90),
    id_token("id_token_claims", "authentication_in_future", "NW14", claims={"auth_time": 2**53 - 1}),
    id_token("duplicated_claim", "not_json", "ID26"),
    id_token("id_token_payload", "not_an_object", "ID27", payload=b"[]"),
    id_token("id_token_payload", "not_json", "ID27", payload=b'{"sub": "\xff"}'),
    id_token("id_token_payload", "not_json", "ID27", payload=b'{"a":' * 3_000 + b"1" + b"}" * 3_000),
]
SIGNATURES = [
    *(id_token("alg_none", "algorithm_refused", "JO01", spelling=name) for name in ("none", "None", "nOnE", "")),
    id_token("hs256_with_public_key", "algorithm_refused", "JO02"),
    id_token("hs256_with_client_secret", "algorithm_refused", "JO03"),
    id_token("embedded_key", "unknown_key", "JO04"),
    id_token("other_algorithm", "algorithm_refused", "JO05"),
    id_token("other_algorithm", "signature_invalid", "JO05", announced="RS256"),
    id_token("id_token_header", "critical_header", "JO06", header={"crit": ["x-evil"], "x-evil": 1}),
    id_token("id_token_header", "critical_header", "JO06", header={"b64": False}),
    id_token("bad_signature", "signature_invalid", "JO07"),
    id_token("flipped_signature_bit", "signature_invalid", "JO07"),
    id_token("removed_signature", "signature_invalid", "JO07"),
    id_token("tampered_payload", "signature_invalid", "JO07"),
    id_token("unknown_kid", "unknown_key", "JO09"),
    *(id_token("unknown_kid", "unknown_key", "JO10", kid=kid) for kid in ("../../x", "' OR 1=1 --", "a\n\x1b[31m", "")),
    id_token("unknown_kid", "header_malformed", "JO10", kid="k" * 20_000),
    id_token("id_token_header", "too_large", "JO16", header={"padding": "x" * 33_000}),
    id_token("id_token_header", "header_malformed", "JO10", header={"kid": 5}),
    id_token("giant_id_token", "too_large", "JO16", size=100_000),
    # The answer that holds it is too large already.
    token("giant_id_token", "provider_answer_too_large", "JO16", "TR03"),
    id_token("encrypted_id_token", "encrypted", "JO17"),
]
TOKEN_ANSWERS = [
    *(
        token("token_error", code, "TR05", error=error, status=status)
        for error, status, code in (
            ("invalid_grant", 400, "token_invalid_grant"),
            ("invalid_client", 401, "token_invalid_client"),
            ("unauthorized_client", 401, "token_unauthorized_client"),
            ("invalid_request", 400, "token_refused"),
            ("access_denied", 403, "token_forbidden"),
            ("server_error", 500, "provider_server_error"),
            ("invalid_grant", 200, "token_invalid_grant"),
            ("slow_down", 429, "provider_busy"),
        )
    ),
    *(
        token("outage", "provider_server_error", "TR05", endpoint="token", status=status)
        for status in (500, 502, 503, 504)
    ),
    token("outage", "provider_not_found", "TR05", endpoint="token", status=404),
    token("server_error", "provider_server_error", "TR05", endpoint="token"),
    token("maintenance_page", "provider_maintenance_page", "TR06", endpoint="token"),
    *(
        token("redirected", "provider_redirected", "TR04", location="/auth/x", status=s)
        for s in (301, 302, 303, 307, 308)
    ),
    *(
        token("answer", code, "TR06", body=body)
        for body, code in (
            (b"", "token_not_json"),
            (b"access_token=x", "token_not_json"),
            (b"[]", "token_not_an_object"),
            (b"null", "token_not_an_object"),
            (b'{"a": NaN}', "token_not_json"),
            (b'{"a": 1, "a": 1}', "token_not_json"),
            (b"\xef\xbb\xbf{}", "token_not_json"),
            (b"\xff\xfe{\x00}\x00", "token_not_json"),
            (b"{}", "token_access_token_missing"),
            (b"[" * 20_000, "token_not_json"),
        )
    ),
    token("answer", "provider_unexpected_status", "TR05", status=204),
    token("token_response", "token_access_token_missing", "TR06", members={"access_token": 5}),
    token("token_response", "token_id_token_missing", "TR06", members={"id_token": ["x"]}),
    token("token_response", "token_access_token_malformed", "TR06", members={"access_token": "a\r\nX: y"}),
    token("no_id_token", "token_id_token_missing", "TR07"),
    token("no_access_token", "token_access_token_missing", "TR08"),
    token("token_type", "token_type_not_bearer", "TR09"),
    token("token_response", "token_type_not_bearer", "TR09", drop=("token_type",)),
    token("huge_body", "provider_answer_too_large", "TR03"),
    token("gzip_bomb", "provider_answer_too_large", "TR03"),
]
USERINFOS = [
    userinfo("other_sub", "userinfo_subject_mismatch", "UI01"),
    userinfo("userinfo_without_sub", "userinfo_subject_missing", "UI02"),
    userinfo("userinfo_unauthorized", "userinfo_refused", "UI04"),
    userinfo("server_error", "provider_server_error", "UI04", endpoint="userinfo"),
    userinfo("server_error", "userinfo_refused", "UI04", endpoint="userinfo", status=403),
    userinfo("maintenance_page", "provider_maintenance_page", "UI04", endpoint="userinfo"),
    userinfo("userinfo_array", "userinfo_not_an_object", "UI04"),
    userinfo("answer", "userinfo_not_json", "UI04", endpoint="userinfo", body=b"sub=x"),
    userinfo("userinfo_signed_by_another_key", "userinfo_signature_invalid", "UI05", signed="RS256"),
    userinfo("userinfo_signed_for_another_client", "userinfo_audience_mismatch", "UI05", signed="RS256"),
    userinfo("userinfo_signed_by_another_issuer", "userinfo_issuer_mismatch", "UI05", signed="RS256"),
    userinfo("userinfo_signed", "userinfo_algorithm_refused", "UI05", signed="PS256"),
    userinfo("userinfo_signed", "userinfo_signed_unexpectedly", "UI05"),
    userinfo("userinfo_claims", "userinfo_not_signed", "UI06", signed="RS256"),
    userinfo("answer_headers", "userinfo_signed_unexpectedly", "UI05", headers=(("Content-Type", "application/jwt"),)),
    userinfo("redirected", "provider_redirected", "UI07", endpoint="userinfo", location="https://evil.example/"),
    userinfo("huge_body", "provider_answer_too_large", "UI07", endpoint="userinfo"),
    userinfo("gzip_bomb", "provider_answer_too_large", "UI07", endpoint="userinfo"),
    userinfo("userinfo_claims", "userinfo_text_refused", "UI09", claims={"family_name": "a\x00b"}),
    userinfo("userinfo_claims", "userinfo_text_refused", "UI09", claims={"family_name": "x" * 100_000}),
    userinfo("userinfo_claims", "provider_answer_too_large", "UI09", claims={"family_name": "x" * 2**20}),
    userinfo("userinfo_claims", "userinfo_list_too_long", "UI09", claims={"otherIds": [1] * 10_000}),
    userinfo("userinfo_claims", "userinfo_number_refused", "UI09", claims={"UITVersion": 2**70}),
    userinfo("answer", "userinfo_not_json", "UI09", endpoint="userinfo", body=b'{"sub": "\\ud800"}'),
    userinfo("answer", "userinfo_not_json", "UI09", endpoint="userinfo", body=b'{"sub": "x", "sub": "x"}'),
]
KEY_SETS = [
    jwks("jwks_empty", "jwks_no_usable_key", "JO15"),
    jwks("jwks_without_keys", "jwks_keys_missing", "JO15"),
    jwks("server_error", "provider_server_error", "JO15", endpoint="jwks"),
    jwks("maintenance_page", "provider_maintenance_page", "JO15", endpoint="jwks"),
    jwks("huge_body", "provider_answer_too_large", "JO15", endpoint="jwks", megabytes=5),
    jwks("jwks_more_keys", "jwks_too_many_keys", "JO15", keys=[{"kty": "RSA"}] * 1_000),
    jwks("redirected", "provider_redirected", "JO19", endpoint="jwks", location="http://evil.example/"),
    jwks("jwks_keys", "jwks_no_usable_key", "JO11", members={"use": "enc"}),
    jwks("jwks_keys", "jwks_no_usable_key", "JO11", members={"key_ops": ["encrypt"]}, drop=("use",)),
    jwks("jwks_keys", "jwks_no_usable_key", "JO14", members={"d": "AQAB"}),
    jwks("jwks_keys", "id_token_key_unfit", "JO05", members={"alg": "PS256"}),
    jwks("jwks_keys", "id_token_unknown_key", "JO09", members={"kid": "renamed"}),
]
CALLBACKS = [
    callback("wrong_iss_in_callback", "issuer_mismatch", "AZ08"),
    callback("no_iss_in_callback", "issuer_missing", "AZ09"),
    callback("repeated_parameter", "duplicate_parameter", "AZ11"),
    callback("wrong_state", "state_unknown", "AZ02"),
    callback("no_state", "state_missing", "AZ01"),
    callback("error_and_code", "access_denied", "AZ13"),
    callback("callback_error", "server_error", "AZ12"),
    callback("callback_parameters", "code_missing", drop=("code",)),
]
REFUSED = [*ID_TOKENS, *SIGNATURES, *TOKEN_ANSWERS, *USERINFOS, *KEY_SETS, *CALLBACKS]

# Odd but harmless answers: refusing them would lock people out.
HARMLESS = [
    FaultCase("audience_list", "", cases=("ID07",)),
    FaultCase("missing_acr", "", cases=("ID25",)),
    FaultCase("lower_acr", "", cases=("ID25",)),
    FaultCase("old_auth_time", ""),
    FaultCase("missing_auth_time", ""),
    FaultCase("expired_id_token", "", options={"seconds": 5}, cases=("ID14",)),
    FaultCase("iat_in_the_future", "", options={"seconds": 5}, cases=("ID14",)),
    FaultCase("id_token_claims", "", options={"drop": ("azp",)}),
    FaultCase("id_token_claims", "", options={"drop": ("at_hash",)}),
    FaultCase("old_auth_time", "", options={"seconds": -30}, cases=("NW14",)),
    FaultCase("old_auth_time", "", options={"seconds": 60.25}, cases=("ID22",)),
    FaultCase(
        "id_token_claims",
        "",
        options={"claims": dict.fromkeys(("acr", "amr", "auth_time", "azp", "at_hash", "nbf", "sid", "typ"))},
    ),
    *(FaultCase("token_response", "", options={"members": {"error": error}}) for error in (None, "")),
    FaultCase("missing_kid", "", cases=("JO08",)),
    FaultCase("id_token_header", "", options={"header": {}, "drop": ("typ",)}),
    FaultCase("token_type", "", options={"value": "bEARER"}, cases=("TR09",)),
    FaultCase("token_response", "", options={"drop": ("refresh_token", "expires_in", "scope")}),
    FaultCase("set_cookie", ""),
    FaultCase("answer_headers", "", options={"headers": (("Content-Type", "application/json;charset=UTF-8"),)}),
    FaultCase(
        "userinfo_claims", "", options={"claims": {"iss": "https://evil.example", "acr": "eidas3"}}, cases=("UI03",)
    ),
    FaultCase("userinfo_claims", "", options={"claims": {"SubjectRefPro": "none", "otherIds": 5}}, cases=("UI09",)),
    FaultCase("userinfo_signed", "", row={"userinfo_signed_response_alg": "RS256"}, cases=("UI05",)),
    FaultCase("close_connection_before_answer", ""),
    FaultCase("callback_parameters", "", options={"add": (("unknown", "x"), ("unknown", "y"))}),
    FaultCase("callback_parameters", "", options={"drop": ("session_state",)}),
    FaultCase("callback_parameters", "", options={"add": (("error", ""),)}),
    *(
        FaultCase("jwks_more_keys", "", options={"keys": [key]}, row={"jwks": {}}, cases=("JO13", "JO14"))
        for key in (
            {"kty": "AKP", "alg": "ML-DSA-65", "kid": "post-quantum", "pub": "AQAB"},
            {"kty": "oct", "k": "AQAB", "kid": "symmetric"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak"},
            {"kty": "RSA", "n": "!", "e": "AQAB"},
            {"kid": "broken"},
        )
    ),
]

# Faults that a login does not meet: where they are tested.
TESTED_ELSEWHERE = {
    "metadata_members": "the administrator's pages",
    "forget_logout_state": "test_logout",
    "wrong_logout_state": "test_logout",
    # They take real time.
    "hang": "test_slow_providers",
    "drip": "test_slow_providers",
}
