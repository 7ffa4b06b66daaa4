"""LemonLDAP::NG configurations as its Manager writes them, and calls of the command that reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.configuration.commands import call
from tests.conftest import CLIENT_ID, CLIENT_SECRET

if TYPE_CHECKING:
    from pathlib import Path


NAME = "psc-connect"
# The values that LemonLDAP::NG documents for Pro Santé Connect (2.16), and the defaults that its Manager writes.
AS_DOCUMENTED = {
    "ClientID": CLIENT_ID,
    "ClientSecret": CLIENT_SECRET,
    "Scope": "openid scope_all",
    "AcrValues": "eidas2",
    "DisplayName": "Pro Santé Connect",
    "Icon": "psc.png",
    "CheckJWTSignature": 1,
    "IDTokenMaxAge": 30,
    "JWKSTimeout": 0,
    "MaxAge": 0,
    "StoreIDToken": 0,
    "TokenEndpointAuthMethod": "client_secret_post",
    "UseNonce": 1,
}
# Each option of its Manager, from 2.16 to 2.23, with a value.
EVERY_OPTION = {
    **AS_DOCUMENTED,
    "AuthEndpointExtraParams": {"kc_idp_hint": "x", "state": "mine", "claims": "{}"},
    "AuthnEndpointAuthMethod": "jws",
    "AuthnEndpointAuthSigAlg": "RS256",
    "CheckJWTSignature": 0,
    "Comment": "Declared in 2021",
    "ConfigurationURI": "https://auth.example.org/.well-known/openid-configuration",
    "Display": "touch",
    "JWKSTimeout": 3600,
    "MaxAge": 900,
    "NoJwtHeader": 1,
    "Prompt": "login",
    "RequireIss": 1,
    "RequirePkce": 0,
    "ProviderSelectionRule": "$env->{REMOTE_ADDR} =~ /^10\\./",
    "ResponseMode": "form_post",
    "SigningKey": "default",
    "SortNumber": 7,
    "StoreIDToken": 1,
    "TokenEndpointAuthSigAlg": "RS256",
    "Tooltip": "Avec la carte",
    "UiLocales": "fr, en",
    "UseNonce": 0,
    "UsePAR": "required",
    "UserAttribute": "SubjectNameID",
    "UserinfoSource": "id_token",
}


def configuration(metadata: Any, options: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """Return the parts of a lmConf-N.json that concern one provider."""
    named = {f"oidcOPMetaDataOptions{name}": value for name, value in options.items()}
    return {
        "cfgNum": 12,
        "cfgVersion": "2.16.1",
        "authentication": "OpenIDConnect",
        "portal": "https://auth.example.com/",
        "exportedVars": {},
        "oidcOPMetaDataJSON": {NAME: metadata if isinstance(metadata, str) else json.dumps(metadata)},
        "oidcOPMetaDataOptions": {NAME: named},
        "oidcOPMetaDataExportedVars": {NAME: {"givenName": "given_name", "sn": "family_name", "uid": "SubjectNameID"}},
        **parts,
    }


def keys_of(*keys: dict[str, Any]) -> dict[str, str]:
    return {NAME: json.dumps({"keys": keys})}


def run(folder: Path, document: Any, *arguments: str) -> Any:
    file = folder / "lmConf-12.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return call("psc_import_lemonldap", str(file), *arguments)


def notes_of(called: Any) -> dict[str, str]:
    """Return the options that were not imported unchanged, with the reason."""
    notes = called.text.partition("changed or not imported:\n")[2]
    return dict(line.strip().split(": ", 1) for line in notes.splitlines() if line.startswith("  "))
