"""The people that the tester made, kept while the simulator runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psc_connect.simulator.people import Person

OWN_PEOPLE = 20  # as many are kept; then the oldest goes


class OwnPeople:
    """Guarded by a lock: each browser is served by a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._people: dict[str, Person] = {}
        self._made = 0
        self._last_edit = 0

    def keep(self, person: Person) -> Person:
        """The person under a slug of its own; the very same one is kept once."""
        with self._lock:
            others = [kept for kept in self._people.values() if replace(kept, slug="", group="") != person]
            self._made += 1
            own = replace(person, slug=f"own-{self._made}", group="own")
            self._people = {kept.slug: kept for kept in [*others, own][-OWN_PEOPLE:]}
            return own

    def find(self, slug: str) -> Person | None:
        with self._lock:
            return self._people.get(slug)

    def newest_first(self) -> list[Person]:
        with self._lock:
            return list(reversed(self._people.values()))

    def edit_number(self, now: float) -> str:
        """A national identifier of ANS's test identities (EDIT): ANS and a moment that was not given out before."""
        with self._lock:
            self._last_edit = max(int(now), self._last_edit + 1)
            moment = datetime.fromtimestamp(self._last_edit, timezone.utc)
        return f"ANS{moment:%Y%m%d%H%M%S}"


def labels_of(claims: Mapping[str, Any]) -> tuple[str, str]:
    """What somebody practises, in French and in English; for claims of any shape."""
    register = claims.get("SubjectRefPro")
    listed = register.get("exercices") if isinstance(register, dict) else None
    exercices = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    if not exercices:
        return "Sans donnée professionnelle", "Without professional data"
    codes = ", ".join(str(each.get("codeProfession", "")) for each in exercices)
    places = sum(len(each["activities"]) for each in exercices if isinstance(each.get("activities"), list))
    french = "activité" if places < 2 else "activités"
    english = "activity" if places == 1 else "activities"
    return f"Profession {codes}, {places} {french}", f"Profession {codes}, {places} {english}"
