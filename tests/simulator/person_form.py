"""The page that creates a person, used as by a browser."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import requests

from psc_connect.simulator.person_form import INITIAL
from tests.simulator.service import Service, answer_of

VALUES = {
    **INITIAL,
    "given_name": "Zoé",
    "family_name": "D’ESSAI",
    "rpps": "99700901202",
    "profession": "60",
    "category": "F",
    "skill_kind": "S",
    "skill": "SI01",
    "activities": "3",
    "mode": "S",
    "sector": "SA01",
    "role": "FON-43",
    "structure": "HOPITAL <B> & FILS",
    "finess": "0B 099 9901",
    "siret": "000 000 000 99904",
    "postal_code": "97400",
    "town": "SAINT-DENIS",
    "means": "CARD",
    "acr": "eidas2",
}
PASTED: dict[str, Any] = {
    "sub": "f:0:1",
    "SubjectNameID": "1",
    "preferred_username": "1",
    "given_name": "Ève",
    "family_name": "COLLÉE",
    "unknownToAll": {"kept": [1.5, None, True]},
}


def open_form(service: Service, **changes: str | None) -> requests.Response:
    """Open the page as its button does."""
    interaction = re.search(r'name="interaction" value="([^"]+)"', service.authorize(**changes).text)
    if interaction is None:
        raise LookupError("no list of people")
    url = service.simulator.origin + "/auth/create-person"
    return service.session.get(url, params={"interaction": interaction[1]}, timeout=10)


def claims_of(service: Service, sent: requests.Response) -> dict[str, Any]:
    """Return the userinfo of the person who signed in with this response."""
    tokens = service.exchange(answer_of(sent)["code"]).json()
    claims: dict[str, Any] = service.userinfo(tokens["access_token"]).json()
    return claims


def problems_on(page: requests.Response) -> dict[str, str]:
    """Return the sentence beside each invalid field; assert that the summary has the same fields."""
    assert page.status_code == 400
    found = dict(re.findall(r'<p class="problem" id="(\w+)-problem">([^<]+)</p>', page.text))
    assert re.findall(r'<li><a href="#(\w+)">', page.text) == [*found]
    assert page.text.count('aria-invalid="true"') == len(found)
    return {name: unescape(text) for name, text in found.items()}


def refused_problems(service: Service, **typed: str) -> dict[str, str]:
    service.session.headers["Accept-Language"] = "en"
    problems = problems_on(service.press(open_form(service), **typed))
    # No person was created.
    assert service.authorize().status_code == 200
    assert service.simulator.created_people.newest_first() == []
    return problems
