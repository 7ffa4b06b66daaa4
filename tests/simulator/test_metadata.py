from __future__ import annotations

import base64
import hashlib
import json

import jwt
import pytest
import requests

from psc_connect.environments import load_metadata
from psc_connect.simulator import Simulator, run_simulator
from psc_connect.simulator.signing_keys import ALGORITHMS, SimulatorKeys, generate
from tests.simulator.service import CLIENT, Service


def test_the_metadata_is_that_of_the_sandbox_on_our_origin(simulator: Simulator) -> None:
    sandbox = json.dumps(load_metadata("sandbox"))
    for host in ("https://auth.bas.psc.esante.gouv.fr", "https://wallet.bas.psc.esante.gouv.fr"):
        sandbox = sandbox.replace(host, simulator.origin)

    assert simulator.metadata == json.loads(sandbox)
    assert "esante.gouv.fr" not in json.dumps(simulator.metadata)


def test_the_issuer_is_the_realm_on_our_origin(simulator: Simulator) -> None:
    assert simulator.issuer == simulator.metadata["issuer"] == f"{simulator.origin}/auth/realms/esante-wallet"


@pytest.mark.parametrize("name", ["wallet-openid-configuration", "openid-configuration"])
def test_both_discovery_paths_send_the_metadata(simulator: Simulator, service: Service, name: str) -> None:
    response = service.session.get(f"{simulator.issuer}/.well-known/{name}", timeout=10)

    assert response.json() == simulator.metadata
    assert response.headers["Content-Type"] == "application/json"


def test_the_discovery_url_is_the_one_of_pro_sante_connect(simulator: Simulator) -> None:
    assert simulator.discovery_url == f"{simulator.issuer}/.well-known/wallet-openid-configuration"


def test_the_key_set_has_one_signing_and_one_encryption_key(simulator: Simulator, service: Service) -> None:
    published = service.session.get(simulator.metadata["jwks_uri"], timeout=10).json()

    assert published == simulator.jwks
    assert [(key["kty"], key["use"], key["alg"]) for key in published["keys"]] == [
        ("RSA", "sig", "RS256"),
        ("RSA", "enc", "RSA-OAEP"),
    ]


def test_the_key_set_has_no_private_member(simulator: Simulator) -> None:
    for key in simulator.jwks["keys"]:
        assert set(key) == {"kid", "alg", "use", "kty", "n", "e"}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_kid_is_the_thumbprint_of_its_key(algorithm: str) -> None:
    """RFC 7638 3: the SHA-256 of the required members, sorted, without white space."""
    key = SimulatorKeys(algorithm).current.public
    required = {name: key[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in key}
    text = "{" + ",".join(f'"{name}":"{value}"' for name, value in required.items()) + "}"

    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    assert key["kid"] == digest.rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_announced_algorithm_signs(algorithm: str) -> None:
    with run_simulator(clients=[CLIENT], signing_algorithm=algorithm) as simulator:
        service = Service(simulator)
        raw = service.tokens()["id_token"]
        service.session.close()

        assert jwt.get_unverified_header(raw)["alg"] == algorithm
        assert service.verified(raw, algorithm)["aud"] == CLIENT.client_id


def test_an_unsupported_algorithm_is_refused() -> None:
    with pytest.raises(ValueError, match="signing_algorithm must be one of RS256"):
        generate("HS256")


def test_rotation_signs_with_a_new_key_and_keeps_the_old_one(simulator: Simulator, service: Service) -> None:
    old = service.tokens()["id_token"]
    new_key = simulator.rotate_keys()
    new = service.tokens()["id_token"]

    assert jwt.get_unverified_header(new)["kid"] == new_key.kid != jwt.get_unverified_header(old)["kid"]
    assert service.verified(old)["sub"] == service.verified(new)["sub"]


def test_rotation_can_withdraw_the_old_key(simulator: Simulator, service: Service) -> None:
    old = service.tokens()["id_token"]
    new_key = simulator.rotate_keys(withdraw_old=True)

    assert [key["kid"] for key in simulator.jwks["keys"] if key["use"] == "sig"] == [new_key.kid]
    with pytest.raises(KeyError):
        service.verified(old)


def test_two_simulators_never_share_a_signing_key() -> None:
    with run_simulator() as one, run_simulator() as other:
        assert one.keys.current.kid != other.keys.current.kid


def test_a_key_is_reused_after_its_simulator_has_stopped() -> None:
    with run_simulator() as simulator:
        kids = {simulator.keys.current.kid}
    with run_simulator() as simulator, run_simulator() as other:
        kids.add(simulator.keys.current.kid)
        kids.add(other.keys.current.kid)

    assert len(kids) == 2


def test_the_key_set_of_a_stopped_simulator_is_not_served() -> None:
    with run_simulator() as simulator:
        url = simulator.metadata["jwks_uri"]
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)
