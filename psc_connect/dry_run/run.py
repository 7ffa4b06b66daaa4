"""A whole login that signs nobody in and saves nothing: each step and its result, for the administrator who began it.

The provider is asked as in a real login, with the same redirect URI; what would follow is only looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import DatabaseError
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from psc_connect.backends import CALLBACK_SECONDS, CodeGrant, prepared_backend
from psc_connect.encryption import DRY_RUN, InvalidToken, cipher_for
from psc_connect.exceptions import LoginRefused
from psc_connect.fields import SecretUnavailable
from psc_connect.login import pending
from psc_connect.login.authorization_request import send_to_provider
from psc_connect.login.pending import PendingLogin
from psc_connect.login.session import reload_session
from psc_connect.models import RequireIssuer
from psc_connect.oidc.authorization import check_issuer, parse_authorization_response
from psc_connect.oidc.deadline import Deadline
from psc_connect.oidc.errors import IDTokenError, OIDCError, UnknownKey
from psc_connect.oidc.id_token import RULES
from psc_connect.providers.keys import fetched_keys, may_fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from psc_connect.models import Provider
    from psc_connect.oidc.id_token import IDToken
    from psc_connect.oidc.jwks import KeySet

T = TypeVar("T")

SESSION_KEY = "psc_connect_dry_run"
DRY_RUN_PERMISSION = "psc_connect.change_provider"
STEPS = (
    "state",
    "answer_issuer",
    "code",
    "token",
    "signature",
    *(rule.name for rule in RULES),
    "userinfo",
    "same_person",
)
PASSED, FAILED, NOT_REACHED, NOT_DEMANDED = "passed", "failed", "not_reached", "not_demanded"


@dataclass(frozen=True, slots=True)
class Step:
    """One check of a login; ``code`` says why it failed."""

    name: str
    status: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a dry run found. ``claims`` is empty where the login did not get as far as the userinfo."""

    provider: int
    made_at: str
    steps: tuple[Step, ...] = ()
    header: dict[str, str] = field(default_factory=dict)
    id_token_claims: dict[str, Any] = field(default_factory=dict, repr=False)
    claims: dict[str, Any] = field(default_factory=dict, repr=False)
    subject: str = field(default="", repr=False)

    @property
    def code(self) -> str:
        """Why the login would be refused before anybody's account is looked at; "" where it would not."""
        return next((step.code for step in self.steps if step.status == FAILED), "")


class _StepFailed(Exception):
    def __init__(self, name: str, code: str) -> None:
        super().__init__(code)
        self.name, self.code = name, code


def begin(request: HttpRequest, provider: Provider) -> HttpResponse:
    """Send the administrator to the provider. Raises MetadataError, LoginRefused."""
    login = PendingLogin(provider=provider.slug, next="", dry_run_by=str(request.user.pk))
    return send_to_provider(request, provider, login)


@sensitive_variables()
def finish(
    request: HttpRequest, provider: Provider, login: PendingLogin, parameters: Mapping[str, Sequence[str]]
) -> DryRun:
    """Go through the login that this answer belongs to, and keep what was found in the administrator's session.

    Raises LoginRefused ``dry_run_of_somebody_else`` where another one is signed in now, or nobody, or the right to
    change providers has gone since; ``authorization_state_used`` where the answer came twice.
    """
    if str(request.user.pk) != login.dry_run_by or not request.user.has_perm(DRY_RUN_PERMISSION):
        raise LoginRefused("dry_run_of_somebody_else")
    if not pending.claim(login):
        raise LoginRefused("authorization_state_used")
    run = _Run(request, provider, login)
    try:
        run.go(parameters)
    except _StepFailed as exc:
        run.fail(exc)
    found = run.found()
    reload_session(request)
    request.session[SESSION_KEY] = cipher_for(DRY_RUN).encrypt(json.dumps(asdict(found)).encode()).decode()
    return found


def last_run(request: HttpRequest, provider: Provider) -> DryRun | None:
    """Return what this administrator's last dry run with the provider found, or None."""
    kept = request.session.get(SESSION_KEY, "")
    try:
        values = json.loads(cipher_for(DRY_RUN).decrypt(kept.encode()))
        steps = tuple(Step(**step) for step in values.pop("steps"))
        found = DryRun(**values, steps=steps)
    # The keys have changed since, or this package has.
    except (InvalidToken, TypeError, ValueError, KeyError, AttributeError):
        return None
    is_of_today = tuple(step.name for step in steps) == STEPS
    return found if is_of_today and found.provider == provider.pk else None


