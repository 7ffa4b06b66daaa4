"""The causes of a failed TLS handshake, as error codes."""

from __future__ import annotations

import ssl
from typing import Final

from psc_connect.oidc.errors import ProviderUnavailable, detail_of

# OpenSSL's X509_V_ERR_… (x509_vfy.h): Python has no names for them.
_CERTIFICATE_CODES: Final = {
    2: "provider_tls_unknown_authority",
    9: "provider_tls_not_yet_valid",
    10: "provider_tls_expired",
    18: "provider_tls_unknown_authority",
    19: "provider_tls_unknown_authority",
    20: "provider_tls_unknown_authority",
    21: "provider_tls_unknown_authority",
    62: "provider_tls_other_host",
    64: "provider_tls_other_host",
}
# We send no certificate: a complaint about ours means that one was demanded (RFC 8446 4.4.2.4; Java says the second).
_CERTIFICATE_ALERTS: Final = ("ALERT_CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE")


def raise_for_cause(exc: ssl.SSLError, *, is_cipher_agreed: bool) -> None:
    """Raise ProviderUnavailable with the cause of a TLS failure; return if it is not one of those that have a code.

    ``is_cipher_agreed``: whether the server had chosen a cipher. A handshake that it ends after that was ended for
    want of a client certificate (RFC 5246 7.4.6); before, for want of a common cipher.
    """
    if isinstance(exc, ssl.SSLCertVerificationError):
        code = _CERTIFICATE_CODES.get(exc.verify_code, "provider_tls_failed")
        raise ProviderUnavailable(code, detail=detail_of(exc.verify_message)) from exc
    # One that was raised in Python, as gevent does for a time-out, has no reason.
    reason = getattr(exc, "reason", None) or ""
    is_refused = reason.endswith("ALERT_HANDSHAKE_FAILURE") and is_cipher_agreed
    if is_refused or reason.endswith(_CERTIFICATE_ALERTS):
        raise ProviderUnavailable("provider_tls_client_certificate") from exc
