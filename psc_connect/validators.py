"""What the texts of a declaration may be made of."""

from __future__ import annotations

import ipaddress
import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from psc_connect.oidc.authorization import RESERVED_PARAMETERS

# RFC 6749 3.3 (scope-token) and OpenID Connect Core 3.1.2.1 (acr_values): visible ASCII, separated by single spaces.
space_separated = RegexValidator(
    r"^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*\Z",
    _("Write the values in plain characters, with one space between two of them."),
)


def validate_scope(value: str) -> None:
    """Refuse what is no list of scopes, and one that asks for no ID token (OpenID Connect Core 3.1.2.1)."""
    space_separated(value)
    if "openid" not in value.split():
        raise ValidationError(
            _("Write “openid” among the scopes: without it the provider says of nobody who they are."),
            code="scope_without_openid",
        )


# RFC 6749 A.1: what a client id may be made of.
client_id_characters = RegexValidator(
    r"^[\x21-\x7E]+\Z", _("A client id has no space, no accent and no invisible character: copy it again.")
)
# RFC 5646 2.1, as far as a login page can care.
language_tags = RegexValidator(
    r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*( [A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)*\Z",
    _("Write language tags such as fr or en-GB, with one space between two of them; or auto."),
)

# RFC 6749 8.2.
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
# RFC 9110 5.1 and 5.6.2.
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
_MAX_PARAMETERS = 20
_MAX_PARAMETER = 2000
TRANSLATED = {"button_text": 100, "button_tooltip": 255}


def can_be_kept(value: object) -> bool:
    """Whether every text in it can be: UTF-8 has no half of a character, PostgreSQL no NUL."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, str) and _UNKEEPABLE.search(each):
            return False
        if isinstance(each, dict):
            pending += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            pending += each
    return True


def validate_extra_parameters(parameters: object) -> None:
    """Refuse what is no ``{name: text}``, and every name that the protocol needs for itself."""
    if not isinstance(parameters, dict) or len(parameters) > _MAX_PARAMETERS:
        raise ValidationError(
            _("Write one parameter a line, as name = value; at most twenty."), code="extra_parameters_malformed"
        )
    for name, value in parameters.items():
        if not _PARAMETER_NAME.fullmatch(name) or not isinstance(value, str) or not 0 < len(value) <= _MAX_PARAMETER:
            raise ValidationError(
                _("“%(name)s” is no parameter: a name of letters, digits, “.”, “_” and “-”, and a value."),
                code="extra_parameters_malformed",
                params={"name": str(name)[:100]},
            )
        if name in RESERVED_PARAMETERS:
            raise ValidationError(
                _("“%(name)s” belongs to the protocol or has a field of its own here: it cannot be set so."),
                code="extra_parameters_reserved",
                params={"name": name},
            )


def validate_translations(translations: object) -> None:
    """Refuse what is no ``{language: {"button_text": …, "button_tooltip": …}}``."""
    if not isinstance(translations, dict) or not all(
        isinstance(language, str) and _LANGUAGE.fullmatch(language) and _are_texts(texts)
        for language, texts in translations.items()
    ):
        raise ValidationError(
            _('Translations are written {"fr": {"button_text": "…", "button_tooltip": "…"}}.'),
            code="translations_malformed",
        )


def _are_texts(texts: object) -> bool:
    return isinstance(texts, dict) and all(
        name in TRANSLATED and isinstance(text, str) and len(text) <= TRANSLATED[name] for name, text in texts.items()
    )


def validate_static_path(value: str) -> None:
    """Refuse an address: a picture on somebody else's server would tell it of every visitor."""
    if value.startswith(("/", "\\")) or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value) or not value.isprintable():
        raise ValidationError(
            _("Write the path of a static file of this site, such as hospital/logo.svg, and no address."),
            code="static_path_malformed",
        )


def validate_thumbprints(value: object) -> None:
    """Refuse what is no list of RFC 7638 thumbprints, SHA-256 in base64url."""
    if not isinstance(value, list) or not all(
        isinstance(each, str) and re.fullmatch(r"[A-Za-z0-9_-]{43}", each) for each in value
    ):
        raise ValidationError(_("This is no list of thumbprints of keys."), code="thumbprints_malformed")


def validate_network(value: str) -> None:
    try:
        ipaddress.ip_network(value)
    except ValueError as exc:
        raise ValidationError(
            _("This is no address or network such as 10.20.0.0/16 or 2001:db8::/32 (no bit set behind the prefix)."),
            code="selection_network_malformed",
        ) from exc


def validate_host_name(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", value):
        raise ValidationError(
            _("Write the host name alone, such as records.example.org: no scheme, no port, no path."),
            code="selection_host_malformed",
        )


def validate_header_name(value: str) -> None:
    if not _HEADER_NAME.fullmatch(value):
        raise ValidationError(
            _("Write the name of a request header, such as X-Site."), code="selection_header_malformed"
        )
