"""A dry run: a login at the provider that signs nobody in and saves nothing, with the result of each step.

The provider is asked as in a real login, with the same redirect URI. The administrator who began it reads the result.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from typing_extensions import override

from psc_connect.backends import prepared_backend
from psc_connect.encryption import DRY_RUN, InvalidToken, cipher_for
from psc_connect.exceptions import LoginRefused
from psc_connect.login.authorization_request import send_to_provider
from psc_connect.login.failures import REFUSALS, as_refusal
from psc_connect.login.pending import PendingLogin
from psc_connect.login.session import reload_session
from psc_connect.login.visits import start_of
from psc_connect.login_steps import STEPS, StateAlreadyUsed, StepObserver, StoredKeys, ask_provider, read_response
from psc_connect.oidc.errors import IDTokenError, detail_of
from psc_connect.providers.keys import fetch_usable_keys, may_fetch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from psc_connect.login.failures import Refusal
    from psc_connect.models import Provider
    from psc_connect.oidc.errors import UnknownKey
    from psc_connect.oidc.id_token import IDToken
    from psc_connect.oidc.jwks import KeySet, SigningKey

SESSION_KEY = "psc_connect_dry_run"
DRY_RUN_PERMISSION = "psc_connect.change_provider"
PASSED, FAILED, NOT_REACHED, NOT_REQUIRED = "passed", "failed", "not_reached", "not_required"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a login; ``code`` says why it failed. ``received``: what it compared, such as the ``acr``."""

    name: str
    status: str
    code: str = ""
    received: str = ""


@dataclass(frozen=True, slots=True)
class DryRun:
    """The result of a dry run. ``claims`` is empty if the login did not get as far as the userinfo."""

    provider: int
    made_at: str
    steps: tuple[Step, ...] = ()
    header: dict[str, str] = field(default_factory=dict)
    id_token_claims: dict[str, Any] = field(default_factory=dict, repr=False)
    claims: dict[str, Any] = field(default_factory=dict, repr=False)
    subject: str = field(default="", repr=False)

    @property
    def code(self) -> str:
        """Return why the login is refused before the account is looked for, or ""."""
        return next((step.code for step in self.steps if step.status == FAILED), "")


def begin(request: HttpRequest, provider: Provider) -> HttpResponse:
    """Send the administrator to the provider. Raises MetadataError, LoginRefused."""
    login = PendingLogin(
        provider=provider.slug,
        provider_id=provider.pk,
        next="",
        dry_run_by=str(request.user.pk),
        start=start_of(request),
    )
    return send_to_provider(request, provider, login)


@sensitive_variables()
def finish(
    request: HttpRequest, provider: Provider, login: PendingLogin, parameters: Mapping[str, Sequence[str]]
) -> DryRun:
    """Run the steps of the login that this response belongs to; keep the result in the administrator's session.

    Raises LoginRefused: ``dry_run_of_somebody_else`` if its administrator is not signed in any longer, or may no
    longer change providers; ``authorization_state_used`` if the response came twice.
    """
    if str(request.user.pk) != login.dry_run_by or not request.user.has_perm(DRY_RUN_PERMISSION):
        raise LoginRefused("dry_run_of_somebody_else")
    report = Report(provider)
    try:
        grant = read_response(request, provider, login, parameters, observer=report)
        # A login is refused here if the backend is not installed.
        prepared_backend(request, provider)
        answers = ask_provider(provider, grant, observer=report, key_source=UnsavedKeys)
        report.claims = dict(answers.claims)
    except StateAlreadyUsed:
        raise
    except REFUSALS as exc:
        report.failed(exc)
    result = report.result()
    reload_session(request)
    request.session[SESSION_KEY] = cipher_for(DRY_RUN).encrypt(json.dumps(asdict(result)).encode()).decode()
    return result


def last_run(request: HttpRequest, provider: Provider) -> DryRun | None:
    """Return the result of this administrator's last dry run with the provider, or None."""
    stored = request.session.get(SESSION_KEY, "")
    try:
        values = json.loads(cipher_for(DRY_RUN).decrypt(stored.encode()))
        steps = tuple(Step(**step) for step in values.pop("steps"))
        result = DryRun(**values, steps=steps)
    # The encryption keys have changed since, or this package has.
    except (InvalidToken, TypeError, ValueError, KeyError, AttributeError):
        return None
    has_current_steps = tuple(step.name for step in steps) == STEPS
    return result if has_current_steps and result.provider == provider.pk else None


class Report(StepObserver):
    """An observer that keeps the result of each step."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.steps: list[Step] = []
        self.id_token: IDToken | None = None
        self.claims: dict[str, Any] = {}
        required = {"acr": bool(provider.accepted_acr_values), "auth_time": provider.max_age is not None}
        self.not_required = {name for name, is_required in required.items() if not is_required}

    @override
    def passed(self, *steps: str) -> None:
        self.steps += [Step(name, NOT_REQUIRED if name in self.not_required else PASSED) for name in steps]

    @override
    def id_token_accepted(self, id_token: IDToken) -> None:
        self.id_token = id_token
        acr = detail_of(id_token.claims.get("acr"))
        self.steps = [replace(step, received=acr) if step.name == "acr" else step for step in self.steps]

    def failed(self, exc: Refusal) -> None:
        """Add the step that failed, and those after it."""
        if isinstance(exc, IDTokenError) and exc.rule:
            # The signature and the rules before this one have passed.
            self.passed(*STEPS[len(self.steps) : STEPS.index(exc.rule)])
        received = exc.detail if isinstance(exc, IDTokenError) else ""
        self.steps.append(Step(STEPS[len(self.steps)], FAILED, as_refusal(exc).code, received))
        self.steps += [Step(name, NOT_REACHED) for name in STEPS[len(self.steps) :]]

    def result(self) -> DryRun:
        id_token = self.id_token
        algorithm = self.provider.id_token_signed_response_alg
        return DryRun(
            provider=self.provider.pk,
            made_at=timezone.now().isoformat(timespec="seconds"),
            steps=tuple(self.steps),
            header={"alg": algorithm, "kid": id_token.key.kid or ""} if id_token else {},
            id_token_claims=dict(id_token.claims) if id_token else {},
            claims=self.claims,
            subject=id_token.subject if id_token else "",
        )


class UnsavedKeys(StoredKeys):
    """The provider's stored keys. Fetched keys are used and not saved; they are fetched once."""

    _is_fetched = False

    @override
    def first(self) -> KeySet:
        return self.provider.key_set() if self.provider.jwks else self._fetched()

    @override
    def after_unknown_key(self, unknown: UnknownKey) -> KeySet:
        if self._is_fetched or not may_fetch(self.provider):
            raise unknown
        return self._fetched()

    @override
    def record_use(self, key: SigningKey) -> None:
        """Save nothing."""

    def _fetched(self) -> KeySet:
        self._is_fetched = True
        return fetch_usable_keys(self.provider, self.deadline)
