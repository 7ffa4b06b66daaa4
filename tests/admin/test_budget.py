"""One request of the administration does a bounded amount of work, and its page says where the work ended."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Group

from psc_connect.claims.budget import REQUEST_STEPS
from psc_connect.claims.samples import load_sample
from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin import access_page, import_page, keys_page
from tests.admin.mapping_page import page_of, row_codes, row_previews, submit
from tests.admin.pages import ADD, Administrator, codes, text_of
from tests.support.browser_session import BrowserSession
from tests.support.dry_runs import dry_run
from tests.support.people import PEOPLE_BY_SLUG

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
USED_UP = "This page has reached its limit of work"
# The work of one request, with what surrounds it. Far from what it took without a budget: 44 s.
CPU_SECONDS = 15
# Slow for this claim only, so that the check with the samples takes few steps.
SLOW = "padding[]" + "|[@,@,@,@,@,@,@,@][]" * 3
PASTED = json.dumps({**load_sample("doctor-five-activities-2021"), "padding": [["x" * 100] * 100] * 14})


@pytest.fixture
def group(db: None) -> Group:
    return Group.objects.create(name="Doctors")


def slow_rows(group: Group, path: str = SLOW) -> dict[str, str]:
    """Return as many rows as the page accepts, of a path that takes long with many activities."""
    rows: dict[str, str] = {}
    for prefix, values in (
        ("attributes", {"user_field": "email", "when": "login"}),
        ("groups", {"group": str(group.pk)}),
    ):
        rows |= {f"{prefix}-TOTAL_FORMS": "100", f"{prefix}-INITIAL_FORMS": "0"}
        for number in range(100):
            row = {**values, "claim": f"{path}{' ' * number}"}
            rows |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return rows


@pytest.mark.case("NW10")
def test_two_hundred_slow_rows_end_with_the_budget(admin: Administrator, provider: Provider, group: Group) -> None:
    assert len(PASTED) > 140_000
    began = time.thread_time()
    page = submit(admin, provider, "_preview", sample="pasted", pasted=PASTED, **slow_rows(group))
    assert time.thread_time() - began < CPU_SECONDS
    assert USED_UP in text_of(page)
    results = [row.result for kind in ("attribute_rows", "group_rows") for row in row_previews(page, kind)]
    assert "takes too long" in results[0]
    assert results[-1] == "Not evaluated: this page has reached its limit of work."
    assert len(results) == 200


def test_page_within_its_budget_does_not_mention_it(admin: Administrator, provider: Provider) -> None:
    assert USED_UP not in text_of(submit(admin, provider, "_preview"))
    assert USED_UP not in text_of(access_page.submit(admin, provider, access_page.typed("allow"), button="_preview"))


def test_rows_that_were_not_checked_are_not_saved(admin: Administrator, provider: Provider, group: Group) -> None:
    # Slow on the samples as well, which each new row is checked with.
    page = submit(admin, provider, "_save", **slow_rows(group, '`["",""]`' + "|[@,@,@,@][]" * 6))
    assert ("claim", "budget_used_up") in row_codes(page)
    assert ("claim", "budget_used_up") in row_codes(page, "groups")
    assert provider.exported_groups.count() == 0


@pytest.mark.case("NW10")
def test_searches_of_one_page_end_with_the_budget(admin: Administrator, provider: Provider) -> None:
    # Unknown to every table, so that similar labels are searched too.
    texts = "; ".join(f"cardiologie et maladies vasculaires {number}" for number in range(200))
    rows = [access_page.typed("refuse", ("speciality", "in", texts)) for _number in range(20)]
    began = time.thread_time()
    page = access_page.submit(admin, provider, *rows, button="_preview")
    assert time.thread_time() - began < CPU_SECONDS
    assert ("typed", "budget_used_up") in access_page.codes(page)
    assert USED_UP in text_of(page)
    assert "cardiologie et maladies vasculaires 199" in page.content.decode()


def test_each_request_has_the_whole_budget(admin: Administrator, provider: Provider, group: Group) -> None:
    submit(admin, provider, "_preview", sample="pasted", pasted=PASTED, **slow_rows(group))
    page = admin.browser.get(page_of(provider))
    assert REQUEST_STEPS / 2 < page.context["budget"].steps_left < REQUEST_STEPS
    assert USED_UP not in text_of(page)


LONG = '{"a": "' + "x" * (512 * 1024) + '"}'


def test_metadata_is_bounded_before_it_is_parsed(admin: Administrator) -> None:
    page = admin.submit(ADD, environment="custom", metadata=LONG)
    assert ("metadata", "json_too_large") in codes(page)


def test_pasted_key_set_is_bounded_before_it_is_parsed(admin: Administrator, provider: Provider) -> None:
    assert "This is longer than 512 kB." in text_of(keys_page.paste(admin, provider, LONG))


def test_pasted_userinfo_is_bounded_before_it_is_parsed(admin: Administrator, provider: Provider) -> None:
    page = submit(admin, provider, "_preview", sample="pasted", pasted=LONG)
    assert [error.code for error in page.context["sample"].errors.as_data()["pasted"]] == ["sample_too_large"]


def test_pasted_configuration_is_bounded_before_it_is_parsed(admin: Administrator, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
    page = import_page.show(admin, '["' + "x" * (4 * 1024 * 1024) + '"]')
    assert "This is longer than 4 MB." in text_of(page)


def alike(count: int, length: int) -> list[str]:
    """Return different names that are slow to compare with each other."""
    chosen = random.Random(1)
    return ["".join(chosen.choices("ab", k=length)) for _number in range(count)]


@pytest.mark.parametrize("length", [60, 190])
@pytest.mark.case("NW10")
def test_names_of_a_pasted_userinfo_are_compared_within_the_budget(
    admin: Administrator, provider: Provider, length: int
) -> None:
    wrong, *names = alike(1200, length)
    fields = {"attributes-TOTAL_FORMS": "100", "attributes-INITIAL_FORMS": "0"}
    for number in range(100):
        row = {"claim": f"o.{wrong}{number:03}", "user_field": "email", "when": "login"}
        fields |= {f"attributes-{number}-{name}": value for name, value in row.items()}
    began = time.thread_time()
    page = submit(
        admin, provider, "_preview", sample="pasted", pasted=json.dumps({"o": dict.fromkeys(names)}), **fields
    )
    assert page.status_code == 200
    assert time.thread_time() - began < CPU_SECONDS
    assert (USED_UP in text_of(page)) == (length == 60)


@pytest.mark.case("NW10")
def test_text_that_is_too_long_is_not_searched(admin: Administrator, provider: Provider) -> None:
    texts = ";".join(["zzz"] * 500_000)
    began = time.thread_time()
    page = access_page.submit(
        admin, provider, access_page.typed("allow", ("profession", "in", texts)), button="_preview"
    )
    assert time.thread_time() - began < 3
    assert access_page.codes(page) == {("typed", "max_length")}
    # Neither the search nor the suggestions have begun.
    assert page.context["budget"].steps_left > REQUEST_STEPS * 0.9


def test_texts_after_the_budget_cost_nothing(admin: Administrator, provider: Provider) -> None:
    texts = (";".join(["zz,z"] * 2_500))[:10_000]
    rows = [access_page.typed("allow", *[("profession", "in", texts)] * 10)] * 20
    began = time.thread_time()
    page = access_page.submit(admin, provider, *rows, button="_preview")
    assert time.thread_time() - began < CPU_SECONDS
    assert USED_UP in text_of(page)


def mapping_rows(count: int, first: int = 0, path: str = "[]" * 49 + ".c" * 80) -> list[dict[str, Any]]:
    """Return rows with expressions that take long to compile."""
    return [{"claim": f"a{number}{path}"[:250], "group": "Doctors"} for number in range(first, first + count)]


@pytest.mark.case("NW10")
def test_import_ends_with_the_budget_and_says_so(admin: Administrator, provider: Provider, group: Group) -> None:
    before = Provider.objects.count()
    declared = [
        {**import_page.PRODUCTION, "slug": f"p{number}", "exported_groups": mapping_rows(1_700, number * 1_700)}
        for number in range(2)
    ]
    began = time.thread_time()
    page = import_page.show(admin, import_page.document(*declared))
    assert time.thread_time() - began < CPU_SECONDS
    assert import_page.problems_of(page).startswith(": Not read to its end: this page has used all its steps.")
    assert "Nothing has been saved." in text_of(page)
    assert Provider.objects.count() == before


def test_import_of_many_ordinary_rows_is_within_the_budget(
    admin: Administrator, provider: Provider, group: Group
) -> None:
    rows = mapping_rows(1_000, path=".codeProfession")
    page = import_page.show(admin, import_page.document({"slug": "psc", "exported_groups": rows}))
    assert page.context["problems"] == []
    assert page.context["payload"]


def test_unknown_names_are_compared_in_the_first_problems_only(admin: Administrator, provider: Provider) -> None:
    names = {f"client_i{number:05}": 1 for number in range(10_000)}
    began = time.thread_time()
    page = import_page.show(admin, import_page.document({**import_page.PRODUCTION, "slug": "x", **names}))
    assert time.thread_time() - began < CPU_SECONDS
    texts = [problem.text for problem in page.context["problems"]]
    assert len(texts) == 10_000
    assert [text.endswith("Do you mean client_id?") for text in texts] == [True] * 50 + [False] * 9_950


@pytest.mark.case("NW10")
def test_import_from_lemonldap_ends_with_the_budget(admin: Administrator, provider: Provider) -> None:
    document = {
        "oidcOPMetaDataJSON": {f"p{number}": "{}" for number in range(2_000)},
        "exportedVars": {f"k{number}": "a" for number in range(2_000)},
    }
    began = time.thread_time()
    page = import_page.show(admin, json.dumps(document))
    assert time.thread_time() - began < CPU_SECONDS
    assert "this page has used all its steps" in import_page.problems_of(page)


@pytest.mark.case("NW10")
def test_userinfo_with_many_identifiers_is_masked_within_the_budget(
    admin: Administrator, provider: Provider, simulator: Simulator
) -> None:
    person = PEOPLE_BY_SLUG["podiatrist"]
    identifiers = [[{"sub": f"{number:06x}"} for number in range(first, first + 800)] for first in range(0, 4_000, 800)]
    texts = [["Marguerite"] * 800 for _number in range(10)]
    userinfo = {**person.userinfo, "identifiers": identifiers, "texts": texts}
    simulator.sign_in(replace(person, slug="test-person", userinfo=userinfo))
    began = time.thread_time()
    page = dry_run(BrowserSession(browser=admin.browser), provider)
    assert time.thread_time() - began < CPU_SECONDS
    assert page.context["result"].claims["texts"] == texts
    assert "texts after that are masked whole" in text_of(page)
    assert "000abc" not in page.content.decode()
