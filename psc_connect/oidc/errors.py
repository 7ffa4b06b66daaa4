"""Exceptions of psc_connect.oidc. Their messages never contain input or secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from psc_connect.oidc.error_codes import CODES, sentence


class OIDCError(Exception):
    """The base class. `code` is a key of CODES; any other code is a ValueError. `stage` is the codes' prefix."""

    stage: ClassVar[str] = ""

    def __init__(self, code: str) -> None:
        if code not in CODES:
            raise ValueError(f"{code} is not a code of psc_connect.oidc")
        super().__init__(code)
        self.code = code

    @override
    def __str__(self) -> str:
        return f"{self.code}: {sentence(self.code)}"


@dataclass(frozen=True, slots=True)
class MetadataProblem:
    """A problem of the metadata. `field` is the member's name, or "" for the metadata as a whole."""

    field: str
    code: str


class MetadataError(OIDCError):
    """The metadata is not valid. `code` is the code of the first problem."""

    def __init__(self, problems: tuple[MetadataProblem, ...]) -> None:
        super().__init__(problems[0].code)
        self.problems = problems


class JWKSError(OIDCError):
    """The value is not a key set (RFC 7517 5)."""


class UnknownKey(OIDCError):
    """No known key verifies the token. The caller fetches the key set once and verifies the token again."""


class AuthorizationResponseError(OIDCError):
    """The callback's parameters are not a valid authorization response (RFC 6749 4.1.2, RFC 9207)."""


class ProviderUnavailable(OIDCError):
    """The provider gave no usable answer: network, TLS, time, size, redirect, outage."""


class TokenResponseError(OIDCError):
    """The token endpoint refused (RFC 6749 5.2), or its answer is not valid (OIDC Core 3.1.3.3)."""


class IDTokenError(OIDCError):
    """The ID token is not valid (OIDC Core 3.1.3.7). `rule` is the name of the broken rule, "" for the signature."""

    stage = "id_token"

    def __init__(self, code: str, *, rule: str = "") -> None:
        super().__init__(code)
        self.rule = rule


class UserinfoError(OIDCError):
    """The userinfo is not valid (OIDC Core 5.3)."""

    stage = "userinfo"
