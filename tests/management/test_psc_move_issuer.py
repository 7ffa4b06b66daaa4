"""``psc_move_issuer``: the accounts of a provider whose host has changed stay those of the same people."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from django.contrib.auth.models import Group, User

from psc_connect.models import Account, AccountChange, AccountIdentifier, DeclarationChange, Provider, UnlinkedAccount
from tests.configuration.commands import STEERING, Called, call, steering
from tests.support.access_rules import PODIATRISTS, give_group, set_rules
from tests.support.browser_session import PAGE, query_of
from tests.support.people import OTHER_RPPS, PSI, REALM, RPPS, make_person, other_id
from tests.support.two_issuers import NEW, OLD, TwoIssuers, state_of_accounts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
DOCTOR = "doctor-two-activities"


def move(*arguments: str) -> Called:
    return call("psc_move_issuer", *(arguments or (OLD, NEW)))


def test_without_a_move_the_new_issuer_knows_no_one(two: TwoIssuers) -> None:
    """The control: a person gets a second account, since accounts belong to an issuer."""
    Provider.objects.update(create_unknown_users=False)
    Provider.objects.filter(pk=two.old.pk).update(create_unknown_users=True)
    two.sign_in(OLD)
    with pytest.raises(AssertionError):
        two.sign_in(NEW)
    assert Account.objects.get().issuer == two.old.issuer


@pytest.mark.case("OU01")
@pytest.mark.parametrize("by", ["slug", "issuer"])
def test_people_keep_their_users_at_the_new_issuer(two: TwoIssuers, by: str) -> None:
    users = [two.sign_in(OLD, who).user_id for who in ("podiatrist", DOCTOR)]
    names = (OLD, NEW) if by == "slug" else (two.old.issuer, two.new.issuer)
    assert move(*names).status == 0
    assert [two.sign_in(NEW, who).user_id for who in ("podiatrist", DOCTOR)] == users
    assert {(account.issuer, account.provider) for account in Account.objects.all()} == {(two.new.issuer, two.new)}
    assert User.objects.count() == 2


def test_a_trusted_number_finds_the_account_at_the_new_issuer(two: TwoIssuers) -> None:
    user = two.sign_in(OLD, make_person(f"{REALM}old", other_id("RPPS", RPPS), other_id("PSI", PSI))).user_id
    move()
    assert two.sign_in(NEW, make_person(f"{REALM}other", other_id("RPPS", RPPS))).user_id == user
    assert Account.objects.get().subject == f"{REALM}other"


def test_a_former_sub_finds_the_account_at_the_new_issuer(two: TwoIssuers) -> None:
    first, second = (make_person(f"{REALM}{name}", other_id("RPPS", RPPS)) for name in ("of-first", "of-second"))
    users = {two.sign_in(OLD, person).user_id for person in (first, second)}
    move()
    assert {two.sign_in(NEW, person).user_id for person in (first, second)} == users
    assert len(users) == 1


def test_every_identifier_is_kept_once(two: TwoIssuers) -> None:
    two.sign_in(OLD)
    before = list(AccountIdentifier.objects.values("pk", "kind", "number"))
    move()
    two.sign_in(NEW)
    assert list(AccountIdentifier.objects.values("pk", "kind", "number")) == before


def test_another_person_with_the_number_of_no_one_stays_another(two: TwoIssuers) -> None:
    two.sign_in(OLD, make_person(f"{REALM}a", other_id("RPPS", RPPS)))
    two.sign_in(NEW, make_person(f"{REALM}b", other_id("RPPS", OTHER_RPPS)))
    assert move().status == 0
    assert Account.objects.filter(issuer=two.new.issuer).values("user").distinct().count() == 2


@pytest.mark.usefixtures("professional_pages")
def test_open_sessions_stay_open_and_follow_the_rules_of_the_new_provider(two: TwoIssuers) -> None:
    person = two.sign_in(OLD)
    group = Group.objects.create(name="Podiatrists")
    set_rules(two.old, give_group(group, PODIATRISTS))
    two.sign_in(OLD)
    move()
    page: Any = person.browser.get(PAGE)
    assert page.status_code == 200
    assert page.wsgi_request.psc
    assert page.wsgi_request.psc.account.provider == two.new
    assert User.objects.get().groups.get() == group
    # The new provider gives no group.
    two.sign_in(NEW)
    assert not User.objects.get().groups.exists()


def test_a_sign_out_of_such_a_session_sends_its_id_token_to_the_issuer_of_the_token(two: TwoIssuers) -> None:
    person = two.sign_in(OLD)
    move()
    url = person.browser.post(f"/psc/{OLD}/logout/").context["end_session_url"]
    assert url.startswith(two.old.metadata["end_session_endpoint"])
    claims = jwt.decode(query_of(url)["id_token_hint"], options={"verify_signature": False})
    assert claims["iss"] == two.old.issuer


def test_a_check_shows_what_would_move_and_changes_nothing(two: TwoIssuers) -> None:
    two.sign_in(OLD)
    before = state_of_accounts()
    told = move(OLD, NEW, "--check")
    assert (told.status, state_of_accounts()) == (1, before)
    assert f"{two.old.issuer} → {two.new.issuer}: accounts that move: 1" in told.text
    assert "Disable “old”" in told.text
    assert "realm" not in told.text.replace(two.old.issuer, "").replace(two.new.issuer, "")


def test_a_provider_that_is_disabled_already_is_not_to_be_disabled(two: TwoIssuers) -> None:
    two.sign_in(OLD)
    Provider.objects.filter(pk=two.old.pk).update(enabled=False)
    Provider.objects.filter(pk=two.new.pk).update(enabled=False)
    told = move()
    assert (told.status, "Disable" in told.text) == (0, False)
    assert Account.objects.get().issuer == two.new.issuer


def test_a_move_says_that_it_was_done(two: TwoIssuers) -> None:
    for who in ("podiatrist", DOCTOR):
        two.sign_in(OLD, who)
    assert "Accounts moved:" not in move(OLD, NEW, "--check").text
    assert "Accounts moved: 2" in move().text
    assert "Accounts moved:" not in move().text


def test_a_new_provider_that_is_disabled_is_to_be_enabled(two: TwoIssuers) -> None:
    two.sign_in(OLD)
    assert "Enable" not in move(OLD, NEW, "--check").text
    Provider.objects.filter(pk=two.new.pk).update(enabled=False)
    assert "Enable “new”" in move(OLD, NEW, "--check").text


def test_a_second_run_changes_nothing(two: TwoIssuers) -> None:
    two.sign_in(OLD)
    assert move().status == 0
    before = state_of_accounts()
    for arguments in ((OLD, NEW), (OLD, NEW, "--check")):
        assert move(*arguments).status == 0
    assert state_of_accounts() == before


def test_it_can_be_reversed(two: TwoIssuers) -> None:
    user = two.sign_in(OLD).user_id
    move()
    assert move(NEW, OLD).status == 0
    assert two.sign_in(OLD).user_id == user


def test_each_account_and_both_providers_have_an_entry_in_the_audit_log(two: TwoIssuers) -> None:
    two.sign_in(OLD)
    move()
    change = AccountChange.objects.get()
    assert (change.action, change.before, change.provider) == ("moved", {"issuer": two.old.issuer}, NEW)
    assert change.account == Account.objects.get()
    assert change.username == User.objects.get().username
    assert (change.made_by, change.made_by_name) == (None, "")
    entry = ["moved_accounts", two.old.issuer, f"{two.new.issuer} (1)"]
    entries = {each.slug: (each.changes, each.source) for each in DeclarationChange.objects.all()}
    assert entries == {OLD: ([entry], "command"), NEW: ([entry], "command")}
    for each in DeclarationChange.objects.all():
        assert each.version == (each.version_before or 0) + 1


def test_the_output_names_no_person(two: TwoIssuers) -> None:
    two.sign_in(OLD)
    two.sign_in(NEW)
    told = move().text + move(OLD, NEW, "--check").text
    for account in Account.objects.all():
        for text in (account.subject, account.subject_name_id, account.user.username, account.user.last_name):
            assert text
            assert text not in told


# Conflicts.


@pytest.mark.parametrize("shared", ["sub", "number"])
def test_a_person_with_an_account_at_both_issuers_is_left_to_an_administrator(two: TwoIssuers, shared: str) -> None:
    subs = ("same", "same") if shared == "sub" else ("one", "two")
    people = [make_person(f"{REALM}{sub}", other_id("RPPS", RPPS)) for sub in subs]
    two.sign_in(OLD, people[0])
    two.sign_in(NEW, people[1])
    two.sign_in(OLD, DOCTOR)
    before = state_of_accounts()
    [new] = Account.objects.filter(issuer=two.new.issuer)
    old = Account.objects.filter(issuer=two.old.issuer).earliest("pk")
    for arguments in ((OLD, NEW), (OLD, NEW, "--check")):
        told = move(*arguments)
        assert told.status == 2
        assert f"account #{old.pk} is that of a person who has account #{new.pk}" in told.text
        assert "unlink one of the two, as a rule that of the new issuer" in told.text
        assert state_of_accounts() == before


@pytest.mark.parametrize("unlinked", [OLD, NEW])
def test_after_one_of_the_two_is_unlinked_the_others_move(two: TwoIssuers, admin: Any, unlinked: str) -> None:
    users = {slug: two.sign_in(slug).user_id for slug in (OLD, NEW)}
    account = Account.objects.get(provider__slug=unlinked)
    admin.browser.post(f"/admin/psc_connect/account/{account.pk}/delete/", {"post": "yes"})
    assert UnlinkedAccount.objects.count() == 1
    assert move().status == 0
    kept = NEW if unlinked == OLD else OLD
    assert two.sign_in(NEW).user_id == users[kept]


# Refusals.


def test_an_unknown_provider_is_refused(two: TwoIssuers) -> None:
    for arguments in (("nothing", NEW), (OLD, "https://nothing.example"), (OLD.upper(), NEW)):
        told = move(*arguments)
        assert told.status == 2
        assert "No provider has the identifier or the issuer" in told.text


def test_an_issuer_of_several_providers_is_named_by_a_slug(two: TwoIssuers) -> None:
    Provider.objects.create(slug="twin", environment="simulator", metadata=two.new.metadata)
    two.sign_in(OLD)
    told = move(OLD, two.new.issuer)
    assert told.status == 2
    assert "give the identifier of one" in told.text
    assert move(OLD, "twin").status == 0
    assert Account.objects.get().provider.slug == "twin"


def test_accounts_of_every_declaration_of_the_old_issuer_move(two: TwoIssuers) -> None:
    two.sign_in(OLD)
    twin = Provider.objects.create(slug="twin", environment="simulator", metadata=two.old.metadata)
    Account.objects.update(provider=twin)
    assert move().status == 0
    assert Account.objects.get().issuer == two.new.issuer


@pytest.mark.case("AL08", "TN04")
@pytest.mark.parametrize("environment", ["sandbox", "production", "custom"])
def test_people_of_one_environment_do_not_become_those_of_another(two: TwoIssuers, environment: str) -> None:
    two.sign_in(OLD)
    Provider.objects.filter(pk=two.new.pk).update(environment=environment)
    before = state_of_accounts()
    told = move()
    assert told.status == 2
    assert "two environments" in told.text
    assert state_of_accounts() == before


def test_the_same_issuer_and_no_issuer_are_refused(two: TwoIssuers) -> None:
    two.sign_in(OLD)
    before = state_of_accounts()
    for metadata, words in ((two.old.metadata, "the same issuer"), ({}, "has no issuer"), ([], "has no issuer")):
        Provider.objects.filter(pk=two.new.pk).update(metadata=metadata)
        told = move()
        assert told.status == 2
        assert words in told.text
        assert state_of_accounts() == before


def test_another_path_is_a_warning(two: TwoIssuers) -> None:
    issuer = two.new.issuer.replace("/auth/", "/")
    Provider.objects.filter(pk=two.new.pk).update(metadata={**two.new.metadata, "issuer": issuer})
    two.sign_in(OLD)
    told = move()
    assert "The path differs too" in told.text
    assert (told.status, Account.objects.get().issuer) == (0, issuer)


def test_no_text_steers_the_terminal(two: TwoIssuers) -> None:
    told = move(f"a{STEERING}", NEW)
    assert told.status == 2
    assert not steering(told.text)
