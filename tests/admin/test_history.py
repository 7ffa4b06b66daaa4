"""The history page: every change of a provider, with old and new values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model

from psc_connect.admin.history import MAX_MEMBERS
from psc_connect.models import DeclarationChange, Provider
from tests.admin.pages import ADD, Administrator, change_page, text_of
from tests.conftest import CLIENT_SECRET

pytestmark = pytest.mark.django_db


def changes() -> list[list[Any]]:
    return sorted(each for change in DeclarationChange.objects.all() for each in change.changes)


@pytest.mark.parametrize(
    ("name", "typed", "old", "new"),
    [
        ("scope", "openid", "openid scope_all", "openid"),
        ("enabled", None, True, False),
        ("max_age", "60", None, 60),
        ("sort_order", "5", 100, 5),
        ("comment", "x", "", "x"),
    ],
)
def test_a_field_is_told_with_old_and_new(
    admin: Administrator, provider: Provider, name: str, typed: str | None, old: Any, new: Any
) -> None:
    drop, values = ((name,), {}) if typed is None else ((), {name: typed})
    admin.submit(change_page(provider), drop=drop, **values)
    assert changes() == [[name, old, new]]


def test_members_are_told_one_by_one(admin: Administrator, provider: Provider) -> None:
    document = {**provider.metadata, "x-new": [1], "end_session_endpoint": ""}
    admin.submit(change_page(provider), metadata=json.dumps(document), extra_parameters="a = 1", button_texts="en = Hi")
    assert changes() == [
        ["extra_parameters.a", None, "1"],
        ["metadata.end_session_endpoint", provider.metadata["end_session_endpoint"], ""],
        ["metadata.x-new", None, [1]],
        ["translations.en", None, {"button_text": "Hi"}],
    ]


def test_a_declaration_and_its_end_are_told(admin: Administrator, no_way_out: None) -> None:
    admin.submit(ADD, environment="production", client_id="c", client_secret=CLIENT_SECRET)
    provider = Provider.objects.get()
    declared = {name: new for name, _old, new in changes()}
    assert declared["client_id"] == "c"
    assert declared["client_secret"] == "replaced"
    assert declared["exported_attributes.last_name"]["claim"] == "family_name"
    assert CLIENT_SECRET not in str(changes())
    admin.browser.post(f"/admin/psc_connect/provider/{provider.pk}/delete/", {"post": "yes"})
    last = DeclarationChange.objects.first()
    assert last is not None
    assert (last.provider, last.slug) == (None, "psc")
    assert ["client_id", "c", None] in last.changes


def test_several_deleted_at_once_are_told_each(admin: Administrator, provider: Provider) -> None:
    data = {"action": "delete_selected", "_selected_action": [str(provider.pk)], "post": "yes"}
    admin.browser.post("/admin/psc_connect/provider/", data)
    assert not Provider.objects.exists()
    assert DeclarationChange.objects.get().slug == "psc"


def test_a_reference_to_a_secret_is_told_by_its_name(
    admin: Administrator, provider: Provider, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("PSC_CONNECT_SECRET_A", "x")
    settings.PSC_CONNECT_SECRET_ISSUERS = {"env:PSC_CONNECT_SECRET_A": provider.issuer}
    admin.submit(change_page(provider), client_secret="env:PSC_CONNECT_SECRET_A")
    assert changes() == [["client_secret", None, "env:PSC_CONNECT_SECRET_A"]]


def test_nothing_changed_is_nothing_told(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider))
    admin.submit(change_page(provider), client_id="")
    assert not DeclarationChange.objects.exists()


def test_the_page_tells_who_when_and_what_in_words(admin: Administrator, provider: Provider, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    admin.submit(change_page(provider), drop=("enabled",), scope="openid", client_secret="a new one")
    page = text_of(admin.open(provider, "history"))
    assert "administrator-" in page
    assert "scopes openid scope_all openid" in page
    assert "enabled yes no" in page
    assert "client secret – replaced" in page
    assert "a new one" not in page


@pytest.mark.usefixtures("english")
def test_a_declaration_is_told_without_what_is_empty_and_its_document_folded_up(
    admin: Administrator, no_way_out: None
) -> None:
    admin.submit(ADD, environment="production", client_id="c", client_secret=CLIENT_SECRET)
    page = admin.open(Provider.objects.get(), "history")
    (change,) = page.context["changes"]
    labels = [difference.label for difference in change.diff]
    assert len(labels) < 20
    assert not {"comment", "prompt", "provider metadata"} & {*labels}
    assert len(change.folded) > MAX_MEMBERS
    assert f"{len(change.folded)} members" in text_of(page)
    assert "client secret – stored" in text_of(page)
    assert Provider.objects.get().issuer in text_of(page)


def test_an_older_releases_field_is_told_by_its_name(admin: Administrator, provider: Provider) -> None:
    gone = [["gone", "old", "new"], ["exported_attributes.x", None, {"claim": "a", "gone": "b"}]]
    DeclarationChange.objects.create(provider=provider, slug="psc", source="admin", changes=gone)
    text = text_of(admin.open(provider, "history"))
    assert "gone old new" in text
    assert "claim : a, gone : b" in text


def test_a_long_value_is_cut_and_markup_is_only_text(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), comment="<script>alert(1)</script>" + "x" * 1000)
    page = admin.open(provider, "history").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "x" * 400 not in page


def test_an_empty_history_says_so(admin: Administrator, provider: Provider) -> None:
    assert admin.open(provider, "history").status_code == 200


def test_the_name_outlives_the_user(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), scope="openid")
    get_user_model().objects.all().delete()
    change = DeclarationChange.objects.get()
    assert (change.made_by, change.made_by_name) == (None, "administrator-")


def test_a_save_that_is_refused_by_the_database_leaves_no_audit_entry(admin: Administrator, provider: Provider) -> None:
    from django.db.models.signals import post_save

    def fail(**_kwargs: Any) -> None:
        raise RuntimeError("the disk is full")

    post_save.connect(fail, sender=Provider)
    admin.browser.raise_request_exception = False
    try:
        assert admin.submit(change_page(provider), scope="openid").status_code == 500
    finally:
        post_save.disconnect(fail, sender=Provider)
    assert not DeclarationChange.objects.exists()


def test_djangos_recent_actions_know_of_it_too(admin: Administrator, provider: Provider) -> None:
    admin.submit(change_page(provider), scope="openid")
    assert LogEntry.objects.get().is_change()


def test_audit_log_cannot_be_edited(admin: Administrator) -> None:
    from django.contrib.admin import site

    assert not site.is_registered(DeclarationChange)
