"""Each wrong answer by name: every fault changes one thing of an otherwise right provider."""

from __future__ import annotations

from psc_connect.simulator.faults import documents, id_token, redirects, signature, userinfo, wire
from psc_connect.simulator.faults.registry import FAULTS, Fault, Faults, Stage

__all__ = [
    "FAULTS",
    "Fault",
    "Faults",
    "Stage",
    "documents",
    "id_token",
    "redirects",
    "signature",
    "userinfo",
    "wire",
]
