"""The simulated provider as one object, and its table of routes."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psc_connect.simulator import pages
from psc_connect.simulator.created_people import CreatedPeople
from psc_connect.simulator.endpoints import authorization, create_person, end_session, metadata, token, userinfo
from psc_connect.simulator.endpoints.metadata import REALM
from psc_connect.simulator.faults import Faults
from psc_connect.simulator.http_messages import Request, Response
from psc_connect.simulator.people import PEOPLE, Person
from psc_connect.simulator.provider_state import ProviderState
from psc_connect.simulator.signing_keys import SigningKey, SimulatorKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from psc_connect.simulator.clients import Client

_CONNECT = f"{REALM}/protocol/openid-connect"
DISCOVERY_PATH = f"{REALM}/.well-known/wallet-openid-configuration"

Route = tuple[str, str, "Callable[[Simulator, Request], Response]"]  # endpoint name, methods, function
ROUTES: dict[str, Route] = {
    DISCOVERY_PATH: ("metadata", "GET", metadata.answer_metadata),
    f"{REALM}/.well-known/openid-configuration": ("metadata", "GET", metadata.answer_metadata),
    f"{_CONNECT}/certs": ("jwks", "GET", metadata.answer_jwks),
    "/auth": ("authorization", "GET POST", authorization.authorize),
    "/auth/": ("authorization", "GET POST", authorization.authorize),
    pages.CHOOSE_PATH: ("choose_person", "GET POST", authorization.choose_person),
    pages.CREATE_PERSON_PATH: ("create_person", "GET POST", create_person.create_person),
    f"{_CONNECT}/token": ("token", "POST", token.answer_token),
    f"{_CONNECT}/userinfo": ("userinfo", "GET POST", userinfo.answer_userinfo),
    f"{_CONNECT}/logout": ("end_session", "GET POST", end_session.end_session),
    pages.STYLE_PATH: ("style", "GET", lambda _simulator, _request: pages.style()),
    "/": ("home", "GET", lambda simulator, request: pages.home(request.language, simulator.discovery_url)),
}


@dataclass(eq=False, repr=False)
class Simulator:
    """A running simulator. Created by `run_simulator`."""

    origin: str  # "http://127.0.0.1:PORT"
    accepted_acr: frozenset[str] = frozenset({"eidas1", "eidas2", "eidas3"})
    clock: Callable[[], float] = time.time
    keys: SimulatorKeys = field(default_factory=SimulatorKeys)
    clock_offset: float = 0.0  # seconds added to the provider's clock; the relying party's is unchanged
    next_person: Person | None = None  # see sign_in()
    connections: int = 0  # TCP connections accepted since the start
    state: ProviderState = field(default_factory=ProviderState)
    faults: Faults = field(default_factory=Faults)
    clients: dict[str, Client] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=lambda: {person.slug: person for person in PEOPLE})
    created_people: CreatedPeople = field(default_factory=CreatedPeople)  # by testers, on a page
    requests: list[Request] = field(default_factory=list)  # in order of arrival

    @property
    def issuer(self) -> str:
        return self.origin + REALM

    @property
    def discovery_url(self) -> str:
        return self.origin + DISCOVERY_PATH

    @property
    def cookie_name(self) -> str:
        """Include the port: cookies are shared between the ports of a host (RFC 6265 8.5)."""
        return f"psc_simulator_{self.origin.rpartition(':')[2]}"

    @property
    def metadata(self) -> dict[str, Any]:
        return metadata.build_metadata(self.origin)

    @property
    def jwks(self) -> dict[str, Any]:
        return self.keys.jwks

    def now(self) -> float:
        """Return the provider's time, in seconds since the epoch."""
        return self.clock() + self.clock_offset

    def register(self, client: Client) -> None:
        """Add a client, replacing one with the same client_id."""
        self.clients[client.client_id] = client

    def add_people(self, people: Iterable[Person]) -> None:
        self.people.update({person.slug: person for person in people})

    def sign_in(self, person: Person | str | None) -> None:
        """Answer the next authorization requests as this person, without showing the page; None shows it again.

        A browser that already has a session keeps it. Raises KeyError for an unknown slug.
        """
        self.next_person = self.people[person] if isinstance(person, str) else person

    def end_sessions(self) -> None:
        """End every session and revoke every token."""
        self.state.end_all_sessions()

    def rotate_keys(self, *, withdraw_old: bool = False) -> SigningKey:
        """Sign with a new key from now on; the old one stays published unless `withdraw_old`."""
        return self.keys.rotate(withdraw_old=withdraw_old)

    @contextlib.contextmanager
    def fault(self, name: str, /, **options: Any) -> Iterator[None]:
        """Set the fault `name` during a `with` block; the options are those of `Faults.set`."""
        self.faults.set(name, **options)
        try:
            yield
        finally:
            self.faults.clear(name)

    def count(self, endpoint: str) -> int:
        """Return how many requests reached this endpoint since the start or `clear_requests()`."""
        return sum(request.endpoint == endpoint for request in self.requests)

    def clear_requests(self) -> None:
        self.requests.clear()

    def endpoint_name(self, path: str) -> str:
        return ROUTES[path][0] if path in ROUTES else ""

    def answer(self, request: Request) -> Response:
        """Record a request and return its endpoint's answer, as the current faults change it."""
        self.requests.append(request)
        instead = self.faults.answer_instead(request)
        if instead is not None:
            return instead
        return self.faults.change_answer(request, self._call_endpoint(request))

    def _call_endpoint(self, request: Request) -> Response:
        if request.path not in ROUTES:
            return pages.error(request.language, "unknown_path", status=404)
        _, methods, function = ROUTES[request.path]
        if request.method not in methods.split():
            return pages.error(request.language, "wrong_method", status=405)
        return function(self, request)
