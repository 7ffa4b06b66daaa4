"""How a fault is declared, switched on, and met by the endpoints."""

from __future__ import annotations

import inspect
import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from psc_connect.simulator.exchange import Request, Response

Subject = TypeVar("Subject")

ENDPOINTS = (
    *("metadata", "jwks", "authorization", "choose", "own_person", "token", "userinfo", "end_session"),
    *("home", "style"),
)


class Stage(Enum):
    """Where in the provider a fault strikes, and so what its function is given to change."""

    REQUEST = "before the endpoint is asked: Request → Response instead of its answer"
    ANSWER = "the endpoint's answer: Response → Response"
    METADATA = "the discovery document: dict"
    JWKS = "the key set: dict"
    CALLBACK = "the way back from the authorization endpoint: Callback"
    TOKEN_RESPONSE = "the members of the token response: dict"  # noqa: S105
    ID_TOKEN = "the ID token before it is signed: Draft"  # noqa: S105
    USERINFO = "the userinfo answer: UserinfoAnswer"
    LOGOUT_RETURN = "the way back from the end-session endpoint: Callback"


@dataclass(frozen=True, slots=True)
class Fault:
    """One named fault. `apply(subject, **options)` changes the subject in place, or returns another one."""

    name: str
    stage: Stage
    apply: Callable[..., Any] = field(repr=False)
    endpoint: str = ""  # for REQUEST and ANSWER: where it strikes by default; "" is everywhere

    @property
    def description(self) -> str:
        return inspect.getdoc(self.apply) or ""

    @property
    def on_the_wire(self) -> bool:
        return self.stage in {Stage.REQUEST, Stage.ANSWER}


FAULTS: dict[str, Fault] = {}


def fault(stage: Stage, *, endpoint: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as the fault of its own name."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        FAULTS[function.__name__] = Fault(function.__name__, stage, function, endpoint)
        return function

    return register


@dataclass(slots=True)
class _Active:
    fault: Fault
    options: dict[str, Any]
    endpoint: str
    remaining: int | None  # occasions; None: until it is cleared

    def strike(self, subject: Any) -> Any:
        result = self.fault.apply(subject, **self.options)
        # A fault of a request may let it pass (None): that was no occasion.
        if self.remaining is not None and (result is not None or self.fault.stage is not Stage.REQUEST):
            self.remaining -= 1
        return result


class Faults:
    """The faults that a simulator shows now; several may be set, each one once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: dict[str, _Active] = {}

    @property
    def active(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._active)

    def set(self, name: str, /, *, times: int | None = None, endpoint: str | None = None, **options: Any) -> None:
        """Switch a fault on, for its next `times` occasions or until cleared.

        `endpoint` moves a fault of the wire ("" is every endpoint). Raises KeyError for an unknown name,
        TypeError for an option that the fault does not have, ValueError for an unknown endpoint: no test may pass
        because of a spelling.
        """
        chosen = FAULTS[name]
        inspect.signature(chosen.apply).bind(None, **options)
        if endpoint is not None and not chosen.on_the_wire:
            raise TypeError(f"{name} strikes at one place only: it takes no endpoint")
        where = chosen.endpoint if endpoint is None else endpoint
        if where and where not in ENDPOINTS:
            raise ValueError(f"no endpoint is called {where}: there are {', '.join(ENDPOINTS)}")
        with self._lock:
            self._active[name] = _Active(chosen, options, where, times)

    def clear(self, name: str | None = None) -> None:
        """Switch one fault off, or all."""
        with self._lock:
            if name is None:
                self._active.clear()
            else:
                self._active.pop(name, None)

    def change(self, stage: Stage, subject: Subject) -> Subject:
        """The subject as the faults of this stage leave it."""
        with self._lock:
            for active in self._due(stage):
                changed = active.strike(subject)
                subject = subject if changed is None else changed
        return subject

    def before(self, request: Request) -> Response | None:
        """What is answered instead of asking the endpoint; None when nothing is wrong with it."""
        with self._lock:
            for active in self._due(Stage.REQUEST, request.endpoint):
                answer: Response | None = active.strike(request)
                if answer is not None:
                    return answer
        return None

    def after(self, request: Request, response: Response) -> Response:
        with self._lock:
            for active in self._due(Stage.ANSWER, request.endpoint):
                response = active.strike(response)
        return response

    def _due(self, stage: Stage, endpoint: str = "") -> list[_Active]:
        return [
            active
            for active in self._active.values()
            if active.fault.stage is stage and active.endpoint in {"", endpoint} and active.remaining != 0
        ]
