"""People with given identifiers, and the account that they sign in with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from psc_connect.models import Account
from psc_connect.simulator import Simulator
from psc_connect.simulator.people import PEOPLE, Person
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.refusals import assert_sign_in_is_refused

PEOPLE_BY_SLUG = {person.slug: person for person in PEOPLE}
REALM = "f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:"
# Of the test range, with valid check digits.
RPPS, OTHER_RPPS = "99700427885", "99700245667"
PSI, OTHER_PSI = "5b0c6f2e-7a43-4f0e-9d6a-2f1f3c9e8b17", "0f8fad5b-d9cb-469f-a165-70867728950e"
EDIT = "ANS20231122132732"
# A number that a structure gives to its staff, and issues again.
STAFF = "3750000018/0123"
STAFF_SUB = REALM + STAFF


def other_id(kind: str, number: str, quality: int = 1, **more: Any) -> dict[str, Any]:
    return {"identifiant": number, "origine": kind, "qualite": quality, **more}


def make_person(sub: str, *others: Any, **claims: Any) -> Person:
    """Return a person with this ``sub`` and these ``otherIds``, without a national identifier."""
    changes = {"sub": sub, "otherIds": list(others), "preferred_username": "", "SubjectNameID": "", **claims}
    podiatrist = PEOPLE_BY_SLUG["podiatrist"]
    return replace(podiatrist, slug="test-person", userinfo={**podiatrist.userinfo, "username": sub, **changes})


def sign_in(simulator: Simulator, professional: Person, browser: BrowserSession | None = None) -> Account:
    """Sign in; return the account."""
    simulator.sign_in(professional)
    person = browser or BrowserSession()
    assert person.sign_in(PAGE).status_code == 302
    assert person.is_signed_in
    account = Account.objects.get(pk=person.browser.session["psc_connect"]["account"])
    assert person.user_id == str(account.user_id)
    person.close()
    return account


def assert_refused_with(simulator: Simulator, professional: Person, code: str) -> None:
    simulator.sign_in(professional)
    person = BrowserSession()
    assert_sign_in_is_refused(code, person=person, simulator=simulator)
    person.close()


def identifiers_of(account: Account) -> set[tuple[str, str, str, int]]:
    return {(row.kind, row.number, row.origin, row.quality) for row in account.identifiers.all()}


def export_plain_usernames(provider: Any) -> None:
    """Export usernames that are not identifiers, so that users are only found by their account."""
    provider.exported_attributes.filter(user_field="username").update(claim="username")
