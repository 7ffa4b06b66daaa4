"""People that testers created on the simulator's page; kept until it stops."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psc_connect.simulator.people import Person

MAX_CREATED_PEOPLE = 20  # then the oldest is removed


class CreatedPeople:
    """The created people. A lock guards them, because each connection has its own thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._people: dict[str, Person] = {}
        self._count = 0
        self._last_identifier_time = 0

    def add(self, person: Person) -> Person:
        """Keep a person under a new slug, replacing an identical one; return the kept person."""
        with self._lock:
            others = [kept for kept in self._people.values() if replace(kept, slug="", group="") != person]
            self._count += 1
            created = replace(person, slug=f"created-{self._count}", group="created")
            self._people = {kept.slug: kept for kept in [*others, created][-MAX_CREATED_PEOPLE:]}
            return created

    def find(self, slug: str) -> Person | None:
        with self._lock:
            return self._people.get(slug)

    def newest_first(self) -> list[Person]:
        with self._lock:
            return list(reversed(self._people.values()))

    def new_edit_identifier(self, now: float) -> str:
        """Return an unused national identifier of a test identity (EDIT): `ANS` and a date and time."""
        with self._lock:
            self._last_identifier_time = max(int(now), self._last_identifier_time + 1)
            moment = datetime.fromtimestamp(self._last_identifier_time, timezone.utc)
        return f"ANS{moment:%Y%m%d%H%M%S}"
