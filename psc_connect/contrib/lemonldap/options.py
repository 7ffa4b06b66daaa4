"""The options of an OpenID provider in the Manager of LemonLDAP::NG (2.16 to 2.23), and how each is converted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from psc_connect.fields import StoredSecret
from psc_connect.models import Display, Prompt, TokenEndpointAuthMethod
from psc_connect.oidc.authorization import RESERVED_PARAMETERS

if TYPE_CHECKING:
    from django.db.models import TextChoices

    from psc_connect.contrib.lemonldap.conversion import ConvertedProvider

# The values that Pro Santé Connect's documentation has recommended.
ACR_OF_PSC = ("eidas1", "eidas2")
ALWAYS = gettext_noop("This package always does this.")
NOT_SUPPORTED = gettext_noop("This package does not support it.")
# Options that are not converted, whatever their value, and why.
NOT_CONVERTED = {
    "ConfigurationURI": gettext_noop("The metadata is fetched from the issuer's own addresses."),
    "JWKSTimeout": gettext_noop("Keys are fetched again after PSC_CONNECT_JWKS_MAX_AGE, and when one is unknown."),
    "StoreIDToken": gettext_noop("The ID token is always stored, encrypted, for the sign-out."),
    "IDTokenMaxAge": gettext_noop("An ID token may be ten minutes old, with a leeway of one minute."),
    "Icon": gettext_noop("Add the picture to the static files of this site, and enter its path in “button logo”."),
    "ProviderSelectionRule": gettext_noop(
        "It is Perl: write provider selection rules on the provider's page, as simple rows."
    ),
    "CheckJWTSignature": ALWAYS,
    "UseNonce": ALWAYS,
    "RequirePkce": ALWAYS,
    "NoJwtHeader": NOT_SUPPORTED,
    "AuthnEndpointAuthMethod": NOT_SUPPORTED,
    "AuthnEndpointAuthSigAlg": NOT_SUPPORTED,
    "TokenEndpointAuthSigAlg": NOT_SUPPORTED,
    "SigningKey": NOT_SUPPORTED,
    "UsePAR": NOT_SUPPORTED,
    "ResponseMode": NOT_SUPPORTED,
}
# Values that are what this package does anyway: no note is needed.
EQUIVALENT_VALUES = {
    "CheckJWTSignature": 1,
    "UseNonce": 1,
    "RequirePkce": 1,
    "StoreIDToken": 1,
    "ResponseMode": "query",
}

# Arguments: the provider that is converted, the full name of the option, its value.
Converter = Callable[["ConvertedProvider", str, Any], None]


def _text(name: str) -> Converter:
    def convert(provider: ConvertedProvider, _option: str, value: Any) -> None:
        provider.declaration[name] = str(value)

    return convert


def _words(name: str) -> Converter:
    def convert(provider: ConvertedProvider, _option: str, value: Any) -> None:
        provider.declaration[name] = " ".join(str(value).replace(",", " ").split())

    return convert


def _choice(name: str, choices: type[TextChoices]) -> Converter:
    def convert(provider: ConvertedProvider, option: str, value: Any) -> None:
        if value in choices.values:
            provider.declaration[name] = value
        else:
            provider.note(option, _("This package does not support “%(value)s”.") % {"value": str(value)[:50]})

    return convert


def _number(name: str) -> Converter:
    def convert(provider: ConvertedProvider, option: str, value: Any) -> None:
        try:
            number = int(value)
        except (TypeError, ValueError):
            provider.note(option, _("This is not a number."))
            return
        # In LemonLDAP::NG, 0 means no maximum age.
        if number or name != "max_age":
            provider.declaration[name] = number

    return convert


def _convert_acr(provider: ConvertedProvider, option: str, value: Any) -> None:
    """Request the ACR; also require it, as LemonLDAP::NG does, unless that would refuse everybody."""
    _words("acr_values")(provider, option, value)
    if provider.declaration["acr_values"] not in ACR_OF_PSC:
        provider.declaration["accepted_acr_values"] = provider.declaration["acr_values"]
        return
    text = _("It is requested but not required: Pro Santé Connect answers eidas1 (e-CPS) or eidas3 (card), or nothing.")
    provider.note(option, text)


def _convert_secret(provider: ConvertedProvider, _option: str, value: Any) -> None:
    if isinstance(value, str):
        provider.secret = StoredSecret.encrypt(value)


def _convert_require_iss(provider: ConvertedProvider, option: str, value: Any) -> None:
    if str(value) == "1":
        provider.note(option, _("It is required if the provider's metadata announces it, and always compared."))


def _convert_parameters(provider: ConvertedProvider, option: str, value: Any) -> None:
    given = {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else {}
    reserved = sorted(given.keys() & RESERVED_PARAMETERS)
    for name in reserved:
        provider.note(f"{option}.{name}", _("This parameter is reserved by the protocol, or has its own field here."))
    provider.declaration["extra_parameters"] = {name: text for name, text in given.items() if name not in reserved}


def _convert_userinfo_source(provider: ConvertedProvider, option: str, value: Any) -> None:
    if value != "userinfo":
        provider.note(option, _("Attributes are read from the userinfo."))


CONVERTERS: dict[str, Converter] = {
    "AcrValues": _convert_acr,
    "AuthEndpointExtraParams": _convert_parameters,
    "ClientID": _text("client_id"),
    "ClientSecret": _convert_secret,
    "Comment": _text("comment"),
    "Display": _choice("display", Display),
    "DisplayName": _text("button_text"),
    "MaxAge": _number("max_age"),
    "Prompt": _choice("prompt", Prompt),
    "RequireIss": _convert_require_iss,
    "Scope": _words("scope"),
    "SortNumber": _number("sort_order"),
    "TokenEndpointAuthMethod": _choice("token_endpoint_auth_method", TokenEndpointAuthMethod),
    "Tooltip": _text("button_tooltip"),
    "UiLocales": _words("ui_locales"),
    "UserAttribute": lambda provider, _option, value: provider.set_username_claim(str(value)),
    "UserinfoSource": _convert_userinfo_source,
}
