"""One request of the administration does a bounded amount of work, and its page says where the work ended."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.contrib.auth.models import Group

from psc_connect.claims.budget import REQUEST_STEPS
from psc_connect.claims.samples import load_sample
from psc_connect.models import Provider
from tests.admin import access_page, import_page, keys_page
from tests.admin.mapping_page import page_of, row_codes, row_previews, submit
from tests.admin.pages import ADD, Administrator, codes, text_of

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
