"""A client of the simulator: a scripted browser and plain HTTP, without our code."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import requests

from psc_connect.simulator import Client, Simulator

CALLBACK = "http://127.0.0.1:1/psc/simulator/callback/"
LOGGED_OUT = "http://127.0.0.1:1/psc/simulator/logged-out/"
SECRET = "a:b%/+é secret"  # characters that are easily encoded wrongly
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CLIENT = Client("the-service", SECRET, redirect_uris=(CALLBACK,), post_logout_redirect_uris=(LOGGED_OUT,))


def browser() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass
class Service:
    simulator: Simulator
    client: Client = CLIENT
    session: requests.Session = field(default_factory=browser)

    def endpoint(self, name: str) -> str:
        return str(self.simulator.metadata[f"{name}_endpoint"])

    def request(self, **changes: str | None) -> dict[str, str]:
        """Return the parameters of a valid authorization request with changes; None leaves one out."""
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "scope": "openid scope_all",
            "acr_values": "eidas1",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def authorize(self, **changes: str | None) -> requests.Response:
        url = self.endpoint("authorization")
        return self.session.get(url, params=self.request(**changes), allow_redirects=False, timeout=10)

    def press(self, page: requests.Response, **button: str) -> requests.Response:
        """Press a button of the page, which sends the hidden fields of its form."""
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', page.text))
        action = re.search(r'<form method="post"(?: action="([^"]+)")?>', page.text)
        if action is None:
            raise LookupError("the page has no form")
        url = self.simulator.origin + action[1] if action[1] else page.url
        return self.session.post(url, data={**hidden, **button}, allow_redirects=False, timeout=10)

    def code(self, person: str = "podiatrist", **changes: str | None) -> str:
        response = self.authorize(**changes)
        if response.status_code == 200:
            response = self.press(response, person=person)
        return answer_of(response)["code"]

    def exchange(self, code: str, **changes: str | None) -> requests.Response:
        """Send a valid token request with changes; None leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uris[0],
            "client_id": self.client.client_id,
            "client_secret": self.client.client_secret,
            "code_verifier": VERIFIER,
            **changes,
        }
        form = {name: value for name, value in parameters.items() if value is not None}
        return self.session.post(self.endpoint("token"), data=form, allow_redirects=False, timeout=10)

    def tokens(self, person: str = "podiatrist", **changes: str | None) -> dict[str, Any]:
        response = self.exchange(self.code(person, **changes))
        response.raise_for_status()
        tokens: dict[str, Any] = response.json()
        return tokens

    def userinfo(self, access_token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.session.get(self.endpoint("userinfo"), headers=headers, allow_redirects=False, timeout=10)

    def end_session(self, **parameters: str) -> requests.Response:
        url = self.endpoint("end_session")
        return self.session.get(url, params=parameters, allow_redirects=False, timeout=10)

    def verified(self, raw: str, algorithm: str = "RS256") -> dict[str, Any]:
        """Return the claims of a token after verifying only its signature, with a published key."""
        keys = {key["kid"]: key for key in self.simulator.jwks["keys"]}
        key = jwt.PyJWK(keys[jwt.get_unverified_header(raw)["kid"]])
        options: Any = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_sub"), False)
        claims: dict[str, Any] = jwt.decode(raw, key, algorithms=[algorithm], options=options)
        return claims


def answer_of(response: requests.Response) -> dict[str, str]:
    """Return the parameters of a redirect."""
    return dict(answer_pairs(response))


def answer_pairs(response: requests.Response) -> list[tuple[str, str]]:
    if response.status_code not in {302, 303}:
        raise LookupError(f"no redirect but {response.status_code}")
    return parse_qsl(urlsplit(response.headers["Location"]).query, keep_blank_values=True)


def payload_of(raw: str) -> dict[str, Any]:
    """Return the claims of a token without verification."""
    claims: dict[str, Any] = json.loads(decoded(raw.split(".")[1]))
    return claims


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def with_method(method: str) -> Client:
    return replace(CLIENT, token_endpoint_auth_method=method)
