"""Preview of the rows of the mapping with a sample."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.views.debug import ExceptionReporter

from psc_connect.claims.samples import SAMPLES, load_sample
from psc_connect.models import Provider
from tests.admin.mapping_page import SAMPLE, add_row, page_of, row_previews, submit
from tests.admin.pages import Administrator, administrator, text_of
from tests.support.browser_session import BrowserSession
from tests.support.database import failing_statements

pytestmark = pytest.mark.django_db


def test_the_preview_shows_what_each_row_finds_and_saves_nothing(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "en"
    response = add_row(admin, provider, "_preview", claim="SubjectOrganization", user_field="email")
    sample = load_sample(SAMPLE)
    first, last, username, added = row_previews(response)
    assert first.found == sample["given_name"]
    assert first.result == f"The field becomes “{sample['given_name']}”."
    assert last.found == sample["family_name"]
    assert username.found == sample["SubjectNameID"]
    assert added.is_problem
    assert provider.exported_attributes.count() == 3
    assert 'value="SubjectOrganization"' in response.content.decode()


def test_a_wrong_step_is_shown_with_the_steps_before_it(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "en"
    response = add_row(admin, provider, "_preview", claim="SubjectRefPro.exercices[0].codeProfesion")
    *_others, result = row_previews(response)
    assert [step.partition(":")[0] for step in result.steps] == [
        "SubjectRefPro",
        "SubjectRefPro.exercices",
        "SubjectRefPro.exercices[0]",
        "SubjectRefPro.exercices[0].codeProfesion",
    ]
    assert result.steps[-1].endswith("nothing – did you mean codeProfession?")
    assert "codeProfession" in result.steps[2]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_can_be_previewed(admin: Administrator, provider: Provider, name: str) -> None:
    response = submit(admin, provider, "_preview", sample=name)
    assert [result.found for result in row_previews(response)][2] == load_sample(name)["SubjectNameID"]


def test_a_pasted_userinfo_is_previewed_and_not_stored(admin: Administrator, provider: Provider) -> None:
    pasted = json.dumps({"given_name": "Zoé", "x": {"y": 1}})
    response = submit(admin, provider, "_preview", sample="pasted", pasted=pasted)
    assert row_previews(response)[0].found == "Zoé"
    assert ("x.y", "1") in response.context["proposals"]
    assert "Zoé" not in str(dict(admin.browser.session))


def test_a_pasted_userinfo_replaces_the_sample(admin: Administrator, provider: Provider) -> None:
    response = submit(admin, provider, "_preview", sample=SAMPLE, pasted='{"given_name": "Zoé"}')
    assert row_previews(response)[0].found == "Zoé"
    assert response.context["sample"]["sample"].value() == "pasted"
    assert '<option value="pasted" selected>' in response.content.decode()


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("", "sample_not_an_object"),
        (" \r\n\t", "sample_not_an_object"),
        ("[]", "sample_not_an_object"),
        ("<html>", "sample_not_an_object"),
        ('{"a": \n 1,}', "json_invalid"),
        ('{"a": 1, "a": 2}', "json_not_strict"),
        ('{"a": "' + "x" * 300_000 + '"}', "sample_too_large"),
    ],
)
def test_an_invalid_pasted_userinfo_is_refused(
    admin: Administrator, provider: Provider, pasted: str, code: str
) -> None:
    response = submit(admin, provider, "_preview", sample="pasted", pasted=pasted)
    assert [error.code for error in response.context["sample"].errors.as_data()["pasted"]] == [code]


def test_the_last_dry_run_is_previewed_with_masked_identifiers(admin: Administrator, provider: Provider) -> None:
    person = BrowserSession(browser=admin.browser)
    url = admin.open(provider, "begin-dry-run")["Location"]
    person.come_back(person.authorize(url))
    response = admin.browser.get(page_of(provider))
    assert response.context["sample"].initial["sample"] == "dry-run"
    assert row_previews(response)[2].found == "AN•••••••••••••32"
    assert "ANS20231122132732" not in response.content.decode()
    viewer = BrowserSession(browser=administrator("view_provider", "change_provider").browser)
    page = viewer.browser.get(page_of(provider))
    assert "dry-run" not in dict(page.context["sample"].fields["sample"].choices)


def test_the_paths_of_the_sample_are_proposed(admin: Administrator, provider: Provider) -> None:
    page = submit(admin, provider, "_preview", sample="doctor-two-exercices-2022").content.decode()
    assert '<option value="SubjectRefPro.exercices[1].codeProfession">' in page
    assert 'list="psc-paths"' in page


@pytest.mark.usefixtures("english")
def test_without_a_group_the_page_says_where_to_make_one(admin: Administrator, provider: Provider) -> None:
    for somebody, is_told_where in ((admin, True), (administrator("view_provider"), False)):
        page = somebody.browser.get(page_of(provider))
        assert "There is no group yet." in text_of(page)
        assert ('<a href="/admin/auth/group/add/">' in page.content.decode()) == is_told_where
    assert submit(admin, provider).status_code == 302


@pytest.mark.case("LG02")
def test_a_pasted_userinfo_is_in_no_error_report(admin: Administrator, provider: Provider, settings: Any) -> None:
    """The report that Django would send to the administrators by mail."""
    settings.DEBUG = False
    reports = []

    def report(request: Any, **_said: Any) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.append(reporter.get_traceback_text() + reporter.get_traceback_html())

    admin.browser.raise_request_exception = False
    pasted = json.dumps({"SubjectNameID": "899700427885", "given_name": "Zoé"})
    got_request_exception.connect(report)
    try:
        with failing_statements("auth_group"):
            response = admin.browser.post(page_of(provider), {"_preview": "on", "sample": "pasted", "pasted": pasted})
    finally:
        got_request_exception.disconnect(report)
    assert response.status_code == 500
    (text,) = reports
    assert "the database is out of order" in text
    assert "899700427885" not in text
    assert "Zoé" not in text