class _Run:
    """One login, step by step; nothing is written but the state that it takes."""

    def __init__(self, request: HttpRequest, provider: Provider, login: PendingLogin) -> None:
        self.request, self.provider, self.login = request, provider, login
        self.steps: list[Step] = []
        demands = {"acr": bool(provider.accepted_acr_values), "auth_time": provider.max_age is not None}
        self.not_demanded = {name for name, is_demanded in demands.items() if not is_demanded}
        self.id_token: IDToken | None = None
        self.claims: dict[str, Any] = {}

    def passed(self, *names: str) -> None:
        self.steps += [Step(name, NOT_DEMANDED if name in self.not_demanded else PASSED) for name in names]

    def fail(self, failure: _StepFailed) -> None:
        # A rule of the ID token may fail in the middle of them.
        self.passed(*STEPS[len(self.steps) : STEPS.index(failure.name)])
        self.steps.append(Step(failure.name, FAILED, failure.code))
        self.steps += [Step(name, NOT_REACHED) for name in STEPS[len(self.steps) :]]

    def found(self) -> DryRun:
        id_token = self.id_token
        return DryRun(
            provider=self.provider.pk,
            made_at=timezone.now().isoformat(timespec="seconds"),
            steps=tuple(self.steps),
            header={"alg": self.provider.id_token_signed_response_alg, "kid": id_token.key.kid or ""}
            if id_token
            else {},
            id_token_claims=dict(id_token.claims) if id_token else {},
            claims=self.claims,
            subject=id_token.subject if id_token else "",
        )

    @sensitive_variables()
    def go(self, parameters: Mapping[str, Sequence[str]]) -> None:
        code = self._code(parameters)
        deadline = Deadline(CALLBACK_SECONDS)
        with _step("token"):
            backend = prepared_backend(self.request, self.provider)
        grant = CodeGrant.of(self.request, self.provider, self.login, code)
        with _step("token"):
            tokens = backend.exchange_code(grant, deadline)
        self.passed("token")
        with _step("signature"):
            self.id_token = self._with_keys(lambda keys: backend.id_token_of(grant, tokens, keys), deadline)
        self.passed("signature", *(rule.name for rule in RULES))
        with _step("userinfo"):
            answer = backend.fetch_userinfo(tokens, deadline)
        self.passed("userinfo")
        with _step("same_person"):
            id_token = self.id_token
            claims = self._with_keys(lambda keys: backend.claims_of(answer, id_token, keys), deadline)
        self.passed("same_person")
        self.claims = dict(claims)

    @sensitive_variables()
    def _code(self, parameters: Mapping[str, Sequence[str]]) -> str:
        with _step("state"):
            answer = parse_authorization_response(parameters)
            if self.login.is_expired:
                raise LoginRefused("authorization_state_expired")
        self.passed("state")
        with _step("answer_issuer"):
            announced = self.provider.require_iss == RequireIssuer.ANNOUNCED
            check_issuer(answer, metadata=self.provider.parsed_metadata, require=announced)
        self.passed("answer_issuer")
        with _step("code"):
            if answer.error:
                raise LoginRefused(f"authorization_{answer.error}")
        self.passed("code")
        return answer.code

    def _with_keys(self, verify: Callable[[KeySet], T], deadline: Deadline) -> T:
        """As a login does, but for what it would save: fetched keys are used here and forgotten."""
        keys = self.provider.key_set() if self.provider.jwks else fetched_keys(self.provider, deadline)
        try:
            return verify(keys)
        except UnknownKey:
            if not may_fetch(self.provider):
                raise
            return verify(fetched_keys(self.provider, deadline))


@contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except IDTokenError as exc:
        raise _StepFailed(exc.rule or name, exc.code) from None
    except (LoginRefused, OIDCError, SecretUnavailable) as exc:
        raise _StepFailed(name, exc.code) from None
    except DatabaseError:
        raise _StepFailed(name, "database_unavailable") from None
