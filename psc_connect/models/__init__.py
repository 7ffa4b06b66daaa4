"""The models: providers with their keys, mapping and rules; accounts; the audit log; used states."""

from __future__ import annotations

from psc_connect.models.access import AccessRule
from psc_connect.models.account import Account, AccountChange, AccountIdentifier, GroupGrant, UnlinkedAccount
from psc_connect.models.change import DeclarationChange
from psc_connect.models.choices import AskActivity, Display, Environment, Prompt, RequireIssuer, TokenEndpointAuthMethod
from psc_connect.models.claimed_state import ClaimedState
from psc_connect.models.fetch_times import ProviderFetchTimes
from psc_connect.models.mapping import ExportedAttribute, ExportedGroup
from psc_connect.models.provider import Provider, secret_allowed_for_issuer
from psc_connect.models.selection_rule import ProviderSelectionRule
from psc_connect.models.signing_key import SigningKey

__all__ = [
    "AccessRule",
    "Account",
    "AccountChange",
    "AccountIdentifier",
    "AskActivity",
    "ClaimedState",
    "DeclarationChange",
    "Display",
    "Environment",
    "ExportedAttribute",
    "ExportedGroup",
    "GroupGrant",
    "Prompt",
    "Provider",
    "ProviderFetchTimes",
    "ProviderSelectionRule",
    "RequireIssuer",
    "SigningKey",
    "TokenEndpointAuthMethod",
    "UnlinkedAccount",
    "secret_allowed_for_issuer",
]
