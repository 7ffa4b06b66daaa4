"""The page of choice: whom to be, under a heading for each use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psc_connect.simulator.pages.layout import fill, page
from psc_connect.simulator.pages.texts import GROUPS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psc_connect.simulator.exchange import Response
    from psc_connect.simulator.people import Person

CHOOSE_PATH = "/auth/choose"
OWN_PERSON_PATH = "/auth/own-person"
_LONGEST = 100  # characters shown of what somebody pasted


def choose_person(language: str, *, interaction: str, client_id: str, people: Iterable[Person]) -> Response:
    members: dict[str, list[Person]] = {key: [] for key in GROUPS[language]}
    for person in people:
        members.get(person.group, members[""]).append(person)
    groups = [_group(language, key, listed) for key, listed in members.items() if listed]
    content = fill(
        "choose.html",
        {
            **TEXTS[language],
            "action": CHOOSE_PATH,
            "own_person": OWN_PERSON_PATH,
            "interaction": interaction,
            "client": client_id,
        },
        raw={"groups": "\n".join(groups)},
    )
    return page(language, "choose_title", content)


def _group(language: str, key: str, people: Iterable[Person]) -> str:
    title, text = GROUPS[language][key]
    cards = "\n".join(_card(language, person) for person in people)
    return fill("group.html", {"title": title, "text": text}, raw={"people": cards})


def _card(language: str, person: Person) -> str:
    texts = TEXTS[language]
    return fill(
        "person.html",
        {
            **texts,
            "slug": person.slug,
            "name": person.name[:_LONGEST],
            "label": (person.label_fr if language == "fr" else person.label_en)[:_LONGEST],
            "means": texts["card" if person.auth_mode == "CARD" else "mobile"],
            "identifier": person.national_identifier[:_LONGEST],
            "acr": person.acr,
        },
    )
