"""The page that lists the people who can sign in, in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psc_connect.simulator.pages.layout import fill, page
from psc_connect.simulator.pages.texts import GROUPS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psc_connect.simulator.http_messages import Response
    from psc_connect.simulator.people import Person

CHOOSE_PATH = "/auth/choose"
CREATE_PERSON_PATH = "/auth/create-person"
_MAX_LENGTH = 100  # characters shown of a pasted value


def choose_person(language: str, *, interaction: str, client_id: str, people: Iterable[Person]) -> Response:
    members: dict[str, list[Person]] = {key: [] for key in GROUPS[language]}
    for person in people:
        members.get(person.group, members[""]).append(person)
    groups = [_group(language, key, listed) for key, listed in members.items() if listed]
    content = fill(
        "choose_person.html",
        {
            **TEXTS[language],
            "action": CHOOSE_PATH,
            "create_person": CREATE_PERSON_PATH,
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
            "name": person.name[:_MAX_LENGTH],
            "label": (person.label_fr if language == "fr" else person.label_en)[:_MAX_LENGTH],
            "means": texts["card" if person.auth_mode == "CARD" else "mobile"],
            "identifier": person.national_identifier[:_MAX_LENGTH],
            "acr": person.acr,
        },
    )
