"""Sessions, authorization codes and access tokens of a running simulator."""

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
SESSION_LIFETIME = 4 * 3600  # seconds since the sign-in
SESSION_IDLE = 1800  # seconds since the last authorization


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """An authorization request that passed every check (OIDC Core 3.1.2.1)."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    nonce: str
    code_challenge: str
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """The single sign-on session of one browser."""

    sid: str
    cookie: str
    person: Person
    auth_time: int
    last_used: float

    def is_active(self, now: float) -> bool:
        return now < self.auth_time + SESSION_LIFETIME and now < self.last_used + SESSION_IDLE


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """An authorization code (RFC 6749 4.1.2)."""

    value: str
    request: AuthorizationRequest
    session: Session
    expires_at: float


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token, with the code that it was issued for."""

    value: str
    code: str
    session: Session
    client_id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """An end-session request that waits for the person's confirmation."""

    sid: str
    location: str


class ProviderState:
    """Everything that a simulator has issued. Because of its lock, only one of two parallel uses of a code succeeds."""

    def __init__(self) -> None:
        # By the identifier in the hidden field of the page that was shown. `pop` is atomic, so each works once.
        self.authorization_requests: dict[str, AuthorizationRequest] = {}
        self.logout_requests: dict[str, LogoutRequest] = {}
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}  # by sid
        self._codes: dict[str, AuthorizationCode] = {}
        self._redeemed_codes: set[str] = set()
        self._replayed_codes: set[str] = set()
        self._tokens: dict[str, AccessToken] = {}

    def start_session(self, person: Person, *, now: float) -> Session:
        session = Session(str(uuid.uuid4()), secrets.token_urlsafe(24), person, int(now), now)
        with self._lock:
            self._sessions[session.sid] = session
        return session

    def find_session(self, cookie: str, *, now: float) -> Session | None:
        """Return the active session of the browser that sent this cookie."""
        with self._lock:
            for session in self._sessions.values():
                if session.cookie == cookie and session.is_active(now):
                    return session
        return None

    def issue_code(self, request: AuthorizationRequest, session: Session, *, now: float) -> AuthorizationCode:
        code = AuthorizationCode(secrets.token_urlsafe(32), request, session, now + CODE_LIFETIME)
        with self._lock:
            self._codes[code.value] = code
            if session.sid in self._sessions:
                self._sessions[session.sid] = replace(session, last_used=now)
        return code

    def redeem_code(self, value: str) -> AuthorizationCode | None:
        """Return the code, once; a second use revokes the tokens of the first (RFC 6749 4.1.2)."""
        with self._lock:
            if value in self._redeemed_codes:
                self._replayed_codes.add(value)
                self._tokens = {key: token for key, token in self._tokens.items() if token.code != value}
            self._redeemed_codes.add(value)
            return self._codes.pop(value, None)

    def add_token(self, token: AccessToken) -> None:
        with self._lock:
            # The code may have been used again while its first use was still being answered.
            if token.code not in self._replayed_codes:
                self._tokens[token.value] = token

    def find_token(self, value: str, *, now: float) -> AccessToken | None:
        """Return the access token, unless it has expired, was revoked, or its session has ended."""
        with self._lock:
            token = self._tokens.get(value)
            if token is None or now >= token.expires_at or token.session.sid not in self._sessions:
                return None
            return token

    def end_session(self, sid: str) -> None:
        """End one session, with its codes and tokens."""
        with self._lock:
            self._sessions.pop(sid, None)
            self._codes = {key: code for key, code in self._codes.items() if code.session.sid != sid}
            self._tokens = {key: token for key, token in self._tokens.items() if token.session.sid != sid}

    def end_all_sessions(self) -> None:
        with self._lock:
            for sid in list(self._sessions):
                self.end_session(sid)
