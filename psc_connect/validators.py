"""Validators for the fields of a provider."""

from __future__ import annotations

import ipaddress
import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from psc_connect.oidc.authorization import RESERVED_PARAMETERS
from psc_connect.oidc.strict_json import walk

# RFC 6749 3.3 (scope-token) and OpenID Connect Core 3.1.2.1 (acr_values): visible ASCII, separated by single spaces.
space_separated = RegexValidator(
    r"^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*\Z",
    _("Write the values in ASCII characters without accents, separated by one space."),
)


def validate_scope(value: str) -> None:
    """Validate that ``value`` is a list of scopes with ``openid`` (OpenID Connect Core 3.1.2.1)."""
    space_separated(value)
    if "openid" not in value.split():
        raise ValidationError(
            _("Include “openid” in the scopes: without it the provider identifies nobody."),
            code="scope_without_openid",
        )


# RFC 6749 A.1 (client-id), without the space.
client_id_characters = RegexValidator(
    r"^[\x21-\x7E]+\Z", _("A client id has no space, accent or invisible character: copy it again.")
)
# RFC 5646 2.1, simplified.
language_tags = RegexValidator(
    r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*( [A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)*\Z",
    _("Write language tags such as fr or en-GB, separated by one space; or auto."),
)

# RFC 6749 8.2.
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
_MAX_PARAMETERS = 20
_MAX_PARAMETER = 2000
TRANSLATED = {"button_text": 100, "button_tooltip": 255}


def can_be_stored(value: object) -> bool:
    """Whether a database can store every text in a JSON value: not a lone surrogate (UTF-8) or NUL (PostgreSQL)."""
    return not any(isinstance(part, str) and _NOT_STORABLE.search(part) for part, _depth in walk(value))


def validate_extra_parameters(parameters: object) -> None:
    """Validate that ``parameters`` is ``{name: text}`` without names reserved by the protocol."""
    if not isinstance(parameters, dict) or len(parameters) > _MAX_PARAMETERS:
        raise ValidationError(
            _("Write one parameter per line, as name = value; at most twenty."), code="extra_parameters_malformed"
        )
    for name, value in parameters.items():
        if not _PARAMETER_NAME.fullmatch(name) or not isinstance(value, str) or not 0 < len(value) <= _MAX_PARAMETER:
            raise ValidationError(
                _("“%(name)s” is not a parameter: it needs a name of letters, digits, “.”, “_” and “-”, and a value."),
                code="extra_parameters_malformed",
                params={"name": str(name)[:100]},
            )
        if name in RESERVED_PARAMETERS:
            raise ValidationError(
                _("“%(name)s” is reserved by the protocol or has its own field: it cannot be set here."),
                code="extra_parameters_reserved",
                params={"name": name},
            )


def validate_translations(translations: object) -> None:
    """Validate that ``translations`` is ``{language: {"button_text": …, "button_tooltip": …}}``."""
    if not isinstance(translations, dict) or not all(
        isinstance(language, str) and _LANGUAGE.fullmatch(language) and _are_texts(texts)
        for language, texts in translations.items()
    ):
        raise ValidationError(
            _('Write translations as {"fr": {"button_text": "…", "button_tooltip": "…"}}.'),
            code="translations_malformed",
        )


def _are_texts(texts: object) -> bool:
    return isinstance(texts, dict) and all(
        name in TRANSLATED and isinstance(text, str) and len(text) <= TRANSLATED[name] for name, text in texts.items()
    )


def validate_static_path(value: str) -> None:
    """Refuse a URL: a picture on another server would reveal every visitor to it."""
    if value.startswith(("/", "\\")) or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value) or not value.isprintable():
        raise ValidationError(
            _("Write the path of a static file of this site, such as hospital/logo.svg, not a URL."),
            code="static_path_malformed",
        )


def validate_thumbprints(value: object) -> None:
    """Validate that ``value`` is a list of RFC 7638 thumbprints (SHA-256 in base64url)."""
    if not isinstance(value, list) or not all(
        isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]{43}", text) for text in value
    ):
        raise ValidationError(_("This is not a list of key thumbprints."), code="thumbprints_malformed")


def validate_network(value: str) -> None:
    try:
        ipaddress.ip_network(value)
    except ValueError as exc:
        raise ValidationError(
            _("This is not an address or network such as 10.20.0.0/16 or 2001:db8::/32 (no bit set after the prefix)."),
            code="selection_network_malformed",
        ) from exc


validate_host_name = RegexValidator(
    r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\Z",
    _("Write only the host name, such as records.example.org: no scheme, no port, no path."),
    code="selection_host_malformed",
)
# RFC 9110 5.1 and 5.6.2.
validate_header_name = RegexValidator(
    r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z",
    _("Write the name of a request header, such as X-Site."),
    code="selection_header_malformed",
)
