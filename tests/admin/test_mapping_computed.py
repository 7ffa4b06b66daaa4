"""Computed values on the mapping page: proposed, previewed, explained, masked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import translation

from psc_connect.admin.mapping.computed_values import in_words
from psc_connect.claims.paths import claim_value
from psc_connect.claims.samples import load_sample
from psc_connect.models import Account, ExportedAttribute, Provider
from psc_connect.professional.computed import COMPUTED
from psc_connect.professional.userinfo import read_userinfo
from psc_connect.simulator import Simulator
from tests.admin.mapping_page import add_group, add_row, page_of, row_codes, row_previews, submit
from tests.admin.pages import Administrator, text_of
from tests.mapping.test_computed_values import SLOW_FOR_MANY, many_activities
from tests.support.browser_session import BrowserSession
from tests.support.dry_runs import dry_run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
DOCTOR = "doctor-card-two-activities-2023"
EXPLODING = "|".join(["[@,@][]"] * 16)


def test_computed_values_are_proposed_first(admin: Administrator, provider: Provider) -> None:
    page = submit(admin, provider, "_preview", sample=DOCTOR)
    shown = {each.path: (each.words, each.value) for each in page.context["computed"]}
    assert list(shown) == list(COMPUTED)
    assert shown["profession.label"] == ("Profession (label)", "Médecin")
    assert shown["structure.name"] == ("Name of the structure", "CABINET M DOC0042788")
    html = page.content.decode()
    assert '<option value="profession.label">Profession (label) – Médecin</option>' in html
    assert html.index('<option value="rpps">') < html.index('<option value="sub">')
    # The sample has no value: an example is shown.
    assert "such as 00000000000018" in text_of(page)


def test_a_claim_of_the_sample_hides_the_computed_value(admin: Administrator, provider: Provider) -> None:
    pasted = json.dumps({"rpps": "as sent"})
    page = submit(admin, provider, "_preview", sample="pasted", pasted=pasted)
    assert "rpps" not in {each.path for each in page.context["computed"]}
    assert ("rpps", "as sent") in page.context["proposals"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_name_has_a_description(language: str) -> None:
    with translation.override(language):
        words = [in_words(name) for name in COMPUTED]
    assert all(words)
    assert len(set(words)) == len(words)


def test_the_preview_of_a_row_uses_computed_values(admin: Administrator, provider: Provider) -> None:
    page = add_row(admin, provider, "_preview", sample="", claim="profession.label", user_field="email")
    assert row_previews(page)[-1].found == "Pédicure-Podologue"
    page = add_group(admin, provider, "_preview", claim="profession.code", equals="80", group="")
    assert page.status_code == 200


def test_a_wrong_name_is_explained(admin: Administrator, provider: Provider) -> None:
    *_others, result = row_previews(add_row(admin, provider, "_preview", claim="profession.lable"))
    assert result.steps[0] == "profession: an object with code, label"
    assert result.steps[1].endswith("nothing – did you mean label?")
    *_others, result = row_previews(add_row(admin, provider, "_preview", claim="rps"))
    assert result.steps == ("rps: nothing – did you mean rpps?",)


def last_dry_run(admin: Administrator, provider: Provider, simulator: Simulator) -> Any:
    simulator.sign_in("doctor-two-activities")
    person = BrowserSession(browser=admin.browser)
    person.come_back(person.authorize(admin.open(provider, "begin-dry-run")["Location"]))
    return admin.browser.get(page_of(provider))


def test_computed_values_of_a_dry_run_are_masked(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    provider.exported_attributes.filter(user_field="username").update(claim="rpps")
    page = last_dry_run(admin, provider, simulator)
    assert row_previews(page)[2].found == "99•••••••85"
    assert "99700427885" not in page.content.decode()


def test_a_dry_run_uses_the_activity_that_the_person_chose_last(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    provider.exported_attributes.filter(user_field="last_name").update(claim="structure.name")
    simulator.sign_in("doctor-two-activities")
    BrowserSession().sign_in()
    simulator.end_sessions()
    hospital = read_userinfo(load_sample(DOCTOR)).activity_choices[1]
    Account.objects.update(activity_choice=hospital.key)
    page = last_dry_run(admin, provider, simulator)
    assert row_previews(page)[1].found == "HOPITAL GENERIQUE  FIN VARI"
    simulator.end_sessions()
    simulator.sign_in("doctor-two-activities")
    preview = dry_run(BrowserSession(browser=admin.browser), provider).context["preview"]
    assert preview.attributes[1][1].accepted == "HOPITAL GENERIQUE  FIN VARI"


# Paths that take too long.


@pytest.mark.parametrize("button", ["_save", "_preview"])
@pytest.mark.parametrize(
    ("claim", "code"),
    [(EXPLODING, "attribute_claim_too_slow"), ("!" * 255, "attribute_claim_too_deep")],
    ids=["explodes", "deep"],
)
def test_a_path_too_slow_for_the_samples_is_not_saved(
    admin: Administrator, provider: Provider, button: str, claim: str, code: str
) -> None:
    assert row_codes(add_row(admin, provider, button, claim=claim)) == {("claim", code)}
    assert provider.exported_attributes.count() == 3


@pytest.mark.parametrize("required", ["", "on"])
def test_a_path_too_slow_for_a_pasted_userinfo_is_reported(
    admin: Administrator, provider: Provider, required: str
) -> None:
    pasted = json.dumps({"given_name": "Zoé", "SubjectRefPro": many_activities()})
    values = {"attributes-3-claim": SLOW_FOR_MANY, "attributes-3-user_field": "email"}
    if required:
        values["attributes-3-required"] = required
    page = submit(admin, provider, "_preview", sample="pasted", pasted=pasted, **values)
    first, *_others, slow = row_previews(page)
    assert first.found == "Zoé"
    assert "takes too long" in slow.result
    assert ("refused" in slow.result) == slow.is_problem == bool(required)
    assert slow.steps[-1].endswith("takes too long to evaluate")


def test_a_group_path_too_slow_for_a_sample_is_reported(admin: Administrator, provider: Provider) -> None:
    group = Group.objects.create(name="Doctors")
    pasted = json.dumps({"SubjectRefPro": many_activities()})
    values = {"claim": SLOW_FOR_MANY, "equals": "x", "group": str(group.pk)}
    fields = {f"groups-0-{name}": value for name, value in values.items()}
    (slow,) = row_previews(submit(admin, provider, "_preview", sample="pasted", pasted=pasted, **fields), "group_rows")
    assert slow.is_problem
    assert "adds no one to the group" in slow.result


def test_a_dry_run_reports_a_row_that_takes_too_long(
    admin: Administrator, admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    ExportedAttribute.objects.create(provider=provider, claim=SLOW_FOR_MANY, user_field="email", required=True)
    simulator.faults.set("userinfo_claims", claims={"SubjectRefPro": many_activities()})
    page = dry_run(admin_session, provider)
    assert (page.context["preview"].outcome, page.context["preview"].code) == ("refused", "attribute_claim_too_slow")
    assert "takes too long" in text_of(page)


def test_a_dry_run_reports_too_many_activities(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    simulator.faults.set("userinfo_claims", claims={"SubjectRefPro": {"exercices": [{"activities": [{}] * 500}]}})
    assert dry_run(admin_session, provider).context["preview"].code == "userinfo_activities_too_many"


def test_too_many_activities_cannot_be_previewed(admin: Administrator, provider: Provider) -> None:
    pasted = json.dumps({"SubjectRefPro": {"exercices": [{"activities": [{}] * 500}]}})
    page = submit(admin, provider, "_preview", sample="pasted", pasted=pasted)
    assert [error.code for error in page.context["sample"].errors.as_data()["pasted"]] == ["sample_activities_too_many"]


def test_a_stored_row_that_explodes_breaks_no_page(admin: Administrator, provider: Provider) -> None:
    provider.exported_attributes.filter(user_field="last_name").update(claim=EXPLODING)
    page = admin.browser.get(page_of(provider))
    assert "takes too long" in row_previews(page)[1].result
    assert claim_value("given_name", {"given_name": "still evaluated"}) == "still evaluated"
