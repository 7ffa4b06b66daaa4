"""The mechanism of faults: how a fault is declared, set and applied."""

from __future__ import annotations

import inspect
import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from psc_connect.simulator.http_messages import Request, Response

Value = TypeVar("Value")

ENDPOINTS = (
    *("metadata", "jwks", "authorization", "choose_person", "create_person", "token", "userinfo", "end_session"),
    *("home", "style"),
)


class Stage(Enum):
    """What a fault changes, and so what its function receives."""

    REQUEST = "before the endpoint: Request → Response to send instead of its answer"
    ANSWER = "the endpoint's answer: Response → Response"
    METADATA = "the provider metadata: dict"
    JWKS = "the key set: dict"
    CALLBACK = "the redirect from the authorization endpoint: Callback"
    TOKEN_RESPONSE = "the members of the token response: dict"  # noqa: S105
    ID_TOKEN = "the ID token before it is signed: JWTDraft"  # noqa: S105
    USERINFO = "the userinfo response: UserinfoDraft"
    LOGOUT_RETURN = "the redirect from the end-session endpoint: Callback"


@dataclass(frozen=True, slots=True)
class Fault:
    """A named fault. `apply(value, **options)` changes the value in place, or returns another one."""

    name: str
    stage: Stage
    apply: Callable[..., Any] = field(repr=False)
    endpoint: str = ""  # for REQUEST and ANSWER: the default endpoint; "" is every endpoint

    @property
    def takes_endpoint(self) -> bool:
        return self.stage in {Stage.REQUEST, Stage.ANSWER}


FAULTS: dict[str, Fault] = {}


def fault(stage: Stage, *, endpoint: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as a fault with its name."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        FAULTS[function.__name__] = Fault(function.__name__, stage, function, endpoint)
        return function

    return register


def replace_members(value: dict[str, Any], members: Mapping[str, Any] | None, drop: Sequence[str]) -> None:
    """Replace members of a JSON object and leave some out."""
    value.update(members or {})
    for name in drop:
        del value[name]


@dataclass(slots=True)
class _ActiveFault:
    fault: Fault
    options: dict[str, Any]
    endpoint: str
    remaining: int | None  # how often it still applies; None: until it is cleared

    def apply(self, value: Any) -> Any:
        result = self.fault.apply(value, **self.options)
        # A fault of Stage.REQUEST may return None to let a request pass: that does not count.
        if self.remaining is not None and (result is not None or self.fault.stage is not Stage.REQUEST):
            self.remaining -= 1
        return result


class Faults:
    """The current faults of a simulator."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: dict[str, _ActiveFault] = {}

    @property
    def active(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._active)

    def set(self, name: str, /, *, times: int | None = None, endpoint: str | None = None, **options: Any) -> None:
        """Set a fault, `times` times or until it is cleared.

        `endpoint` is where a fault of Stage.REQUEST or Stage.ANSWER applies; "" is every endpoint. Raises KeyError for
        an unknown name, TypeError for an unknown option, ValueError for an unknown endpoint: a test must not pass
        because of a typing error.
        """
        fault = FAULTS[name]
        inspect.signature(fault.apply).bind(None, **options)
        if endpoint is not None and not fault.takes_endpoint:
            raise TypeError(f"{name} takes no endpoint")
        endpoint = fault.endpoint if endpoint is None else endpoint
        if endpoint and endpoint not in ENDPOINTS:
            raise ValueError(f"no endpoint is called {endpoint}: there are {', '.join(ENDPOINTS)}")
        with self._lock:
            self._active[name] = _ActiveFault(fault, options, endpoint, times)

    def clear(self, name: str | None = None) -> None:
        """Clear one fault, or all."""
        with self._lock:
            if name is None:
                self._active.clear()
            else:
                self._active.pop(name, None)

    def apply(self, stage: Stage, value: Value) -> Value:
        """Return the value as the faults of this stage change it."""
        with self._lock:
            for active in self._applicable(stage):
                changed = active.apply(value)
                value = value if changed is None else changed
        return value

    def answer_instead(self, request: Request) -> Response | None:
        """Return the response to send instead of the endpoint's; None if no fault applies."""
        with self._lock:
            for active in self._applicable(Stage.REQUEST, request.endpoint):
                response: Response | None = active.apply(request)
                if response is not None:
                    return response
        return None

    def change_answer(self, request: Request, response: Response) -> Response:
        """Return the endpoint's response as the faults change it."""
        with self._lock:
            for active in self._applicable(Stage.ANSWER, request.endpoint):
                response = active.apply(response)
        return response

    def _applicable(self, stage: Stage, endpoint: str = "") -> list[_ActiveFault]:
        return [
            active
            for active in self._active.values()
            if active.fault.stage is stage and active.endpoint in {"", endpoint} and active.remaining != 0
        ]
