"""What the provider remembers: sign-on sessions, codes that work once, tokens that live two minutes."""

from __future__ import annotations

import secrets
import threading
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psc_connect.simulator.people import Person

CODE_LIFETIME = 60  # seconds; Keycloak's default
TOKEN_LIFETIME = 120  # seconds; measured on Pro Santé Connect since mid-2022
REFRESH_LIFETIME = 1800  # seconds
SESSION_LIFETIME = 4 * 3600  # seconds since the sign-on
SESSION_IDLE = 1800  # seconds since the last authorization


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One authorization request that passed every check (OIDC Core 3.1.2.1)."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    nonce: str
    code_challenge: str
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class SignOn:
    """One single sign-on session of one browser."""

    sid: str
    cookie: str
    person: Person
    auth_time: int
    last_used: float

    def alive(self, now: float) -> bool:
        return now < self.auth_time + SESSION_LIFETIME and now < self.last_used + SESSION_IDLE


@dataclass(frozen=True, slots=True)
class Code:
    """One authorization code and what it stands for (RFC 6749 4.1.2)."""

    value: str
    request: AuthorizationRequest
    sign_on: SignOn
    expires_at: float


@dataclass(frozen=True, slots=True)
class AccessToken:
    value: str
    code: str
    sign_on: SignOn
    client_id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """An end-session request that waits for the person's confirmation."""

    sid: str
    location: str


class State:
    """Everything is guarded by one lock, so that of two parallel uses of a code exactly one succeeds."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._interactions: dict[str, AuthorizationRequest] = {}
        self._logouts: dict[str, LogoutRequest] = {}
        self._sign_ons: dict[str, SignOn] = {}  # by sid
        self._codes: dict[str, Code] = {}
        self._spent: set[str] = set()
        self._replayed: set[str] = set()
        self._tokens: dict[str, AccessToken] = {}

    def begin_interaction(self, request: AuthorizationRequest) -> str:
        identifier = secrets.token_urlsafe(24)
        with self._lock:
            self._interactions[identifier] = request
        return identifier

    def interaction(self, identifier: str) -> AuthorizationRequest | None:
        """What a page that waits for its answer was asked for; it stays open."""
        with self._lock:
            return self._interactions.get(identifier)

    def end_interaction(self, identifier: str) -> AuthorizationRequest | None:
        with self._lock:
            return self._interactions.pop(identifier, None)

    def begin_logout(self, request: LogoutRequest) -> str:
        identifier = secrets.token_urlsafe(24)
        with self._lock:
            self._logouts[identifier] = request
        return identifier

    def end_logout(self, identifier: str) -> LogoutRequest | None:
        with self._lock:
            return self._logouts.pop(identifier, None)

    def sign_on(self, person: Person, *, now: float) -> SignOn:
        sign_on = SignOn(str(uuid.uuid4()), secrets.token_urlsafe(24), person, int(now), now)
        with self._lock:
            self._sign_ons[sign_on.sid] = sign_on
        return sign_on

    def resume(self, cookie: str, *, now: float) -> SignOn | None:
        """The live session that this browser's cookie names."""
        with self._lock:
            for sign_on in self._sign_ons.values():
                if sign_on.cookie == cookie and sign_on.alive(now):
                    return sign_on
        return None

    def issue_code(self, request: AuthorizationRequest, sign_on: SignOn, *, now: float) -> Code:
        code = Code(secrets.token_urlsafe(32), request, sign_on, now + CODE_LIFETIME)
        with self._lock:
            self._codes[code.value] = code
            if sign_on.sid in self._sign_ons:
                self._sign_ons[sign_on.sid] = replace(sign_on, last_used=now)
        return code

    def spend_code(self, value: str) -> Code | None:
        """The code, once; a second use revokes what the first one obtained (RFC 6749 4.1.2)."""
        with self._lock:
            if value in self._spent:
                self._replayed.add(value)
                self._tokens = {key: token for key, token in self._tokens.items() if token.code != value}
            self._spent.add(value)
            return self._codes.pop(value, None)

    def keep_token(self, token: AccessToken) -> None:
        with self._lock:
            # The second use may come while the first one is still being answered.
            if token.code not in self._replayed:
                self._tokens[token.value] = token

    def token(self, value: str, *, now: float) -> AccessToken | None:
        """The access token while it lives, is not revoked, and its session goes on."""
        with self._lock:
            token = self._tokens.get(value)
            if token is None or now >= token.expires_at or token.sign_on.sid not in self._sign_ons:
                return None
            return token

    def end_sign_on(self, sid: str) -> bool:
        """End one session with its codes and tokens; False when there was none."""
        with self._lock:
            ended = self._sign_ons.pop(sid, None)
            self._codes = {key: code for key, code in self._codes.items() if code.sign_on.sid != sid}
            self._tokens = {key: token for key, token in self._tokens.items() if token.sign_on.sid != sid}
            return ended is not None

    def end_all(self) -> None:
        """Every session at once, as after a restart of the provider."""
        with self._lock:
            for sid in list(self._sign_ons):
                self.end_sign_on(sid)
