"""Exported attributes: which fields they fill, when, and what an invalid value does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection

from psc_connect.claims.paths import claim_value
from psc_connect.models import ExportedAttribute
from psc_connect.models.user_fields import assignable_fields
from psc_connect.simulator.people import PEOPLE
from tests.support.browser_session import BrowserSession
from tests.support.refusals import assert_sign_in_is_refused

PODIATRIST = next(person for person in PEOPLE if person.slug == "podiatrist")


def sign_in_with(simulator: Any, **claims: Any) -> User:
    """Sign in the podiatrist with these claims changed; return the user."""
    simulator.sign_in(replace(PODIATRIST, userinfo={**PODIATRIST.userinfo, **claims}))
    person = BrowserSession()
    assert person.sign_in().status_code == 302
    person.close()
    return User.objects.get(pk=person.user_id)


def export(provider: Any, claim: str, user_field: str, **options: Any) -> None:
    provider.exported_attributes.filter(user_field=user_field).delete()
    ExportedAttribute.objects.create(provider=provider, claim=claim, user_field=user_field, **options)


def test_at_each_login_the_field_follows_the_claim(provider, simulator):
    assert sign_in_with(simulator, given_name="Anne").first_name == "Anne"
    assert sign_in_with(simulator, given_name="Marie").first_name == "Marie"


def test_at_creation_the_field_is_filled_once(provider, simulator):
    export(provider, "given_name", "first_name", when="creation")
    assert sign_in_with(simulator, given_name="Anne").first_name == "Anne"
    assert sign_in_with(simulator, given_name="Marie").first_name == "Anne"


def test_if_empty_the_field_is_filled_while_it_is_empty(provider, simulator):
    export(provider, "given_name", "first_name", when="empty")
    assert sign_in_with(simulator, given_name="").first_name == ""
    assert sign_in_with(simulator, given_name="Marie").first_name == "Marie"
    assert sign_in_with(simulator, given_name="Anne").first_name == "Marie"


@pytest.mark.parametrize("absent", ["", [], None, {}], ids=repr)
def test_absent_claim_leaves_the_field_unchanged(provider, simulator, absent):
    sign_in_with(simulator, given_name="Anne")
    assert sign_in_with(simulator, given_name=absent).first_name == "Anne"


@pytest.mark.parametrize("absent", ["", [], None, {}, "missing"], ids=repr)
@pytest.mark.parametrize("known", [False, True], ids=["first login", "later login"])
def test_a_required_claim_that_is_absent_refuses_the_login(provider, simulator, person, absent, known):
    # The names come first in the mapping, and must not be saved either.
    export(provider, "email", "email", required=True)
    if known:
        sign_in_with(simulator, email="one@example.org")
    simulator.sign_in("podiatrist")
    changes: dict[str, Any] = (
        {"given_name": "Changed"} if absent == "missing" else {"given_name": "Changed", "email": absent}
    )
    simulator.faults.set("userinfo_claims", claims=changes)
    assert_sign_in_is_refused("attribute_missing", person=person, simulator=simulator)


@pytest.mark.parametrize(
    "value",
    [
        ("given_name", "first_name", "x" * 151),
        ("given_name", "first_name", ["a", "b"]),
        ("given_name", "first_name", {"a": "b"}),
        ("email", "email", "no address"),
        ("email", "email", "x" * 250 + "@example.org"),
        ("since", "date_joined", "yesterday"),
        ("since", "date_joined", 12),
        ("since", "date_joined", "2026-99-99T00:00:00Z"),
    ],
)
@pytest.mark.parametrize("known", [False, True], ids=["first login", "later login"])
def test_a_value_that_the_field_rejects_refuses_the_login(provider, simulator, person, known, value):
    claim, field, value = value
    export(provider, claim, field)
    if known:
        sign_in_with(simulator)
    simulator.sign_in("podiatrist")
    simulator.faults.set("userinfo_claims", claims={"family_name": "Changed", claim: value})
    assert_sign_in_is_refused("attribute_rejected", person=person, simulator=simulator)


def test_a_nested_claim_is_found_by_its_path(provider, simulator):
    export(provider, "SubjectRefPro.exercices[0].codeProfession", "last_name")
    assert sign_in_with(simulator).last_name == "80"


@pytest.mark.parametrize("required", [False, True])
def test_removed_field_refuses_only_if_the_row_is_required(provider, simulator, person, required):
    export(provider, "given_name", "matricule", required=required)
    if required:
        assert_sign_in_is_refused("attribute_field_unknown", person=person, simulator=simulator)
    else:
        assert sign_in_with(simulator).first_name == "Fistinien"


FORBIDDEN = ["is_staff", "is_superuser", "is_active", "password", "last_login", "id", "groups", "user_permissions"]


@pytest.mark.case("AL12")
@pytest.mark.parametrize("field", FORBIDDEN)
def test_row_cannot_name_a_field_of_permissions(provider, field):
    row = ExportedAttribute(provider=provider, claim="given_name", user_field=field)
    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    assert refused.value.error_dict["user_field"][0].code == "attribute_field_unknown"
    assert field not in {field.name for field in assignable_fields()}


@pytest.mark.case("AL12")
@pytest.mark.parametrize("field", FORBIDDEN)
def test_row_for_a_field_of_permissions_saved_without_validation_refuses_the_login(provider, simulator, person, field):
    export(provider, "given_name", "email")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE psc_connect_exportedattribute SET user_field = %s WHERE user_field = 'email'", [field])
    assert_sign_in_is_refused("attribute_field_forbidden", person=person, simulator=simulator)


@pytest.mark.parametrize("path", ["", "a..b", "a[", "a b", "?", "unknown_function_without_end(", "&", "[?a==]"])
def test_malformed_path_is_refused_when_the_row_is_saved(provider, path):
    row = ExportedAttribute(provider=provider, claim=path, user_field="email")
    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    assert "claim" in refused.value.error_dict


@pytest.mark.parametrize(
    "path",
    [
        "sum(given_name)",
        "length(UITVersion_number)",
        "contains(given_name, otherIds)",
        "merge(SubjectRefPro, given_name)",
        "ceil(to_number('1e999'))",
        "no_such_function(given_name)",
        "sort(otherIds)",
        "otherIds[99999999999999999999]",
        "max_by(otherIds, &identifiant[0])",
        "join('', otherIds)",
    ],
)
def test_path_that_does_not_match_the_claims_finds_nothing(path):
    assert claim_value(path, PODIATRIST.userinfo) is None


def test_required_path_that_does_not_match_the_claims_refuses_the_login(provider, simulator, person):
    export(provider, "contains(given_name, otherIds)", "email", required=True)
    assert_sign_in_is_refused("attribute_missing", person=person, simulator=simulator)


def test_reading_a_path_does_not_change_the_claims(provider, simulator):
    export(provider, 'merge(@, `{"given_name": "Changed"}`).given_name', "email", when="empty")
    export(provider, "given_name", "first_name")
    simulator.sign_in("podiatrist")
    assert claim_value('merge(@, `{"given_name": "x"}`).given_name', PODIATRIST.userinfo) == "x"
    assert PODIATRIST.userinfo["given_name"] == "Fistinien"


@pytest.fixture
def _unique_email(transactional_db: None):
    """Add a unique constraint on the e-mail that Django's validation does not know."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX one_email ON auth_user (email)")
    field = User._meta.get_field("email")
    yield field
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_email")


@pytest.mark.usefixtures("_unique_email")
@pytest.mark.parametrize(("known", "code"), [(False, "account_conflict"), (True, "attribute_not_unique")])
def test_value_that_violates_a_database_constraint_refuses_the_login(simulator, person, known, code):
    from tests.conftest import make_provider

    export(make_provider(simulator), "email", "email")
    if known:
        sign_in_with(simulator, email="one@example.org")
    User.objects.create(username="other", email="two@example.org")
    simulator.sign_in(replace(PODIATRIST, userinfo={**PODIATRIST.userinfo, "email": "two@example.org"}))
    assert_sign_in_is_refused(code, person=person, simulator=simulator)


def test_a_login_saves_only_what_changed(provider, simulator):
    user = sign_in_with(simulator)
    # Written by another process meanwhile, in a field without a row.
    User.objects.filter(pk=user.pk).update(email="kept@example.org")
    assert sign_in_with(simulator, given_name="Marie").email == "kept@example.org"
