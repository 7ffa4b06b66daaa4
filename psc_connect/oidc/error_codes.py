"""The error codes of psc_connect.oidc, each with a sentence: what happened and what an administrator can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final


def _(sentence: str) -> str:
    """Mark a sentence for translation. It is translated where it is shown: this package imports no Django."""
    return sentence


_METADATA = {
    "metadata_not_json": _("The provider's metadata is not strict JSON (one object, no duplicate keys, UTF-8)."),
    "metadata_not_an_object": _("The provider's metadata must be a JSON object, as served by the discovery URL."),
    "metadata_looks_like_jwks": _("This is a key set (JWKS), not the metadata: paste it on the signing keys page."),
    "metadata_looks_like_html": _("This is an HTML page, not the metadata: copy the JSON served by the discovery URL."),
    "metadata_looks_like_certificate": _("This is a certificate or a key in PEM, not the provider's metadata."),
    "metadata_looks_like_private_key": _(
        "This is a PRIVATE key: anyone who reads it can use it. It was not saved; have it replaced if someone else "
        "may have seen it."
    ),
    "metadata_looks_like_url": _("This is a URL: fetch the metadata from it, or paste what it serves."),
    "metadata_missing": _("This field is required: copy it from the provider's discovery document."),
    "metadata_not_text": _("This field must be text."),
    "metadata_not_a_boolean": _("This field must be true or false."),
    "metadata_url_malformed": _("This is not a valid absolute URL: write it in full, without spaces."),
    "metadata_not_https": _("This URL must begin with https://."),
    "metadata_loopback_http_refused": _(
        "Plain http is only for a provider on this machine, in development: set PSC_CONNECT_ALLOW_LOOPBACK_HTTP."
    ),
    "metadata_url_credentials": _("This URL must not contain a user name or a password."),
    "metadata_url_fragment": _("This URL must not contain a fragment (#…)."),
    "metadata_issuer_mismatch": _(
        "The document names another issuer than the one that has this URL. It is not used: the keys of one issuer "
        "must not sign for the people of another. Give the URL of that issuer."
    ),
    "metadata_issuer_query": _("The issuer must not contain a query (?…)."),
    "metadata_foreign_host": _(
        "This URL is not on the issuer's host: correct it, or add the host to PSC_CONNECT_EXTRA_ENDPOINT_HOSTS."
    ),
    "metadata_host_is_an_address": _("Write the issuer's host name, not an IP address."),
    "metadata_endsession_misnomer": _(
        "`endsession_endpoint` is not a standard name: rename it to `end_session_endpoint`."
    ),
}

_JWKS = {
    "jwks_not_json": _("The key set is not strict JSON (one object, no duplicate keys, UTF-8)."),
    "jwks_not_an_object": _("The key set must be a JSON object with a `keys` list."),
    "jwks_keys_missing": _("There is no `keys` list: this is not a key set (JWKS)."),
    "jwks_no_usable_key": _("The key set contains no key that can verify a signature: the previous keys are kept."),
    "jwks_all_retired": _(
        "Every key that could verify a signature has been retired: restore one on the signing keys page, unless "
        "the provider publishes another."
    ),
    "jwks_too_many_keys": _("The key set contains more than 100 keys: it is not the provider's."),
    "jwks_looks_like_metadata": _(
        "This is the provider's metadata, not its key set: fetch the key set from `jwks_uri`."
    ),
    "jwks_looks_like_key": _('This is a single key: wrap it as {"keys": [ … ]}.'),
    "jwks_looks_like_html": _("This is an HTML page, not a key set: copy the JSON served by `jwks_uri`."),
    "jwks_looks_like_certificate": _("This is a certificate or a key in PEM, not a key set in JSON (JWKS)."),
    "jwks_looks_like_private_key": _(
        "This is a PRIVATE key: anyone who reads it can sign with it. It was not saved; a key set (JWKS) contains "
        "public keys only. Have it replaced if someone else may have seen it."
    ),
    "jwks_looks_like_url": _("This is a URL: import the keys from it, or paste what it serves."),
    "jwks_uri_missing": _("The metadata has no jwks_uri: paste the provider's key set."),
    "jwks_key_encryption": _("This is an encryption key: it cannot verify signatures."),
    "jwks_key_operations": _("The key's `key_ops` do not allow it to verify signatures."),
    "jwks_key_algorithm": _(
        "The key is restricted to an algorithm that is not accepted, or that does not match its type."
    ),
    "jwks_key_unknown_type": _("This key type (`kty`) is not supported: use RSA or EC."),
    "jwks_key_unknown_curve": _("This elliptic curve is not supported: use P-256, P-384 or P-521."),
    "jwks_key_symmetric": _("A symmetric key is a shared secret and must never be published: inform the provider."),
    "jwks_key_private": _(
        "The key set contained the PRIVATE part of a key: anyone who read it can sign in as any user. The key is "
        "not used and was not saved; inform the provider at once."
    ),
    "jwks_key_too_short": _("An RSA key shorter than 2048 bits is not safe."),
    "jwks_key_too_long": _("An RSA key longer than 8192 bits is not used."),
    "jwks_key_exponent": _("The RSA key's exponent is not safe: an odd number from 65537 up is expected."),
    "jwks_key_broken": _("The key is malformed."),
    "jwks_key_retired": _("An administrator has retired this key: it no longer verifies signatures."),
}

_PROVIDER = {
    "provider_url_refused": _("Only https URLs are requested (plain http only on the loopback interface)."),
    "provider_timeout": _("The provider did not answer in time."),
    "provider_address_refused": _(
        "The host name resolves to a private address (or to this machine). If the provider really is there, add "
        "the host to PSC_CONNECT_PRIVATE_HOSTS."
    ),
    "provider_unreachable": _("The provider cannot be reached: network, firewall, proxy, or the provider is down."),
    "provider_name_unresolved": _(
        "The host name of the provider (or of the proxy) cannot be resolved by the name servers."
    ),
    "provider_proxy_failed": _("The proxy (PSC_CONNECT_HTTPS_PROXY) refused the connection or does not answer."),
    "provider_tls_other_host": _(
        "The provider's certificate belongs to another host: the URL is wrong, or a proxy or a name server leads to "
        "another server."
    ),
    "provider_tls_expired": _(
        "The provider's certificate has expired: the provider must renew it, unless this server's clock is fast."
    ),
    "provider_tls_not_yet_valid": _(
        "The provider's certificate is not valid yet: this server's clock is slow, or the provider installed it too "
        "early."
    ),
    "provider_tls_unknown_authority": _(
        "The provider's certificate is signed by an unknown authority: a proxy intercepts TLS, or the authority is "
        "private (add it to PSC_CONNECT_CA_BUNDLE), or the provider does not send its intermediate certificate."
    ),
    "provider_tls_client_certificate": _(
        "The provider demands a client certificate, which this package does not send: compare the URL with the "
        "provider's documentation. Some have one host for certificates and one for secrets."
    ),
    "provider_tls_failed": _(
        "No secure connection could be made: the server does not speak TLS 1.2 or newer, or its certificate is not "
        "acceptable."
    ),
    "provider_ca_bundle_unreadable": _("The PSC_CONNECT_CA_BUNDLE file is missing or contains no certificate."),
    "provider_redirected": _("The provider answered with a redirect, which is never followed: correct the URL."),
    "provider_answer_too_large": _("The provider's answer is larger than any valid one."),
    "provider_answer_broken": _("The provider's answer was cut off or is not valid HTTP."),
    "provider_encoding_refused": _("The provider compressed its answer in a way that was not requested."),
    "provider_server_error": _("The provider reports an internal error (5xx): try again later."),
    "provider_busy": _("The provider asks to slow down (429): try again later."),
    "provider_not_found": _("The provider has nothing at this URL (404): correct the URL."),
    "provider_request_refused": _("The provider refused the request (4xx): check the URL."),
    "provider_unexpected_status": _("The provider answered with an unexpected status."),
    "provider_maintenance_page": _("The provider (or a proxy) answered with an HTML page, as during maintenance."),
    "provider_refusal_page": _(
        "The provider (or a proxy or firewall) refused the request (4xx) with an HTML page: look at their logs."
    ),
}

_TOKEN = {
    "token_not_json": _("The token endpoint's answer is not strict JSON."),
    "token_not_an_object": _("The token endpoint's answer is not a JSON object."),
    "token_invalid_client": _(
        "The provider does not know the client id, or has disabled this client: check the client id and the "
        "environment. Some providers also answer this to a wrong secret, or to a secret sent by the other method."
    ),
    "token_unauthorized_client": _(
        "The provider does not accept the client secret, or the method by which it is sent: enter it again, without "
        "invisible characters. Some providers also answer this to a client that may not use authorization codes."
    ),
    "token_forbidden": _(
        "The provider forbids token requests: its realm may be switched off, or a firewall refuses this server."
    ),
    "token_invalid_grant": _(
        "The provider no longer accepts the authorization code: it was already used, too late, or not issued to "
        "this client."
    ),
    "token_refused": _("The provider refused the token request."),
    "token_type_not_bearer": _("The token's type is not `Bearer`."),
    "token_access_token_missing": _("The provider gave no access token."),
    "token_access_token_malformed": _("The access token contains characters that are not allowed, or is too long."),
    "token_id_token_missing": _("The provider gave no ID token: is the scope `openid` requested, and allowed?"),
}

# RFC 7515, RFC 8725: checks of the ID token and of signed userinfo. Each code gets the prefix of its stage.
_SIGNED = {
    "too_large": _("{what} is larger than 32 kB."),
    "not_compact": _("{what} is not a compact JWS (three parts in unpadded base64url)."),
    "encrypted": _("{what} is encrypted (JWE), which was not agreed on."),
    "header_malformed": _("{what} has a header that is not strict JSON or contains wrong types."),
    "algorithm_refused": _("{what} is not signed with the algorithm set for this provider."),
    "critical_header": _("{what} requires an extension (`crit`, `b64`) that is not supported."),
    "wrong_type": _("{what} is another kind of JSON Web Token."),
    "unknown_key": _("{what} is signed with a key that is not in the key set: the provider changed its keys."),
    "key_unfit": _("{what} names a key that does not fit the algorithm set for this provider."),
    "signature_invalid": _("{what} has an invalid signature."),
    "not_json": _("{what} does not contain strict JSON."),
    "not_an_object": _("{what} does not contain a JSON object."),
    "issuer_missing": _("{what} names no issuer."),
    "issuer_mismatch": _("{what} comes from another issuer."),
    "audience_missing": _("{what} names no audience."),
    "audience_mismatch": _("{what} is for another client."),
    "time_malformed": _("{what} contains a time that is not a plausible number of seconds."),
    "expired": _("{what} has expired: check this server's clock."),
    "not_yet_valid": _("{what} is not valid yet: check this server's clock."),
    "subject_missing": _("{what} has no subject (`sub`)."),
}

_ID_TOKEN = {
    **{f"id_token_{reason}": text for reason, text in _SIGNED.items()},
    "id_token_authorized_party_missing": _(
        "The ID token is for several clients and does not say which one may use it (`azp`)."
    ),
    "id_token_authorized_party_mismatch": _("The ID token was issued to another client (`azp`)."),
    "id_token_expiry_missing": _("The ID token has no expiry (`exp`)."),
    "id_token_lifetime": _("The ID token's lifetime is not between 0 and 24 hours."),
    "id_token_issued_at_missing": _("The ID token does not say when it was issued (`iat`)."),
    "id_token_issued_in_future": _("The ID token was issued in the future: this server's clock is slow."),
    "id_token_issued_long_ago": _("The ID token was issued more than 10 minutes ago."),
    "id_token_nonce_missing": _("The ID token has no `nonce`, or none was stored for this login."),
    "id_token_nonce_mismatch": _("The ID token belongs to another login."),
    "id_token_subject_malformed": _("The ID token's `sub` is not text of 1 to 255 printable ASCII characters."),
    "id_token_acr_missing": _("The ID token does not say how strongly the person was authenticated (`acr`)."),
    "id_token_acr_refused": _("The person was authenticated at a level (`acr`) that this provider's settings refuse."),
    "id_token_auth_time_missing": _("The ID token does not say when the person was authenticated (`auth_time`)."),
    "id_token_authentication_too_old": _("The person was authenticated longer ago than `max_age` allows."),
    "id_token_authentication_in_future": _(
        "The ID token says that the person was authenticated in the future (`auth_time`): check this server's clock."
    ),
    "id_token_at_hash_mismatch": _("The ID token does not belong to the access token (`at_hash`)."),
    "id_token_claim_malformed": _("A claim of the ID token has the wrong type (`acr`, `auth_time` or `sid`)."),
}

_USERINFO = {
    **{f"userinfo_{reason}": text for reason, text in _SIGNED.items()},
    "userinfo_refused": _("The provider refused the access token at the userinfo endpoint."),
    "userinfo_subject_mismatch": _("The userinfo answer is about another person than the ID token."),
    "userinfo_signed_unexpectedly": _("The userinfo answer is signed, but this provider is set to plain JSON."),
    "userinfo_not_signed": _("The userinfo answer is plain JSON, but this provider is set to signed answers."),
    "userinfo_text_refused": _(
        "The userinfo answer contains text that cannot be stored: NUL, or more than 10,000 characters."
    ),
    "userinfo_list_too_long": _("The userinfo answer contains a list or an object with more than 1,000 members."),
    "userinfo_number_refused": _("The userinfo answer contains a number that cannot be stored exactly."),
}

# RFC 6749 4.1.2.1, OIDC Core 3.1.2.6, OpenID Connect Core Unmet Authentication Requirements 1.0.
_AUTHORIZATION_ERRORS = {
    "invalid_request": _(
        "The provider considers the authorization request invalid: compare the settings with those of ANS."
    ),
    "unauthorized_client": _("The provider does not allow this client to sign people in."),
    "access_denied": _("The person cancelled, or the provider refused the person."),
    "unsupported_response_type": _("The provider does not offer the authorization code flow to this client."),
    "invalid_scope": _("The provider does not know or allow the scope: PSC uses `openid scope_all`."),
    "server_error": _("The provider reports an internal error."),
    "temporarily_unavailable": _("The provider is overloaded or in maintenance."),
    "interaction_required": _("The provider needs to ask the person something, and did not: `prompt` may forbid it."),
    "login_required": _("The person is not signed in at the provider, which did not ask: `prompt` may forbid it."),
    "account_selection_required": _("The person must choose an account, and was not asked: `prompt` may forbid it."),
    "consent_required": _("The person has not consented, or was not asked: `prompt` may forbid it."),
    "invalid_request_uri": _("The provider did not accept a `request_uri`."),
    "invalid_request_object": _("The provider did not accept a request object."),
    "request_not_supported": _("The provider does not support the parameter `request`."),
    "request_uri_not_supported": _("The provider does not support the parameter `request_uri`."),
    "registration_not_supported": _("The provider does not support the parameter `registration`."),
    "unmet_authentication_requirements": _("The provider cannot authenticate the person at the requested level (ACR)."),
    "unrecognised": _("The provider answered with an error code that is in no standard."),
}

_AUTHORIZATION = {
    **{f"authorization_{error}": text for error, text in _AUTHORIZATION_ERRORS.items()},
    "authorization_authentication_expired": _(
        "The person sent the provider's sign-in form twice or too late, also after the login had been restarted."
    ),
    "authorization_duplicate_parameter": _("The answer contains the same parameter twice."),
    "authorization_state_missing": _("The answer does not belong to a login started here (no `state`)."),
    "authorization_state_unknown": _("The answer does not belong to a login started here (unknown `state`)."),
    "authorization_code_missing": _("The answer contains neither a code nor an error."),
    "authorization_code_malformed": _("The answer's code is too long or contains characters that are not allowed."),
    "authorization_issuer_missing": _(
        "The answer does not name the provider (`iss`), although the provider announces that it does: the browser or a "
        "device on the network may have removed it."
    ),
    "authorization_issuer_mismatch": _("The answer comes from another provider than the one the login started with."),
}

AUTHORIZATION_ERRORS: Final = frozenset(_AUTHORIZATION_ERRORS)

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {**_METADATA, **_JWKS, **_PROVIDER, **_TOKEN, **_ID_TOKEN, **_USERINFO, **_AUTHORIZATION}
)
# By stage, the replacement of {what} in _SIGNED.
_SUBJECTS = {"id_token": _("The ID token"), "userinfo": _("The userinfo answer")}


def sentence(code: str, translate: Callable[[str], str] = _) -> str:
    """Return the sentence of a code, translated by ``translate`` (English without it)."""
    text = translate(CODES[code])
    for stage, subject in _SUBJECTS.items():
        if code.startswith(stage):
            text = text.replace("{what}", translate(subject))
    return text
