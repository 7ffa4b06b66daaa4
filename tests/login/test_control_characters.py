"""Control, line-breaking and bidirectional characters in what a provider sends about a person."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from psc_connect.models import Account, ExportedGroup
from psc_connect.signals import professional_changed
from tests.admin.mapping_page import row_previews, submit
from tests.admin.pages import Administrator
from tests.support.access_rules import give_group, refuse, set_rules
from tests.support.people import PEOPLE_BY_SLUG, other_id
from tests.support.people import sign_in as sign_in_as
from tests.support.refusals import assert_sign_in_is_refused

pytestmark = [pytest.mark.django_db, pytest.mark.case("NW14", "LG03")]
PODIATRIST = PEOPLE_BY_SLUG["podiatrist"]


def spoiled(value: Any) -> Any:
    """Return a JSON value with a character to cut before, in and after each of its texts."""
    if isinstance(value, str) and value:
        return f"\u2028\u202e{value[:1]}\u200f\x1b{value[1:]}\x85\r\n"
    if isinstance(value, dict):
        return {name: spoiled(member) for name, member in value.items()}
    return list(map(spoiled, value)) if isinstance(value, list) else value


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from texts(member)
    elif isinstance(value, str):
        yield value


@pytest.fixture
def sign_in(provider, simulator, person):
    """Sign in a podiatrist whose every text is spoiled, with these other claims."""

    def sign_in(**claims: Any) -> Any:
        userinfo = {**PODIATRIST.userinfo, **claims}
        # Simulators compare `sub`, and so do we.
        spoiled_userinfo = {**spoiled(userinfo), "sub": userinfo["sub"]}
        simulator.sign_in(replace(PODIATRIST, slug="test-person", userinfo=spoiled_userinfo))
        return person.sign_in()

    return sign_in


def test_user_gets_names_without_them(sign_in):
    sign_in(family_name="D’Hérouël\nNgô", given_name="Zoe\u0308 نادیا\u200cالله")
    user = User.objects.get()
    assert (user.last_name, user.first_name) == ("D’Hérouël Ngô", "Zoe\u0308 نادیا\u200cالله")
    assert user.username == PODIATRIST.userinfo["SubjectNameID"]


def test_nothing_that_is_stored_has_any(sign_in):
    sign_in(otherIds=[other_id("EDIT", "ANS20231122132732")], SubjectRole=["10^FR"], unknown=["text", {"in": "deep"}])
    account = Account.objects.get()
    stored = [*texts(account.professional), account.subject_name_id]
    stored += [text for row in account.identifiers.all() for text in (row.kind, row.number, row.origin)]
    assert "PEDI PODO" in " ".join(stored)
    assert "deep" in stored
    assert not [text for text in stored if any(unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"} for each in text)]


def test_account_is_that_of_the_same_person_without_them(sign_in, simulator):
    sign_in_as(simulator, PODIATRIST)
    before = Account.objects.values().get()
    changed = []
    professional_changed.connect(lambda **arguments: changed.append(arguments), weak=False, dispatch_uid="cut")
    try:
        sign_in()
    finally:
        professional_changed.disconnect(dispatch_uid="cut")
    after = Account.objects.values().get()
    assert after["professional"] == before["professional"]
    assert not changed


def test_access_rule_sees_the_values_without_them(sign_in, provider, simulator, person):
    set_rules(provider, refuse("profession in 80"))
    sign_in()
    assert not person.is_signed_in
    assert_sign_in_is_refused("access_refused", person=person, simulator=simulator)


def test_groups_and_expressions_see_the_values_without_them(sign_in, provider):
    given, exported = Group.objects.create(name="given"), Group.objects.create(name="exported")
    set_rules(provider, give_group(given, "profession in 80"))
    ExportedGroup.objects.create(
        provider=provider, claim="SubjectRefPro.exercices[0].codeProfession", equals="80", group=exported
    )
    expression = "SubjectRefPro.exercices[?codeProfession == '80'].nomDexercice | [0]"
    provider.exported_attributes.filter(user_field="first_name").update(claim=expression)
    provider.exported_attributes.filter(user_field="last_name").update(claim="profession.label")
    sign_in()
    user = User.objects.get()
    assert set(user.groups.all()) == {given, exported}
    assert (user.first_name, user.last_name) == ("Grominoch", "Pédicure-Podologue")


def test_request_psc_and_the_session_have_none(sign_in, simulator, person, professional_pages):
    with simulator.fault("id_token_claims", claims={"acr": "eidas1\u202e\n"}):
        sign_in()
    who = person.browser.get("/who/").json()
    assert (who["acr"], who["means"], who["profession"]) == ("eidas1", "MOBILE", "Pédicure-Podologue")
    assert who["structure"] == "CABINET INDIVIDUEL PEDI PODO0023704"


def test_pasted_userinfo_is_previewed_as_a_login_would_read_it(admin: Administrator, provider):
    response = submit(admin, provider, "_preview", pasted=json.dumps(spoiled(dict(PODIATRIST.userinfo))))
    first_name, *_others = row_previews(response)
    assert first_name.found == PODIATRIST.userinfo["given_name"]
