"""Every code of this room and the sentence that tells an administrator what it means and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final


def _(sentence: str) -> str:
    """Mark a sentence for the translators: administrators read it in forms, in their language, by its English text."""
    return sentence


_METADATA = {
    "metadata_not_json": _("The provider's metadata is not strict JSON (one object, no duplicate keys, UTF-8)."),
    "metadata_not_an_object": _("The provider's metadata must be one JSON object, as the discovery URL serves it."),
    "metadata_looks_like_jwks": _(
        "This is a key set (JWKS), not the metadata: paste it on the page of the signing keys."
    ),
    "metadata_looks_like_html": _(
        "This is an HTML page, not the metadata: copy the JSON that the discovery URL serves."
    ),
    "metadata_looks_like_certificate": _("This is a certificate or a key in PEM, not the provider's metadata."),
    "metadata_looks_like_private_key": _(
        "This is a PRIVATE key: whoever reads it can use it. It was not kept; have it replaced if somebody else may "
        "have seen it."
    ),
    "metadata_looks_like_url": _("This is an address: fetch the document from it, or paste what it serves."),
    "metadata_missing": _("This field is required: take it from the provider's discovery document."),
    "metadata_not_text": _("This field must be text."),
    "metadata_not_a_boolean": _("This field must be true or false."),
    "metadata_url_malformed": _("This is not a usable absolute URL: write it whole, without spaces."),
    "metadata_not_https": _("This URL must begin with https://."),
    "metadata_loopback_http_refused": _(
        "Plain http is for a provider on this very machine in development: set PSC_CONNECT_ALLOW_LOOPBACK_HTTP."
    ),
    "metadata_url_credentials": _("This URL must not contain a user name or a password."),
    "metadata_url_fragment": _("This URL must not contain a fragment (#…)."),
    "metadata_issuer_query": _("The issuer must not contain a query (?…)."),
    "metadata_foreign_host": _(
        "This URL is not on the issuer's own host: correct it, or name the host in PSC_CONNECT_EXTRA_ENDPOINT_HOSTS."
    ),
    "metadata_host_is_an_address": _("Write the issuer's host name, not an IP address."),
    "metadata_endsession_misnomer": _(
        "`endsession_endpoint` is not a name of the standard: rename it to `end_session_endpoint`."
    ),
}

_JWKS = {
    "jwks_not_json": _("The key set is not strict JSON (one object, no duplicate keys, UTF-8)."),
    "jwks_not_an_object": _("The key set must be one JSON object with a list `keys`."),
    "jwks_keys_missing": _("The document has no list `keys`: it is no key set (JWKS)."),
    "jwks_no_usable_key": _("The key set holds no key that can verify a signature: the keys before it stay."),
    "jwks_all_retired": _(
        "Every key that could verify a signature has been retired: restore one on the page of the signing keys, unless "
        "the provider publishes another."
    ),
    "jwks_too_many_keys": _("The key set holds more than 100 keys: it is not the provider's own."),
    "jwks_looks_like_metadata": _(
        "This is the provider's metadata, not its key set: fetch what its `jwks_uri` serves."
    ),
    "jwks_looks_like_key": _('This is one single key: wrap it as {"keys": [ … ]}.'),
    "jwks_looks_like_html": _("This is an HTML page, not a key set: copy the JSON that `jwks_uri` serves."),
    "jwks_looks_like_certificate": _("This is a certificate or a key in PEM, not a key set in JSON (JWKS)."),
    "jwks_looks_like_private_key": _(
        "This is a PRIVATE key: whoever reads it can sign with it. It was not kept; a key set (JWKS) holds public keys "
        "only. Have it replaced if somebody else may have seen it."
    ),
    "jwks_looks_like_url": _("This is an address: import the keys from it, or paste what it serves."),
    "jwks_uri_missing": _("The metadata names no jwks_uri: paste the key set of the provider."),
    "jwks_key_encryption": _("A key for encryption: it cannot verify signatures."),
    "jwks_key_operations": _("The key's `key_ops` do not allow to verify signatures."),
    "jwks_key_algorithm": _("The key is bound to an algorithm that is not accepted, or that does not fit its type."),
    "jwks_key_unknown_type": _("A type of key (`kty`) that is not used here: RSA and EC are."),
    "jwks_key_unknown_curve": _("An elliptic curve that is not used here: P-256, P-384 and P-521 are."),
    "jwks_key_symmetric": _("A symmetric key is a shared secret and must never be published: tell the provider."),
    "jwks_key_private": _(
        "The PRIVATE part of a key was in the key set: whoever read it can sign in as anybody. "
        "The key is not used and was not kept; tell the provider at once."
    ),
    "jwks_key_too_short": _("An RSA key under 2048 bits is not safe."),
    "jwks_key_too_long": _("An RSA key over 8192 bits is not used."),
    "jwks_key_exponent": _("The RSA key's exponent is not safe: an odd number from 65537 up is expected."),
    "jwks_key_broken": _("The key is malformed."),
    "jwks_key_retired": _("An administrator has retired this key: it verifies nothing any longer."),
}

_PROVIDER = {
    "provider_url_refused": _("Only https addresses are called (plain http on the loopback interface alone)."),
    "provider_timeout": _("The provider did not answer in time."),
    "provider_address_refused": _(
        "The host name leads to an address inside a network (or of this machine). If the provider really is there, "
        "name the host in PSC_CONNECT_PRIVATE_HOSTS."
    ),
    "provider_unreachable": _("The provider cannot be reached: network, firewall, proxy, or the provider is down."),
    "provider_name_unresolved": _("The host name of the provider (or of the proxy) is not known to the name servers."),
    "provider_proxy_failed": _("The proxy (PSC_CONNECT_HTTPS_PROXY) refused the connection or does not answer."),
    "provider_tls_failed": _(
        "The provider's certificate was not accepted: a proxy that opens TLS, a wrong clock, or a missing authority "
        "(PSC_CONNECT_CA_BUNDLE)."
    ),
    "provider_ca_bundle_unreadable": _("The file of PSC_CONNECT_CA_BUNDLE is missing or holds no certificate."),
    "provider_redirected": _("The provider answered with a redirection, which is never followed: correct the address."),
    "provider_answer_too_large": _("The provider's answer is larger than any proper one."),
    "provider_answer_broken": _("The provider's answer was cut off or is not proper HTTP."),
    "provider_encoding_refused": _("The provider compressed its answer in a way that was not asked for."),
    "provider_server_error": _("The provider reports an error of its own (5xx): try again later."),
    "provider_busy": _("The provider asks to slow down (429): try again later."),
    "provider_not_found": _("The provider knows nothing at this address (404): correct the address."),
    "provider_request_refused": _("The provider refused the request (4xx): check the address."),
    "provider_unexpected_status": _("The provider answered with a status that has no meaning here."),
    "provider_maintenance_page": _("The provider (or a proxy) answered with an HTML page, as during maintenance."),
}

_TOKEN = {
    "token_not_json": _("The token endpoint's answer is not strict JSON."),
    "token_not_an_object": _("The token endpoint's answer is not a JSON object."),
    "token_client_refused": _(
        "The provider does not accept the client id or the client secret: enter the secret again, "
        "without invisible characters, and check the environment."
    ),
    "token_invalid_grant": _(
        "The provider no longer accepts the authorization code: it was used, late, or not for us."
    ),
    "token_refused": _("The provider refused the token request."),
    "token_type_not_bearer": _("The token's type is not `Bearer`."),
    "token_access_token_missing": _("The provider gave no access token."),
    "token_access_token_malformed": _("The access token holds characters that no access token has, or is too long."),
    "token_id_token_missing": _("The provider gave no ID token: is the scope `openid` asked for, and allowed?"),
}

# RFC 7515, RFC 8725: the same checks for the ID token and for signed userinfo, each under its own stage.
_SIGNED = {
    "too_large": _("{what} is larger than 32 kB."),
    "not_compact": _("{what} is not a compact JWS (three parts in unpadded base64url)."),
    "encrypted": _("{what} is encrypted (JWE), which was not agreed."),
    "header_malformed": _("{what} has a header that is not strict JSON or holds wrong types."),
    "algorithm_refused": _("{what} is not signed with the algorithm that is set for this provider."),
    "critical_header": _("{what} demands an extension (`crit`, `b64`) that is not supported."),
    "wrong_type": _("{what} is a JSON web token of another kind."),
    "unknown_key": _("{what} is signed with a key that is not in the key set: the provider changed its keys."),
    "key_unfit": _("{what} names a key that is not made for the algorithm that is set for this provider."),
    "signature_invalid": _("{what} has a wrong signature."),
    "not_json": _("{what} holds something else than strict JSON."),
    "not_an_object": _("{what} holds something else than a JSON object."),
    "issuer_missing": _("{what} names no issuer."),
    "issuer_mismatch": _("{what} is of another issuer."),
    "audience_missing": _("{what} names no audience."),
    "audience_mismatch": _("{what} is for another client."),
    "time_malformed": _("{what} holds a time that is not a plausible whole number of seconds."),
    "expired": _("{what} has expired: check this server's clock."),
    "not_yet_valid": _("{what} is not valid yet: check this server's clock."),
    "subject_missing": _("{what} names nobody (`sub`)."),
}

_ID_TOKEN = {
    **{f"id_token_{reason}": text for reason, text in _SIGNED.items()},
    "id_token_authorized_party_missing": _("The ID token is for several clients and does not say for which (`azp`)."),
    "id_token_authorized_party_mismatch": _("The ID token was issued to another client (`azp`)."),
    "id_token_expiry_missing": _("The ID token has no expiry (`exp`)."),
    "id_token_lifetime": _("The ID token's life is not between nothing and 24 hours."),
    "id_token_issued_at_missing": _("The ID token does not say when it was issued (`iat`)."),
    "id_token_issued_in_future": _("The ID token was issued in the future: this server's clock is slow."),
    "id_token_issued_long_ago": _("The ID token was issued more than 10 minutes ago."),
    "id_token_nonce_missing": _("The ID token has no `nonce`, or none was kept for this login."),
    "id_token_nonce_mismatch": _("The ID token belongs to another login."),
    "id_token_subject_malformed": _("The ID token's `sub` is not text of 1 to 255 printable ASCII characters."),
    "id_token_acr_missing": _("The ID token does not say how strongly the person was authenticated (`acr`)."),
    "id_token_acr_refused": _("The person was authenticated in a way (`acr`) that this provider's settings refuse."),
    "id_token_auth_time_missing": _("The ID token does not say when the person was authenticated (`auth_time`)."),
    "id_token_authentication_too_old": _("The person was authenticated longer ago than `max_age` allows."),
    "id_token_at_hash_mismatch": _("The ID token does not belong to the access token (`at_hash`)."),
    "id_token_claim_malformed": _("A claim of the ID token has the wrong type (`acr`, `auth_time` or `sid`)."),
}

# What each rule of an ID token holds, by the rule's name (`id_token.RULES`).
ID_TOKEN_RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kind": _("It is an ID token, and not another token of the same provider."),
        "issuer": _("It was issued by this provider (iss)."),
        "audience": _("It was issued to this client (aud)."),
        "authorized_party": _("This client may use it (azp)."),
        "times": _("Its times are whole seconds (exp, iat, nbf)."),
        "expiry": _("It has not expired (exp)."),
        "issued_at": _("It was issued just now, and not for longer than a day (iat)."),
        "not_before": _("It is valid already (nbf)."),
        "nonce": _("It belongs to this very login (nonce)."),
        "optional_types": _("Its further claims have the right types (acr, auth_time, sid)."),
        "acr": _("The person was identified as strongly as this provider's settings ask (acr)."),
        "auth_time": _("The person was identified recently enough (auth_time)."),
        "subject": _("It names somebody (sub)."),
        "at_hash": _("It belongs to the access token that came with it (at_hash)."),
    }
)

_USERINFO = {
    **{f"userinfo_{reason}": text for reason, text in _SIGNED.items()},
    "userinfo_refused": _("The provider refused the access token at the userinfo endpoint."),
    "userinfo_subject_mismatch": _("The userinfo answer is about another person than the ID token."),
    "userinfo_signed_unexpectedly": _("The userinfo answer is signed although the provider is set for plain JSON."),
    "userinfo_not_signed": _("The userinfo answer is plain JSON although the provider is set for a signed one."),
    "userinfo_text_refused": _("The userinfo answer holds text that cannot be kept: NUL, or over 10,000 characters."),
    "userinfo_list_too_long": _("The userinfo answer holds a list or an object of more than 1,000 members."),
    "userinfo_number_refused": _("The userinfo answer holds a number that cannot be kept exactly."),
}

# RFC 6749 4.1.2.1, OIDC Core 3.1.2.6, OpenID Connect Core Unmet Authentication Requirements 1.0.
_AUTHORIZATION_ERRORS = {
    "invalid_request": _("The provider found the authorization request faulty: compare the settings with ANS's."),
    "unauthorized_client": _("The provider does not allow this client to sign people in."),
    "access_denied": _("The person cancelled, or the provider refused the person."),
    "unsupported_response_type": _("The provider does not offer the authorization code flow to this client."),
    "invalid_scope": _("The provider does not know or allow the scope: `openid scope_all` is PSC's."),
    "server_error": _("The provider reports an error of its own."),
    "temporarily_unavailable": _("The provider is overloaded or in maintenance."),
    "interaction_required": _("The provider must ask the person something, which `prompt` forbade."),
    "login_required": _("Nobody is signed in at the provider, and `prompt` forbade to ask."),
    "account_selection_required": _("The person must choose an account, which `prompt` forbade."),
    "consent_required": _("The person must consent, which `prompt` forbade."),
    "invalid_request_uri": _("The provider did not accept a `request_uri`."),
    "invalid_request_object": _("The provider did not accept a request object."),
    "request_not_supported": _("The provider does not support the parameter `request`."),
    "request_uri_not_supported": _("The provider does not support the parameter `request_uri`."),
    "registration_not_supported": _("The provider does not support the parameter `registration`."),
    "unmet_authentication_requirements": _("The provider cannot authenticate the person as the ACR demands."),
    "unrecognised": _("The provider answered with an error code that no standard knows."),
}

_AUTHORIZATION = {
    **{f"authorization_{error}": text for error, text in _AUTHORIZATION_ERRORS.items()},
    "authorization_duplicate_parameter": _("The answer holds a parameter twice."),
    "authorization_state_missing": _("The answer belongs to no login that began here (no `state`)."),
    "authorization_state_unknown": _("The answer belongs to no login that began here (a `state` that is not ours)."),
    "authorization_code_missing": _("The answer holds neither a code nor an error."),
    "authorization_code_malformed": _("The answer's code is too long or holds characters that no code has."),
    "authorization_issuer_missing": _("The answer does not name the provider, as it announces to do."),
    "authorization_issuer_mismatch": _("The answer is of another provider than the login began with."),
}

AUTHORIZATION_ERRORS: Final = frozenset(_AUTHORIZATION_ERRORS)

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {**_METADATA, **_JWKS, **_PROVIDER, **_TOKEN, **_ID_TOKEN, **_USERINFO, **_AUTHORIZATION}
)
# What the sentences of _SIGNED speak of.
_SUBJECTS = {"id_token": _("The ID token"), "userinfo": _("The userinfo answer")}


def sentence(code: str, translate: Callable[[str], str] = _) -> str:
    """Return what a code means and what to do: in English, or in the language that ``translate`` speaks."""
    text = translate(CODES[code])
    for stage, subject in _SUBJECTS.items():
        if code.startswith(stage):
            text = text.replace("{what}", translate(subject))
    return text
