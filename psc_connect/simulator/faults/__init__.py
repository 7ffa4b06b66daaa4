"""The faults of the simulator: each one changes one thing of an otherwise correct provider."""

from __future__ import annotations

# Each module registers its faults when it is imported.
from psc_connect.simulator.faults import (
    http_responses,
    id_token,
    id_token_signature,
    metadata,
    redirects,
    token_response,
    userinfo,
)
from psc_connect.simulator.faults.mechanism import FAULTS, Fault, Faults, Stage

__all__ = [
    "FAULTS",
    "Fault",
    "Faults",
    "Stage",
    "http_responses",
    "id_token",
    "id_token_signature",
    "metadata",
    "redirects",
    "token_response",
    "userinfo",
]
