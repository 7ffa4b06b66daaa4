"""The provider as one object: what it knows, and which endpoint answers which path."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psc_connect.simulator import pages
from psc_connect.simulator.endpoints import authorization, end_session, metadata, own_person, token, userinfo
from psc_connect.simulator.endpoints.metadata import REALM
from psc_connect.simulator.exchange import Request, Response
from psc_connect.simulator.faults import Faults
from psc_connect.simulator.own_people import OwnPeople
from psc_connect.simulator.people import PEOPLE, Person
from psc_connect.simulator.sessions import State
from psc_connect.simulator.signing_keys import KeyRing, SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from psc_connect.simulator.clients import Client

_CONNECT = f"{REALM}/protocol/openid-connect"
DISCOVERY_PATH = f"{REALM}/.well-known/wallet-openid-configuration"

Endpoint = tuple[str, str, "Callable[[Simulator, Request], Response]"]
ROUTES: dict[str, Endpoint] = {  # path → name, methods, function
    DISCOVERY_PATH: ("metadata", "GET", metadata.answer_metadata),
    f"{REALM}/.well-known/openid-configuration": ("metadata", "GET", metadata.answer_metadata),
    f"{_CONNECT}/certs": ("jwks", "GET", metadata.answer_jwks),
    "/auth": ("authorization", "GET POST", authorization.authorize),
    "/auth/": ("authorization", "GET POST", authorization.authorize),
    pages.CHOOSE_PATH: ("choose", "GET POST", authorization.choose),
    pages.OWN_PERSON_PATH: ("own_person", "GET POST", own_person.own_person),
    f"{_CONNECT}/token": ("token", "POST", token.exchange),
    f"{_CONNECT}/userinfo": ("userinfo", "GET POST", userinfo.userinfo),
    f"{_CONNECT}/logout": ("end_session", "GET POST", end_session.end_session),
    pages.STYLE_PATH: ("style", "GET", lambda _simulator, _request: pages.style()),
    "/": ("home", "GET", lambda simulator, request: pages.home(request.language, simulator.discovery_url)),
}


@dataclass(eq=False, repr=False)
class Simulator:
    """A running Pro Santé Connect of one's own. Made by `run_simulator`."""

    origin: str  # "http://127.0.0.1:PORT"
    accepted_acr: frozenset[str] = frozenset({"eidas1", "eidas2", "eidas3"})
    clock: Callable[[], float] = time.time
    keys: KeyRing = field(default_factory=KeyRing)
    clock_offset: float = 0.0  # seconds added to the clock: the provider's time, not the relying party's
    next_person: Person | None = None  # see sign_in()
    connections: int = 0  # TCP connections accepted since the start
    state: State = field(default_factory=State)
    faults: Faults = field(default_factory=Faults)
    clients: dict[str, Client] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=lambda: {person.slug: person for person in PEOPLE})
    own_people: OwnPeople = field(default_factory=OwnPeople)  # made by hand on the pages
    requests: list[Request] = field(default_factory=list)  # every request, in the order of arrival

    @property
    def issuer(self) -> str:
        return self.origin + REALM

    @property
    def discovery_url(self) -> str:
        return self.origin + DISCOVERY_PATH

    @property
    def cookie_name(self) -> str:
        """Cookies ignore ports: two simulators on one host must not share a session (RFC 6265 8.5)."""
        return f"psc_simulator_{self.origin.rpartition(':')[2]}"

    @property
    def metadata(self) -> dict[str, Any]:
        return metadata.document(self.origin)

    @property
    def jwks(self) -> dict[str, Any]:
        return self.keys.document

    def now(self) -> float:
        """The provider's time, in seconds since the epoch."""
        return self.clock() + self.clock_offset

    def register(self, client: Client) -> None:
        """Add a client, or replace the one of the same client_id."""
        self.clients[client.client_id] = client

    def add_people(self, people: Iterable[Person]) -> None:
        self.people.update({person.slug: person for person in people})

    def sign_in(self, person: Person | str | None) -> None:
        """Answer the next authorization requests without the page, as this person; None shows the page again.

        A browser that still has a session goes on with it. Raises KeyError for an unknown slug.
        """
        self.next_person = self.people[person] if isinstance(person, str) else person

    def end_sessions(self) -> None:
        """Everybody is signed out of the provider, every token revoked."""
        self.state.end_all()

    def rotate_keys(self, *, withdraw_old: bool = False) -> SigningKey:
        """Sign with a new key from now on; the old one stays published unless withdrawn."""
        return self.keys.rotate(withdraw_old=withdraw_old)

    @contextlib.contextmanager
    def fault(self, name: str, /, **options: Any) -> Iterator[None]:
        """The fault `name` for the time of a `with` block; options as in `Faults.set`."""
        self.faults.set(name, **options)
        try:
            yield
        finally:
            self.faults.clear(name)

    def count(self, endpoint: str) -> int:
        """How many requests reached this endpoint since the start or `clear_requests()`."""
        return sum(request.endpoint == endpoint for request in self.requests)

    def clear_requests(self) -> None:
        self.requests.clear()

    def endpoint(self, path: str) -> str:
        return ROUTES[path][0] if path in ROUTES else ""

    def answer(self, request: Request) -> Response:
        """One request, recorded, through the faults that are set, to its endpoint."""
        self.requests.append(request)
        refused = self.faults.before(request)
        if refused is not None:
            return refused
        return self.faults.after(request, self._answer(request))

    def _answer(self, request: Request) -> Response:
        if request.path not in ROUTES:
            return pages.error(request.language, "unknown_path", status=404)
        _, methods, function = ROUTES[request.path]
        if request.method not in methods.split():
            return pages.error(request.language, "wrong_method", status=405)
        return function(self, request)
