"""What the package keeps: providers with what is mapped and decided for them, accounts, states already used."""

from __future__ import annotations

from psc_connect.models.access import AccessRule
from psc_connect.models.account import Account, AccountChange, AccountIdentifier, GroupGrant, UnlinkedAccount
from psc_connect.models.change import DeclarationChange
from psc_connect.models.mapping import ExportedAttribute, ExportedGroup
from psc_connect.models.provider import (
    AskCapacity,
    Display,
    Environment,
    Prompt,
    Provider,
    RequireIssuer,
    TokenEndpointAuthMethod,
    may_go_to,
)
from psc_connect.models.resolution import ResolutionRule
from psc_connect.models.state import ClaimedState

__all__ = [
    "AccessRule",
    "Account",
    "AccountChange",
    "AccountIdentifier",
    "AskCapacity",
    "ClaimedState",
    "DeclarationChange",
    "Display",
    "Environment",
    "ExportedAttribute",
    "ExportedGroup",
    "GroupGrant",
    "Prompt",
    "Provider",
    "RequireIssuer",
    "ResolutionRule",
    "TokenEndpointAuthMethod",
    "UnlinkedAccount",
    "may_go_to",
]
