"""A minimal relying party without our code, to test what Keycloak itself does."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.interop.browser import Browser
from tests.interop.keycloak import Keycloak, realm

REDIRECT_PORT = 9  # nothing listens there: the browser stops before it


def secret_of(slug: str) -> str:
    secrets_by_client: dict[str, str] = {client["clientId"]: client["secret"] for client in realm()["clients"]}
    return secrets_by_client[f"psc-{slug}"]


@dataclass(frozen=True, slots=True)
class BareClient:
    """A login of a client; `slug` is the client's name without `psc-`."""

    keycloak: Keycloak
    slug: str = "post"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def redirect_uri(self) -> str:
        return f"http://127.0.0.1:{REDIRECT_PORT}/psc/{self.slug}/callback/"

    def authorization_url(self, **changes: str | None) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=")
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": f"psc-{self.slug}",
            "redirect_uri": self.redirect_uri,
            "scope": "openid scope_all",
            "acr_values": "eidas1",
            "state": "a state of a test",
            "nonce": self.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
            **changes,
        }
        present = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.keycloak.endpoint('auth')}?{urlencode(present)}"

    def code(self, person: str) -> str:
        """Sign the person in with a new browser; return the authorization code."""
        with Browser(stop_before=self.redirect_uri) as browser:
            answer = browser.sign_in(browser.open(self.authorization_url()), person)
        return callback_parameters(answer)["code"]

    def exchange(self, code: str, **changes: str) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": f"psc-{self.slug}",
            "client_secret": secret_of(self.slug),
            "code_verifier": self.verifier,
            **changes,
        }
        return requests.post(self.keycloak.endpoint("token"), data=form, timeout=30)

    def tokens(self, person: str) -> dict[str, Any]:
        response = self.exchange(self.code(person))
        response.raise_for_status()
        tokens: dict[str, Any] = response.json()
        return tokens

    def userinfo(self, access_token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {access_token}"}
        return requests.get(self.keycloak.endpoint("userinfo"), headers=headers, timeout=30)


def callback_parameters(answer: requests.Response) -> dict[str, str]:
    """Return the query of the redirect to the client."""
    assert answer.is_redirect, f"a {answer.status_code} page of {answer.url.partition('?')[0]}"
    query = parse_qs(urlsplit(answer.headers["Location"]).query, strict_parsing=True)
    return {name: value for name, (value,) in query.items()}
