"""The discovery document and the key set (OpenID Connect Discovery 1.0, RFC 7517)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from psc_connect.simulator.exchange import json_response
from psc_connect.simulator.faults import Stage

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.exchange import Request, Response

REALM = "/auth/realms/esante-wallet"
_SANDBOX_ISSUER = "https://auth.bas.psc.esante.gouv.fr" + REALM
_SANDBOX_WALLET = "https://wallet.bas.psc.esante.gouv.fr"


@cache
def _sandbox() -> str:
    return files("psc_connect.simulator").joinpath("metadata.json").read_text(encoding="utf-8")


def document(origin: str) -> dict[str, Any]:
    """The sandbox's discovery document with the simulator's own origin in place of both its hosts."""
    text = _sandbox().replace(_SANDBOX_ISSUER, origin + REALM).replace(_SANDBOX_WALLET, origin)
    metadata: dict[str, Any] = json.loads(text)
    return metadata


def answer_metadata(simulator: Simulator, _request: Request) -> Response:
    return json_response(simulator.faults.change(Stage.METADATA, simulator.metadata))


def answer_jwks(simulator: Simulator, _request: Request) -> Response:
    return json_response(simulator.faults.change(Stage.JWKS, simulator.jwks))
