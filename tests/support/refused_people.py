"""Good answers of the provider about a person whom the site refuses: what is arranged → the code."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model

from psc_connect.models import Account, ExportedAttribute, Provider
from psc_connect.simulator import Simulator
from psc_connect.simulator.people import Person
from tests.mapping.test_computed_values import SLOW_FOR_MANY, many_activities
from tests.support.access_rules import PODIATRISTS, allow, refuse, set_rules
from tests.support.backend_hooks import LinksByNationalIdentifier, RefusesEverybody, use_backend
from tests.support.many_rules import fifty_activities
from tests.support.people import OTHER_RPPS, PSI, RPPS, make_person, other_id, sign_in

PERSON = make_person("2", other_id("RPPS", RPPS), preferred_username=RPPS)


@dataclass(frozen=True)
class Site:
    """What an arrangement changes: the provider, the simulator and the settings."""

    provider: Provider
    simulator: Simulator
    settings: Any
    monkeypatch: Any

    def change(self, **values: Any) -> None:
        Provider.objects.filter(pk=self.provider.pk).update(**values)

    def export(self, claim: str, user_field: str, **values: Any) -> None:
        self.provider.exported_attributes.filter(user_field=user_field).delete()
        ExportedAttribute.objects.create(provider=self.provider, claim=claim, user_field=user_field, **values)

    def user(self, username: str = "known", **values: Any) -> Any:
        return get_user_model().objects.create(username=username, **{"last_name": RPPS, **values})

    def userinfo(self, **claims: Any) -> None:
        self.simulator.faults.set("userinfo_claims", claims=claims)

    def first_login(self, person: Person = PERSON) -> Account:
        account = sign_in(self.simulator, person)
        self.simulator.end_sessions()
        return account

    def link_by_number(self) -> None:
        self.change(link_user_field="last_name")


@dataclass(frozen=True)
class Refused:
    code: str
    arrange: Callable[[Site], Any]
    name: str = ""
    calls: tuple[str, ...] = ("token", "userinfo")


def _inactive(site: Site) -> None:
    get_user_model().objects.filter(pk=site.first_login().user_id).update(is_active=False)


def _inactive_and_linked(site: Site) -> None:
    site.link_by_number()
    site.user(is_active=False)


def _unknown(site: Site) -> None:
    site.change(create_unknown_users=False)


def _several_by_number(site: Site) -> None:
    site.link_by_number()
    site.user("one")
    site.user("two", is_active=False)


def _several_by_hook(site: Site) -> None:
    use_backend(site.settings, LinksByNationalIdentifier)
    site.userinfo(SubjectNameID="x")
    site.user("one", last_name="x")
    site.user("two", last_name="x")


def _two_accounts(site: Site) -> None:
    site.first_login(make_person("2", other_id("PSI", PSI)))
    site.first_login(make_person("1", other_id("RPPS", RPPS)))


def _other_number(site: Site) -> None:
    site.first_login(make_person("2", other_id("RPPS", OTHER_RPPS)))


def _privileged(site: Site) -> None:
    site.link_by_number()
    site.user(is_staff=True)


def _already_linked(site: Site) -> None:
    site.link_by_number()
    provider = site.provider
    Account.objects.create(provider=provider, issuer=provider.issuer, subject="other", user=site.user())


def _no_link_field(site: Site) -> None:
    site.change(link_user_field="nothing")


def _claims_refused(site: Site) -> None:
    use_backend(site.settings, RefusesEverybody)


def _no_username(site: Site) -> None:
    site.provider.exported_attributes.filter(user_field="username").delete()


def _refused_by_row(site: Site) -> None:
    set_rules(site.provider, refuse(PODIATRISTS))


def _refused_by_last_line(site: Site) -> None:
    set_rules(site.provider, others_may_sign_in=False)


def _known_and_refused(site: Site) -> None:
    site.first_login()
    _refused_by_row(site)


def _malformed_rule(site: Site) -> None:
    rule = allow()
    set_rules(site.provider, rule)
    site.provider.access_rules.update(outcome="perhaps")


def _rules_too_slow(site: Site) -> None:
    site.userinfo(SubjectRefPro=fifty_activities()["SubjectRefPro"])
    rule = refuse(*["profession not_in 99"] * 9, "profession in 99")
    set_rules(site.provider, *(copy.copy(rule) for _number in range(200)))


def _claim_missing(site: Site) -> None:
    site.export("nothing", "email", required=True)


def _claim_missing_of_known(site: Site) -> None:
    site.first_login()
    _claim_missing(site)


def _value_rejected(site: Site) -> None:
    site.export("SubjectOrganization", "email")


def _value_not_unique(site: Site) -> None:
    # As in a user model of the site's own.
    site.monkeypatch.setattr(get_user_model()._meta.get_field("email"), "unique", True)
    site.user(email="taken@example.org")
    site.userinfo(email="taken@example.org")
    site.export("email", "email")


def _field_unknown(site: Site) -> None:
    site.export("given_name", "gone", required=True)


def _field_forbidden(site: Site) -> None:
    site.export("given_name", "is_staff")


def _too_slow(site: Site) -> None:
    site.userinfo(SubjectRefPro=many_activities())
    site.export(SLOW_FOR_MANY, "email", required=True)


def _too_many_activities(site: Site) -> None:
    site.userinfo(SubjectRefPro={"exercices": [{"activities": [{}] * 500}]})


def _answers_disagree(site: Site) -> None:
    site.userinfo(preferred_username=OTHER_RPPS)


def _two_numbers(site: Site) -> None:
    site.userinfo(otherIds=[other_id("RPPS", RPPS), other_id("RPPS", OTHER_RPPS)])


def _no_backend(site: Site) -> None:
    site.settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]


REFUSED_PEOPLE = [
    Refused("account_inactive", _inactive),
    Refused("account_inactive", _inactive_and_linked, "linked"),
    Refused("account_unknown", _unknown),
    Refused("account_ambiguous", _several_by_number, "by number"),
    Refused("account_ambiguous", _several_by_hook, "by the site's own code"),
    Refused("account_identifiers_conflict", _two_accounts, "two accounts"),
    Refused("account_identifiers_conflict", _other_number, "two numbers"),
    Refused("account_link_privileged", _privileged),
    Refused("account_already_linked", _already_linked),
    Refused("account_link_field_unknown", _no_link_field),
    Refused("account_claims_refused", _claims_refused),
    Refused("account_username_missing", _no_username),
    Refused("access_refused", _refused_by_row, "row"),
    Refused("access_refused", _refused_by_last_line, "last line"),
    Refused("access_refused", _known_and_refused, "known"),
    Refused("access_rule_malformed", _malformed_rule),
    Refused("access_rules_too_slow", _rules_too_slow),
    Refused("attribute_missing", _claim_missing, "new"),
    Refused("attribute_missing", _claim_missing_of_known, "known"),
    Refused("attribute_rejected", _value_rejected),
    Refused("attribute_not_unique", _value_not_unique),
    Refused("attribute_field_unknown", _field_unknown),
    Refused("attribute_field_forbidden", _field_forbidden),
    Refused("attribute_claim_too_slow", _too_slow),
    Refused("userinfo_activities_too_many", _too_many_activities),
    Refused("userinfo_identifier_mismatch", _answers_disagree),
    Refused("userinfo_identifiers_contradict", _two_numbers),
    Refused("backend_not_installed", _no_backend, calls=()),
]

# The codes of the site's own refusals that the table cannot arrange: where they are tested instead.
TESTED_ELSEWHERE = {
    "account_conflict": "tests/login/test_concurrency.py: only a login that saves can meet it",
    "account_refused_by_site": "test_refusals.py: a dry run does not call the site's authenticate()",
}
