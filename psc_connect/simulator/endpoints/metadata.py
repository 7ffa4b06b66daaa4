"""The provider metadata and the key set (OpenID Connect Discovery 1.0, RFC 7517)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from psc_connect.simulator.faults import Stage
from psc_connect.simulator.http_messages import json_response

if TYPE_CHECKING:
    from psc_connect.simulator.app import Simulator
    from psc_connect.simulator.http_messages import Request, Response

REALM = "/auth/realms/esante-wallet"
_SANDBOX_ISSUER = "https://auth.bas.psc.esante.gouv.fr" + REALM
_SANDBOX_WALLET_ORIGIN = "https://wallet.bas.psc.esante.gouv.fr"


@cache
def _sandbox_metadata() -> str:
    return files("psc_connect.simulator").joinpath("metadata.json").read_text(encoding="utf-8")


def build_metadata(origin: str) -> dict[str, Any]:
    """Return the metadata of the sandbox, with both hosts replaced by the simulator's origin."""
    text = _sandbox_metadata().replace(_SANDBOX_ISSUER, origin + REALM).replace(_SANDBOX_WALLET_ORIGIN, origin)
    metadata: dict[str, Any] = json.loads(text)
    return metadata


def answer_metadata(simulator: Simulator, _request: Request) -> Response:
    return json_response(simulator.faults.apply(Stage.METADATA, simulator.metadata))


def answer_jwks(simulator: Simulator, _request: Request) -> Response:
    return json_response(simulator.faults.apply(Stage.JWKS, simulator.jwks))
