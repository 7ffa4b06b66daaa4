"""The models: providers with their keys, mapping and rules; accounts; the audit log; used states."""

from __future__ import annotations

from psc_connect.models.access import AccessRule
from psc_connect.models.account import Account, AccountIdentifier
from psc_connect.models.account import AccountChange as AccountChange
from psc_connect.models.account import GroupGrant as GroupGrant
from psc_connect.models.account import UnlinkedAccount as UnlinkedAccount
from psc_connect.models.change import DeclarationChange as DeclarationChange
from psc_connect.models.choices import AskActivity, Display, Environment, Prompt, RequireIssuer, TokenEndpointAuthMethod
from psc_connect.models.claimed_state import ClaimedState as ClaimedState
from psc_connect.models.fetch_times import ProviderFetchTimes as ProviderFetchTimes
from psc_connect.models.mapping import ExportedAttribute, ExportedGroup
from psc_connect.models.provider import Provider
from psc_connect.models.provider import secret_allowed_for_issuer as secret_allowed_for_issuer
from psc_connect.models.selection_rule import ProviderSelectionRule
from psc_connect.models.signing_key import SigningKey

# The public ones (docs/api.md). The package also imports those with "as" from here.
__all__ = [
    "AccessRule",
    "Account",
    "AccountIdentifier",
    "AskActivity",
    "Display",
    "Environment",
    "ExportedAttribute",
    "ExportedGroup",
    "Prompt",
    "Provider",
    "ProviderSelectionRule",
    "RequireIssuer",
    "SigningKey",
    "TokenEndpointAuthMethod",
]
