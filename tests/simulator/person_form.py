"""The page on which one makes a person, as a browser uses it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import requests

from psc_connect.simulator.person_form import INITIAL
from tests.simulator.service import Service, answer_of

TYPED = {
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


def opened(service: Service, **changes: str | None) -> requests.Response:
    """The page, reached as its button reaches it."""
    interaction = re.search(r'name="interaction" value="([^"]+)"', service.authorize(**changes).text)
    if interaction is None:
        raise LookupError("no page of choice")
    url = service.simulator.origin + "/auth/create-person"
    return service.session.get(url, params={"interaction": interaction[1]}, timeout=10)


def claims_of(service: Service, sent: requests.Response) -> dict[str, Any]:
    """The userinfo of whoever signed in by this answer."""
    tokens = service.exchange(answer_of(sent)["code"]).json()
    claims: dict[str, Any] = service.userinfo(tokens["access_token"]).json()
    return claims


def problems_on(page: requests.Response) -> dict[str, str]:
    """The sentence that stands beside each wrong field; the summary at the top has the same."""
    assert page.status_code == 400
    found = dict(re.findall(r'<p class="problem" id="(\w+)-problem">([^<]+)</p>', page.text))
    assert re.findall(r'<li><a href="#(\w+)">', page.text) == [*found]
    assert page.text.count('aria-invalid="true"') == len(found)
    return {name: unescape(text) for name, text in found.items()}


def refused(service: Service, **typed: str) -> dict[str, str]:
    service.session.headers["Accept-Language"] = "en"
    problems = problems_on(service.press(opened(service), **typed))
    # Nobody came of it.
    assert service.authorize().status_code == 200
    assert service.simulator.created_people.newest_first() == []
    return problems
