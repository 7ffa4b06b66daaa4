"""A real Keycloak, configured like Pro Santé Connect.

``python -m tests.interop.keycloak HOME PORT`` runs one until it is stopped, for manual tests and for `.ci/run`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests

import psc_connect

REALM_FILE = Path(__file__).with_name("realm.json")
PAYLOADS = Path(psc_connect.__file__).parent / "claims" / "samples"
REALM = "esante-wallet"
PASSWORD = "a password of a test"
ADMINISTRATOR = "admin"
START_SECONDS = 180


def people() -> dict[str, dict[str, Any]]:
    """Return the shared userinfo payloads by their file name, which is the username at Keycloak."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(PAYLOADS.glob("*.json"))}


def realm() -> dict[str, Any]:
    """Return `realm.json` with a user for each payload: each claim is an attribute, in JSON except for `sub`."""
    representation: dict[str, Any] = json.loads(REALM_FILE.read_text("utf-8"))
    representation["users"] = [
        {
            "username": name,
            "enabled": True,
            "email": f"{name}@example.org",
            "firstName": "Not sent",
            "lastName": "Not sent",
            "credentials": [{"type": "password", "value": PASSWORD}],
            "attributes": {
                claim: [value if claim == "sub" else json.dumps(value, ensure_ascii=False)]
                for claim, value in claims.items()
            },
        }
        for name, claims in people().items()
    ]
    return representation


@dataclass(frozen=True, slots=True)
class Keycloak:
    """A realm of a running Keycloak. `base` ends in `/auth`, as that of Pro Santé Connect."""

    base: str
    realm: str = REALM

    @property
    def issuer(self) -> str:
        return f"{self.base}/realms/{self.realm}"

    def endpoint(self, name: str) -> str:
        return f"{self.issuer}/protocol/openid-connect/{name}"

    def metadata(self) -> dict[str, Any]:
        return self._json("GET", f"{self.issuer}/.well-known/openid-configuration")

    def jwks(self) -> dict[str, Any]:
        return self._json("GET", self.endpoint("certs"))

    @contextmanager
    def rotated_key(self) -> Iterator[str]:
        """Sign with a new RSA key inside the block, and yield its kid. The old one stays published."""
        known = {key["kid"] for key in self.jwks()["keys"]}
        component = {
            "name": "rotated",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["200"], "algorithm": ["RS256"], "keySize": ["2048"]},
        }
        created = self._admin("POST", "/components", json=component).headers["Location"]
        try:
            (kid,) = {key["kid"] for key in self.jwks()["keys"]} - known
            yield kid
        finally:
            self._admin("DELETE", f"/components/{created.rsplit('/', 1)[1]}")

    @contextmanager
    def temporary_realm(self, name: str, clients: list[dict[str, Any]]) -> Iterator[Keycloak]:
        """Create a realm with these clients, and delete it after the block."""
        other = replace(self, realm=name)
        replace(self, realm="")._admin("POST", "", json={"realm": name, "enabled": True, "clients": clients})
        try:
            yield other
        finally:
            other._admin("DELETE", "")

    def change(self, **members: Any) -> None:
        self._admin("PUT", "", json=members)

    def _admin(self, method: str, path: str, **arguments: Any) -> requests.Response:
        grant = {
            "grant_type": "password",
            "client_id": "admin-cli",
            "username": ADMINISTRATOR,
            "password": PASSWORD,
        }
        token = self._json("POST", f"{self.base}/realms/master/protocol/openid-connect/token", data=grant)
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        url = f"{self.base}/admin/realms{f'/{self.realm}' if self.realm else ''}{path}"
        response = requests.request(method, url, headers=headers, timeout=30, **arguments)
        response.raise_for_status()
        return response

    def _json(self, method: str, url: str, **arguments: Any) -> dict[str, Any]:
        response = requests.request(method, url, timeout=30, **arguments)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


@contextmanager
def run_keycloak(home: Path, port: int, *, log: Path) -> Iterator[Keycloak]:
    """Run the unpacked Keycloak in `home` on a loopback port. The first start takes 35 seconds."""
    imported = home / "data" / "import" / "realm.json"
    imported.parent.mkdir(parents=True, exist_ok=True)
    imported.write_text(json.dumps(realm()), "utf-8")
    command = [
        str(home / "bin" / "kc.sh"),
        "start-dev",
        "--http-host=127.0.0.1",
        f"--http-port={port}",
        "--http-relative-path=/auth",
        "--db=dev-mem",
        "--import-realm",
    ]
    environment = {
        **os.environ,
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMINISTRATOR,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
        "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
    }
    keycloak = Keycloak(f"http://127.0.0.1:{port}/auth")
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(keycloak, process, log)
            yield keycloak
        finally:
            process.terminate()
            process.wait(30)


def _wait(keycloak: Keycloak, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(keycloak):
            return
        time.sleep(0.5)
    tail = log.read_text("utf-8", "replace")[-3000:]
    raise RuntimeError(f"Keycloak does not answer on {keycloak.issuer}:\n{tail}")


def _answers(keycloak: Keycloak) -> bool:
    try:
        keycloak.metadata()
    except (requests.ConnectionError, requests.HTTPError):
        return False
    return True


def main(home: str, port: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with run_keycloak(Path(home), int(port), log=Path(home) / "keycloak.log") as keycloak:
        print(keycloak.base, flush=True)  # noqa: T201 - the caller waits for this line
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
