"""The account of a login: found by issuer and ``sub``, linked by a hook, or refused with a code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import CharField

import psc_connect
from psc_connect.accounts.verified_identity import VerifiedIdentity
from psc_connect.models import Account, ExportedAttribute
from psc_connect.simulator.people import PEOPLE, Person
from tests.conftest import client_of, make_provider
from tests.support import backend_hooks
from tests.support.browser_session import BrowserSession
from tests.support.refusals import assert_sign_in_is_refused

PAYLOADS = sorted((Path(psc_connect.__file__).parent / "claims" / "samples").glob("*.json"))
PODIATRIST = next(person for person in PEOPLE if person.slug == "podiatrist")
IDENTIFIER = "ANS20231122132732"


def professional(slug: str = "somebody", **claims: Any) -> Person:
    """The podiatrist with other claims."""
    return replace(PODIATRIST, slug=slug, userinfo={**PODIATRIST.userinfo, **claims})


def sign_in_as(simulator: Any, someone: Person | str) -> BrowserSession:
    """Sign in with a new browser."""
    simulator.sign_in(someone)
    person = BrowserSession()
    assert person.sign_in().status_code == 302
    person.close()
    return person


@pytest.mark.parametrize("person_of_provider", PEOPLE, ids=lambda person: person.slug)
@pytest.mark.case("AL07")
def test_every_person_of_the_simulator_can_sign_in(provider, simulator, person_of_provider):
    person = sign_in_as(simulator, person_of_provider)
    assert person.is_signed_in
    assert Account.objects.get().subject == person_of_provider.subject


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda path: path.stem)
@pytest.mark.case("AL07")
def test_every_published_payload_signs_in_and_keeps_its_identifiers(provider, simulator, payload):
    claims = json.loads(payload.read_text(encoding="utf-8"))
    assert sign_in_as(simulator, replace(PODIATRIST, userinfo=claims)).is_signed_in
    account = Account.objects.get()
    assert (account.issuer, account.subject) == (simulator.issuer, claims["sub"])
    assert account.subject_name_id == claims["SubjectNameID"]
    assert account.user.first_name == claims["given_name"]


def test_there_are_five_published_payloads():
    assert len(PAYLOADS) == 5


@pytest.mark.case("AL01", "AL02", "AL03", "AL04")
@pytest.mark.parametrize("email_verified", [True, False])
@pytest.mark.parametrize("email", ["boss@example.org", "BOSS@example.org", "boss＠example.org"])
def test_superuser_with_the_same_email_and_username_is_not_matched(provider, simulator, email, email_verified):
    User.objects.create_superuser(username=IDENTIFIER, email="boss@example.org", password="secret-of-the-boss")
    before = User.objects.values().get()
    claims = {"email": email, "email_verified": email_verified, "preferred_username": IDENTIFIER}
    person = sign_in_as(simulator, professional(**claims))
    assert User.objects.values().get(pk=before["id"]) == before
    newcomer = Account.objects.get().user
    assert person.user_id == str(newcomer.pk) != str(before["id"])
    assert newcomer.username == f"{IDENTIFIER}-2"
    assert not newcomer.is_superuser
    assert not newcomer.is_staff


def test_a_created_user_has_no_password_that_works(provider, simulator, person):
    person.sign_in()
    assert not User.objects.get().has_usable_password()


@pytest.mark.case("AL05")
def test_the_same_sub_with_another_email_is_the_same_account(provider, simulator):
    first = sign_in_as(simulator, professional(email="old@example.org"))
    second = sign_in_as(simulator, professional(email="new@example.org", SubjectNameID="899700000000"))
    assert first.user_id == second.user_id
    account = Account.objects.get()
    # The username is that of the first login; the identifier is that of the last.
    assert (account.subject_name_id, account.user.username) == ("899700000000", IDENTIFIER)


@pytest.mark.case("AL06")
def test_a_recycled_email_with_another_sub_is_another_account(provider, simulator):
    first = sign_in_as(simulator, professional(email="desk@example.org"))
    second = sign_in_as(simulator, professional(email="desk@example.org", sub="f:550dc1c8:somebody-else"))
    assert first.user_id != second.user_id
    assert sorted(User.objects.values_list("username", flat=True)) == [IDENTIFIER, f"{IDENTIFIER}-2"]


@pytest.mark.case("AL08")
def test_the_same_sub_of_another_issuer_is_another_account(provider, simulator):
    Account.objects.create(
        provider=provider,
        issuer="https://elsewhere.example",
        subject=PODIATRIST.subject,
        user=User.objects.create(username="x"),
    )
    assert sign_in_as(simulator, PODIATRIST).user_id == str(User.objects.get(username=IDENTIFIER).pk)
    assert Account.objects.filter(subject=PODIATRIST.subject).count() == 2


@pytest.mark.case("AL08")
def test_account_is_found_through_a_second_provider_of_its_issuer(provider, simulator, person):
    first = sign_in_as(simulator, PODIATRIST)
    make_provider(simulator, slug="second")
    simulator.register(client_of("second"))
    person.slug = "second"
    person.sign_in()
    assert person.user_id == first.user_id
    # The rules and groups of the provider used last apply.
    assert Account.objects.get().provider.slug == "second"


@pytest.mark.case("AL03")
@pytest.mark.django_db(transaction=True)
def test_collation_that_ignores_case_matches_no_other_account(simulator, person):
    make_provider(simulator)
    sensitive, insensitive = Account._meta.get_field("subject"), CharField(max_length=255, db_collation="NOCASE")
    insensitive.set_attributes_from_name("subject")
    insensitive.model = Account
    with connection.schema_editor() as editor:
        editor.alter_field(Account, sensitive, insensitive)
    try:
        sign_in_as(simulator, professional(sub="f:550dc1c8:Abc"))
        assert Account.objects.filter(subject="F:550DC1C8:ABC").exists()
        simulator.sign_in(professional(sub="f:550dc1c8:aBC"))
        assert_sign_in_is_refused("account_conflict", person=person, simulator=simulator)
        assert sign_in_as(simulator, professional(sub="f:550dc1c8:Abc")).is_signed_in
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(Account, insensitive, sensitive)


@pytest.mark.case("AL11")
def test_an_inactive_user_is_refused(provider, simulator, person):
    sign_in_as(simulator, PODIATRIST)
    User.objects.update(is_active=False)
    assert_sign_in_is_refused("account_inactive", person=person, simulator=simulator)


@pytest.mark.case("AL11")
def test_inactive_user_found_by_a_hook_is_refused(provider, simulator, person, settings):
    backend_hooks.use_backend(settings, backend_hooks.LinksByNationalIdentifier)
    User.objects.create(username="known", last_name=IDENTIFIER, is_active=False)
    assert_sign_in_is_refused("account_inactive", person=person, simulator=simulator)


def test_unknown_people_are_refused_if_the_provider_creates_no_users(provider, simulator, person):
    type(provider).objects.update(create_unknown_users=False)
    assert_sign_in_is_refused("account_unknown", person=person, simulator=simulator)


def test_known_people_sign_in_if_the_provider_creates_no_users(provider, simulator):
    first = sign_in_as(simulator, PODIATRIST)
    type(provider).objects.update(create_unknown_users=False)
    assert sign_in_as(simulator, PODIATRIST).user_id == first.user_id


@pytest.mark.parametrize("create_unknown_users", [True, False])
def test_hook_links_an_existing_user(provider, simulator, settings, create_unknown_users):
    backend_hooks.use_backend(settings, backend_hooks.LinksByNationalIdentifier)
    type(provider).objects.update(create_unknown_users=create_unknown_users)
    known = User.objects.create(username="known", last_name=IDENTIFIER, email="known@example.org")
    assert sign_in_as(simulator, PODIATRIST).user_id == str(known.pk)
    known.refresh_from_db()
    # The name is updated at each login; the username is set at creation only.
    assert (known.username, known.last_name, known.email) == ("known", "Grominoch", "known@example.org")
    assert Account.objects.get().user == known
    # Now found by the account: the hook would find no user.
    assert sign_in_as(simulator, PODIATRIST).user_id == str(known.pk)


@pytest.mark.case("AL13")
def test_two_users_found_by_a_hook_are_refused(provider, simulator, person, settings):
    backend_hooks.use_backend(settings, backend_hooks.LinksByNationalIdentifier)
    for username in ("one", "two"):
        User.objects.create(username=username, last_name=IDENTIFIER)
    assert_sign_in_is_refused("account_ambiguous", person=person, simulator=simulator)


def test_claims_that_the_site_does_not_accept_are_refused(provider, simulator, person, settings):
    backend_hooks.use_backend(settings, backend_hooks.RefusesEverybody)
    assert_sign_in_is_refused("account_claims_refused", person=person, simulator=simulator)


@pytest.mark.case("AL12")
def test_claims_named_like_permissions_grant_none(provider, simulator):
    Group.objects.create(name="administrators")
    rights: dict[str, Any] = {
        "is_staff": True,
        "is_superuser": True,
        "groups": ["administrators"],
        "roles": ["admin"],
        "is_active": True,
    }
    sign_in_as(simulator, professional(**rights))
    user = User.objects.get()
    assert not user.is_staff
    assert not user.is_superuser
    assert not user.groups.exists()


@pytest.mark.parametrize(
    ("identifier", "username"),
    [
        ("500000001815646/CPAT00045", "500000001815646-CPAT00045"),
        ("899700427885", "899700427885"),
        ("é è@.+-_", "é-è@.+-_"),
        ("x" * 400, "x" * 150),
        ("/", "-"),
    ],
)
def test_username_is_adapted_never_refused(provider, simulator, identifier, username):
    sign_in_as(simulator, professional(SubjectNameID=identifier))
    user = User.objects.get()
    assert user.username == username
    user.full_clean(exclude=["password"])


def test_long_usernames_that_collide_stay_within_the_length(provider, simulator):
    User.objects.create(username="x" * 150)
    User.objects.create(username="x" * 148 + "-2")
    sign_in_as(simulator, professional(SubjectNameID="x" * 300))
    assert Account.objects.get().user.username == "x" * 148 + "-3"


def test_too_long_national_identifier_does_not_refuse_the_login(provider, simulator):
    sign_in_as(simulator, professional(SubjectNameID="x" * 300))
    assert Account.objects.get().subject_name_id == ""


def test_user_without_a_username_is_not_created(provider, simulator, person):
    simulator.faults.set("userinfo_claims", drop=["SubjectNameID"])
    assert_sign_in_is_refused("account_username_missing", person=person, simulator=simulator)


@pytest.mark.parametrize("field", ["issuer", "subject"])
def test_the_identity_of_an_account_never_changes(provider, simulator, field):
    sign_in_as(simulator, PODIATRIST)
    account = Account.objects.get()
    setattr(account, field, "https://evil.example")
    with pytest.raises(ValidationError) as refused:
        account.save()
    assert refused.value.code == "account_immutable"


def test_identity_of_a_new_account_does_not_change(provider):
    account = Account.objects.create(
        provider=provider, issuer="https://a.example", subject="1", user=User.objects.create(username="x")
    )
    account.subject = "2"
    with pytest.raises(ValidationError) as refused:
        account.save()
    assert refused.value.code == "account_immutable"


def test_account_with_the_same_identity_can_be_saved(provider, simulator):
    sign_in_as(simulator, PODIATRIST)
    account = Account.objects.get()
    account.user = User.objects.create(username="other")
    account.save()
    assert Account.objects.get().user == account.user


def test_text_of_an_account_has_no_personal_data(provider, simulator):
    sign_in_as(simulator, PODIATRIST)
    text = f"{Account.objects.get()!s} {Account.objects.get()!r}"
    assert IDENTIFIER not in text
    assert "Grominoch" not in text


def test_exported_attributes_of_another_provider_are_not_applied(provider, simulator):
    other = make_provider(simulator, slug="other")
    ExportedAttribute.objects.create(provider=other, claim="SubjectOrganization", user_field="email", required=True)
    sign_in_as(simulator, PODIATRIST)
    assert User.objects.get().email == ""


def test_user_that_the_site_creates_inactive_is_not_signed_in(
    provider: Any, simulator: Any, person: BrowserSession, settings: Any
) -> None:
    backend_hooks.use_backend(settings, backend_hooks.CreatesInactiveUsers)
    assert_sign_in_is_refused("account_inactive", person=person, simulator=simulator)


@pytest.mark.case("LG02")
def test_repr_of_an_identity_has_no_identifier() -> None:
    subject = "f:x:899700000013"
    claims = {"sub": subject, "SubjectNameID": "899700000013"}
    identity = VerifiedIdentity.read(subject, claims, id_token_claims={})
    assert "899700000013" not in repr(identity)
