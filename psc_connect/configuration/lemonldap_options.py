"""Each option of an OpenID provider in the Manager of LemonLDAP::NG (2.16 to 2.23), and what becomes of it here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from psc_connect.models import Display, Prompt, TokenEndpointAuthMethod
from psc_connect.oidc.authorization import RESERVED_PARAMETERS

if TYPE_CHECKING:
    from django.db.models import TextChoices

    from psc_connect.configuration.lemonldap import ProviderNode

# What Pro Santé Connect's documentation has said to ask for, then and now.
ACR_OF_PSC = ("eidas1", "eidas2")
ALWAYS = gettext_noop("This package always does so.")
NOT_YET = gettext_noop("This package does not offer it.")
# Why an option is not taken over, whatever its value.
NOT_TAKEN = {
    "ConfigurationURI": gettext_noop("The document is looked for at the issuer's own addresses."),
    "JWKSTimeout": gettext_noop(
        "Keys are fetched again at the age of PSC_CONNECT_JWKS_MAX_AGE, and when one is unknown."
    ),
    "StoreIDToken": gettext_noop("The ID token is always kept, encrypted, for the sign-out."),
    "IDTokenMaxAge": gettext_noop("An ID token may be ten minutes old, with a leeway of one minute."),
    "Icon": gettext_noop("Put the picture among the static files of this site, and its path into “button logo”."),
    "ProviderSelectionRule": gettext_noop("It is Perl: write resolution rules on the provider's page, as plain rows."),
    "CheckJWTSignature": ALWAYS,
    "UseNonce": ALWAYS,
    "RequirePkce": ALWAYS,
    "NoJwtHeader": NOT_YET,
    "AuthnEndpointAuthMethod": NOT_YET,
    "AuthnEndpointAuthSigAlg": NOT_YET,
    "TokenEndpointAuthSigAlg": NOT_YET,
    "SigningKey": NOT_YET,
    "UsePAR": NOT_YET,
    "ResponseMode": NOT_YET,
}
# Where the value says what this package does anyway, there is nothing to note.
UNREMARKABLE = {"CheckJWTSignature": 1, "UseNonce": 1, "RequirePkce": 1, "StoreIDToken": 1, "ResponseMode": "query"}


Taker = Callable[["ProviderNode", str, Any], None]


def _text(name: str) -> Taker:
    def take(provider: ProviderNode, _option: str, value: Any) -> None:
        provider.declaration[name] = str(value)

    return take


def _words(name: str) -> Taker:
    def take(provider: ProviderNode, _option: str, value: Any) -> None:
        provider.declaration[name] = " ".join(str(value).replace(",", " ").split())

    return take


def _choice(name: str, choices: type[TextChoices]) -> Taker:
    def take(provider: ProviderNode, option: str, value: Any) -> None:
        if value in choices.values:
            provider.declaration[name] = value
        else:
            provider.note(option, _("This package does not offer “%(value)s”.") % {"value": str(value)[:50]})

    return take


def _number(name: str) -> Taker:
    def take(provider: ProviderNode, option: str, value: Any) -> None:
        try:
            number = int(value)
        except (TypeError, ValueError):
            provider.note(option, _("This is no number."))
            return
        # An age of nothing is LemonLDAP::NG's way to ask for none.
        if number or name != "max_age":
            provider.declaration[name] = number

    return take


def _take_acr(provider: ProviderNode, option: str, value: Any) -> None:
    """Ask for it; demand it of the answer too, as LemonLDAP::NG does, unless that would refuse everybody."""
    _words("acr_values")(provider, option, value)
    if provider.declaration["acr_values"] not in ACR_OF_PSC:
        provider.declaration["accepted_acr_values"] = provider.declaration["acr_values"]
        return
    text = _("It is asked for and not demanded: Pro Santé Connect answers eidas1 (e-CPS) or eidas3 (card), or nothing.")
    provider.note(option, text)


def _take_iss(provider: ProviderNode, option: str, value: Any) -> None:
    if str(value) == "1":
        provider.note(option, _("It is required where the provider's metadata announces it, and always compared."))


def _take_parameters(provider: ProviderNode, option: str, value: Any) -> None:
    given = {str(name): str(each) for name, each in value.items()} if isinstance(value, dict) else {}
    refused = sorted(given.keys() & RESERVED_PARAMETERS)
    for name in refused:
        provider.note(f"{option}.{name}", _("This parameter belongs to the protocol, or has a field of its own here."))
    provider.declaration["extra_parameters"] = {name: each for name, each in given.items() if name not in refused}


def _take_source(provider: ProviderNode, option: str, value: Any) -> None:
    if value != "userinfo":
        provider.note(option, _("Attributes are read from the userinfo."))


TAKEN: dict[str, Taker] = {
    "AcrValues": _take_acr,
    "AuthEndpointExtraParams": _take_parameters,
    "ClientID": _text("client_id"),
    "Comment": _text("comment"),
    "Display": _choice("display", Display),
    "DisplayName": _text("button_text"),
    "MaxAge": _number("max_age"),
    "Prompt": _choice("prompt", Prompt),
    "RequireIss": _take_iss,
    "Scope": _words("scope"),
    "SortNumber": _number("sort_order"),
    "TokenEndpointAuthMethod": _choice("token_endpoint_auth_method", TokenEndpointAuthMethod),
    "Tooltip": _text("button_tooltip"),
    "UiLocales": _words("ui_locales"),
    "UserAttribute": lambda provider, _option, value: provider.name_users_by(str(value)),
    "UserinfoSource": _take_source,
}
