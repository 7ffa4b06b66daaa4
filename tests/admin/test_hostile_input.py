"""Requests that no browser sends, and values that no database can store: refused without a server error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from psc_connect.models import ExportedAttribute, Provider
from psc_connect.simulator import Simulator
from tests.admin.import_page import IMPORT, document, problems_of, show
from tests.admin.mapping_page import add_row, page_of, row_previews, submit
from tests.admin.pages import ADD, LIST, Administrator, change_page, codes, messages_of, row, text_of
from tests.conftest import CLIENT_SECRET
from tests.support.browser_session import PAGE, BrowserSession, error_code_of
from tests.support.key_sets import EC_KEY, key_set

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
# NUL, which PostgreSQL cannot hold, and half of a character, which UTF-8 cannot.
UNKEEPABLE = ["a\\u0000b", "a\\ud800b"]


# A version that no page of ours carries.


@pytest.mark.parametrize("version", ["[" * 200_000, "9" * 5_000, "x" * 100_000], ids=["deep", "number", "long"])
@pytest.mark.parametrize("page", ["change", "rules", "mapping"])
def test_a_version_that_no_page_carries_is_none(
    admin: Administrator, provider: Provider, page: str, version: str
) -> None:
    form = {"change": "provider_form"}.get(page, f"{page}_form")
    url = f"{LIST}{provider.pk}/{page}/"
    fields = admin.fields_of(url, form)
    assert (
        admin.browser.post(url, {**fields, "version": version, "shown_version": version, "_save": "on"}).status_code
        == 302
    )


# Other encodings than the web's.


@pytest.mark.parametrize("charset", ["unicode_escape", "utf-16", "latin-1", "raw_unicode_escape"])
@pytest.mark.parametrize("page", ["import", "confirm", "add"])
def test_a_form_in_another_encoding_than_utf_8_is_refused(admin: Administrator, charset: str, page: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\\ud800\r\n--x--\r\n'
    kind = f"multipart/form-data; charset={charset}; boundary=x"
    assert admin.browser.generic("POST", f"{LIST}{page}/", body, content_type=kind).status_code == 400


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=UTF8", "; charset=nobody-knows-it"])
def test_a_form_in_utf_8_is_read_however_that_is_written(admin: Administrator, charset: str) -> None:
    body = '--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n{"é": \r\n--x--\r\n'.encode()
    response = admin.browser.generic("POST", IMPORT, body, content_type=f"multipart/form-data{charset}; boundary=x")
    assert "This is not JSON" in text_of(response)


# Questions by the address of the list.


@pytest.mark.case("CF01")
@pytest.mark.parametrize(
    "query",
    [
        "client_secret__startswith=a",
        "client_secret=a",
        "metadata__issuer__startswith=h",
        "jwks__keys__0__kid__contains=a",
        "metadata__contains=x",
        "enabled__exact=1",
    ],
)
def test_provider_list_refuses_unlisted_lookups(admin: Administrator, provider: Provider, query: str) -> None:
    assert admin.browser.get(f"{LIST}?{query}").status_code == 400


@pytest.mark.parametrize("query", ["subject__startswith=f", "other_ids__contains=x", "user__password__startswith=p"])
def test_account_list_refuses_unlisted_lookups(admin: Administrator, provider: Provider, query: str) -> None:
    assert admin.browser.get(f"/admin/psc_connect/account/?{query}").status_code == 400
    by_filter = f"provider__id__exact={provider.pk}&created_at__isnull=False"
    assert admin.browser.get(f"/admin/psc_connect/account/?{by_filter}").status_code == 200


@pytest.mark.parametrize("query", ["before__sub__startswith=f", "account__subject__contains=f", "username__contains=x"])
def test_audit_log_list_refuses_unlisted_lookups(admin: Administrator, query: str) -> None:
    address = "/admin/psc_connect/accountchange/"
    assert admin.browser.get(f"{address}?{query}").status_code == 400
    assert admin.browser.get(f"{address}?action__exact=linked&made_at__isnull=False").status_code == 200


# Texts that cannot be kept.


@pytest.mark.case("UI09")
@pytest.mark.parametrize("text", UNKEEPABLE)
def test_an_expression_whose_value_cannot_be_kept_finds_nothing(
    admin: Administrator, provider: Provider, text: str
) -> None:
    claim = f'`"{text}"`'
    added = row_previews(add_row(admin, provider, "_preview", claim=claim, user_field="email"))[-1]
    assert added.found == ""
    assert submit(admin, provider, **{"attributes-0-claim": claim}).status_code == 302
    assert admin.browser.get(page_of(provider)).status_code == 200
    assert admin.browser.get(change_page(provider)).status_code == 200
    ExportedAttribute.objects.filter(user_field="username").update(claim=claim)
    person = BrowserSession()
    assert error_code_of(person.sign_in(PAGE)) == "account_username_missing"
    assert not person.is_signed_in


@pytest.mark.parametrize("text", UNKEEPABLE)
def test_a_pasted_document_that_cannot_be_kept_is_refused(
    admin: Administrator, provider: Provider, text: str, no_way_out: None
) -> None:
    before = row(provider)
    broken = json.dumps({**provider.metadata, "x": 1}).replace('"x": 1', f'"x": "{text}"')
    assert codes(admin.submit(change_page(provider), metadata=broken)) == {("metadata", "json_not_strict")}
    keys = key_set({**EC_KEY, "kid": "ec-kid"}).replace("ec-kid", text)
    shown = admin.press(provider, "keys", action="paste", document=keys)
    assert [error.code for error in shown.context["form"].errors.as_data()["document"]] == ["json_not_strict"]
    declared = document({"slug": "psc", "comment": "the comment"}).replace("the comment", text)
    assert "ambiguous or exceeds the limits" in text_of(show(admin, declared))
    assert row(provider) == before


@pytest.mark.parametrize("text", UNKEEPABLE)
def test_a_document_that_a_provider_publishes_and_that_cannot_be_kept_is_refused(
    admin: Administrator, provider: Provider, simulator: Simulator, text: str
) -> None:
    answers = {"environment": "custom", "client_id": "c", "client_secret": CLIENT_SECRET}
    body = json.dumps({**simulator.metadata, "x": 1}).replace('"x": 1', f'"x": "{text}"').encode()
    with simulator.fault("answer", endpoint="metadata", body=body):
        refused = admin.submit(ADD, discovery_url=simulator.discovery_url, **answers)
    assert codes(refused) == {("discovery_url", "metadata_not_json")}
    keys = key_set({**EC_KEY, "kid": "ec-kid"}).replace("ec-kid", text).encode()
    before = row(provider)["jwks"]
    with simulator.fault("answer", endpoint="jwks", body=keys):
        response = admin.press(provider, "keys", action="fetch")
    assert [level for level, _text in messages_of(response)] == ["error"]
    assert row(provider)["jwks"] == before


@pytest.mark.parametrize("name", ["extra_parameters", "button_texts"])
def test_pairs_that_cannot_be_kept_are_refused(admin: Administrator, provider: Provider, name: str) -> None:
    response = admin.submit(change_page(provider), **{name: "en = a\x00b"})
    assert codes(response) == {(name, "null_characters_not_allowed")}


# Expressions and texts that are longer than any.


@pytest.mark.parametrize("claim", ["!" * 3_000 + "a", "(" * 20_000 + "a" + ")" * 20_000], ids=["not", "in brackets"])
def test_an_expression_of_any_length_is_only_too_long(
    admin: Administrator, provider: Provider, claim: str, no_way_out: None
) -> None:
    rows: dict[str, Any] = {
        "exported_attributes": [{"claim": claim, "user_field": "first_name"}],
        "exported_groups": [{"claim": claim, "group": "nobody"}],
    }
    for name, listed in rows.items():
        assert "255 characters" in problems_of(show(admin, document({"slug": "psc", name: listed})))


def test_the_steps_of_a_path_stay_in_bounds_on_the_page(admin: Administrator, provider: Provider) -> None:
    many = json.dumps({f"name {number}" + "x" * 50: number for number in range(3_000)})
    path = "|".join(["@"] * 40) + "|zzz"
    typed = {"attributes-3-claim": path, "attributes-3-user_field": "email"}
    response = submit(admin, provider, "_preview", sample="pasted", pasted=many, **typed)
    steps = row_previews(response)[-1].steps
    assert len(steps) == 11
    assert steps[0] == "…"
    assert steps[-1].startswith(path)
    assert max(len(step) for step in steps) < 1_000
    assert "…" in steps[-2]
