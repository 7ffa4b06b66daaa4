"""Tasks of an administrator: connection test, dry run, mapping, access rules, keys, import and unlinking."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import admin_pages, steps
from tests.browser.demo import Demo

Visit = Callable[..., Page]
both = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])


@pytest.fixture
def administrator(visit: Visit, demo: Demo) -> Callable[[bool], Page]:
    def enter(scripts: bool) -> Page:
        page = visit(java_script_enabled=scripts)
        steps.enter_admin(page, demo)
        return page

    return enter


@both
def test_every_page_is_reached_from_the_provider(administrator: Callable[[bool], Page], scripts: bool) -> None:
    page = administrator(scripts)
    for link, heading in (
        ("Tester la connexion", "Tester la connexion"),
        ("Connexion à blanc", "Connexion à blanc"),
        ("Attributs et groupes", "Attributs exportés et groupes"),
        ("Règles d’accès", "Règles d’accès"),
        ("Règles de résolution", "Règles de résolution"),
        ("Clés de signature", "Clés de signature"),
        ("Historique", "Historique"),
    ):
        page.goto(f"{admin_pages.PROVIDER}change/")
        page.locator(".object-tools").get_by_role("link", name=link).click()
        expect(page.locator("#content h1")).to_have_text(heading)
        page.get_by_role("navigation").get_by_role("link", name="psc-simulator – Simulateur local").first.click()
        expect(page.locator("#id_slug")).to_have_value("psc-simulator")


@both
def test_the_connection_is_tested(administrator: Callable[[bool], Page], scripts: bool) -> None:
    page = administrator(scripts)
    admin_pages.run_connection_test(page)
    expect(page.locator(".psc-summary")).to_contain_text("n’empêche les professionnels de se connecter")
    expect(page.locator(".psc-lines tbody tr")).to_have_count(12)
    # The only warning: the demonstration uses http.
    expect(page.locator(".psc-warning")).to_have_count(1)
    expect(page.locator(".psc-failed")).to_have_count(0)


@both
def test_a_dry_run_shows_the_login(administrator: Callable[[bool], Page], scripts: bool) -> None:
    page = administrator(scripts)
    page.goto(admin_pages.ACCOUNTS)
    accounts = page.locator("#result_list tbody tr").count()
    admin_pages.run_dry_run(page)
    # Another test may have signed in the same person.
    expect(page.locator(".psc-summary")).to_have_text(
        re.compile("Un nouvel utilisateur serait créé pour cette personne|Cette personne a déjà un compte")
    )
    expect(page.locator(".psc-claims").first).to_contain_text('"SubjectNameID": "89••••••••85"')
    admin_pages.reveal_claims(page)
    expect(page.locator(".psc-claims").first).to_contain_text('"SubjectNameID": "899700427885"')
    # The administrator is still signed in, and there is no new account.
    page.goto("/admin/")
    expect(page.locator("#user-tools")).to_contain_text("admin")
    page.goto(admin_pages.ACCOUNTS)
    expect(page.locator("#result_list tbody tr")).to_have_count(accounts)


@both
def test_a_mapping_is_previewed_and_saved(administrator: Callable[[bool], Page], scripts: bool) -> None:
    page = administrator(scripts)
    admin_pages.preview_mapping(page)
    expect(page.locator(".psc-steps")).to_contain_text("vouliez-vous dire codeProfession ?")
    page.goto(f"{admin_pages.PROVIDER}mapping/")
    expect(page.locator("#id_attributes-3-claim")).to_have_value("")
    page.fill("#id_attributes-3-claim", "SubjectOrganization")
    page.select_option("#id_attributes-3-user_field", "email")
    page.locator(".submit-row [name=_save]").click()
    page.goto(f"{admin_pages.PROVIDER}mapping/")
    expect(page.locator("#id_attributes-3-claim")).to_have_value("SubjectOrganization")
    page.locator("#id_attributes-3-DELETE").check()
    page.locator(".submit-row [name=_save]").click()
    page.goto(f"{admin_pages.PROVIDER}mapping/")
    expect(page.locator("#id_attributes-3-claim")).to_have_value("")


@both
def test_a_preset_is_filled_in_and_the_enter_key_saves(administrator: Callable[[bool], Page], scripts: bool) -> None:
    page = administrator(scripts)
    page.goto(f"{admin_pages.PROVIDER}mapping/")
    page.select_option("#id_preset", "directory")
    page.locator("[name=_fill]").click()
    expect(page.locator(".psc-missing li")).to_have_count(3)
    expect(page.locator("#id_attributes-3-claim")).to_have_value("profession.label")
    page.select_option("#id_attributes-3-user_field", "email")
    page.locator("#id_attributes-4-DELETE").check()
    page.locator("#id_attributes-5-DELETE").check()
    page.locator("#id_attributes-3-claim").press("Enter")
    expect(page.locator(".messagelist .success")).to_be_visible()
    expect(page.locator("#id_attributes-3-claim")).to_have_value("profession.label")
    page.locator("#id_attributes-3-DELETE").check()
    page.locator(".submit-row [name=_save]").click()
    expect(page.locator("#id_attributes-3-claim")).to_have_value("")


@both
def test_access_rules_are_previewed_and_saved(administrator: Callable[[bool], Page], scripts: bool) -> None:
    page = administrator(scripts)
    admin_pages.preview_access_rules(page)
    refused = page.locator(".psc-lines tr", has_text="Une pédicure-podologue")
    expect(refused).to_contain_text("connexion refusée : « Ce dossier est réservé aux médecins")
    page.locator("[name=_save]").click()
    page.goto(f"{admin_pages.PROVIDER}change/")
    expect(page.locator(".field-access_rules li").first).to_contain_text(
        "Profession autre que Médecin (10) ou Pharmacien (21) et Département : 75 ou 92 → connexion refusée"
    )
    page.goto(f"{admin_pages.PROVIDER}access-rules/")
    expect(page.get_by_label("Médecin (10)")).to_be_checked()
    page.select_option("#id_rules-1-outcome", "allow")
    page.get_by_role("button", name="Monter").click()
    expect(page.locator("#id_rules-0-outcome")).to_have_value("allow")
    page.locator("#id_rules-0-DELETE").check()
    page.locator("#id_rules-1-DELETE").check()
    page.locator("[name=_save]").click()
    page.goto(f"{admin_pages.PROVIDER}access-rules/")
    expect(page.locator(".psc-rule")).to_have_count(1)


def test_a_code_is_found_by_its_name_without_a_mouse(administrator: Callable[[bool], Page]) -> None:
    page = administrator(True)
    page.goto(f"{admin_pages.PROVIDER}access-rules/")
    page.select_option("#id_rules-0-conditions-0-subject", "profession")
    search = page.locator("#id_rules-0-conditions-0-typed")
    search.press_sequentially("MEDEC")
    expect(page.locator(".psc-found button")).to_have_text(["Médecin (10)"])
    search.press("Enter")
    expect(page.get_by_label("Médecin (10)")).to_be_checked()
    expect(search).to_have_value("")
    search.press_sequentially("infirm")
    search.press("ArrowDown")
    expect(page.locator(".psc-found button").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(".psc-code-checkbox")).to_have_text(["Médecin (10)", "Infirmier (60)"])
    search.press_sequentially("infirm")
    search.press("Escape")
    expect(page.locator(".psc-found button")).to_have_count(0)
    # The codes of professions are removed.
    page.select_option("#id_rules-0-conditions-0-subject", "department")
    expect(page.locator(".psc-code-checkbox")).to_have_count(0)


def test_only_the_fields_of_an_outcome_are_shown(administrator: Callable[[bool], Page]) -> None:
    page = administrator(True)
    page.goto(f"{admin_pages.PROVIDER}access-rules/")
    for outcome, shown in (("", set()), ("allow", set()), ("refuse", {"message"}), ("group", {"group"})):
        page.select_option("#id_rules-0-outcome", outcome)
        visible = {name for name in ("message", "group") if page.locator(f"#id_rules-0-{name}").is_visible()}
        assert visible == shown


@both
def test_a_key_is_pinned_and_unpinned(administrator: Callable[[bool], Page], scripts: bool) -> None:
    page = administrator(scripts)
    page.goto(f"{admin_pages.PROVIDER}keys/")
    page.locator("button[value=fetch]").click()
    expect(page.locator("#content")).to_contain_text("ce sont déjà les clés enregistrées")
    page.goto(f"{admin_pages.PROVIDER}keys/")
    page.get_by_role("button", name="Figer").click()
    expect(page.locator(".psc-lines").first).to_contain_text("figée")
    page.get_by_role("button", name="Libérer").click()
    expect(page.locator(".psc-lines").first).to_contain_text("active")


@both
def test_a_configuration_is_exported_and_imported(
    administrator: Callable[[bool], Page], tmp_path: Path, scripts: bool
) -> None:
    page = administrator(scripts)
    page.goto(f"{admin_pages.PROVIDER}change/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Exporter").click()
    file = tmp_path / "exported.json"
    download.value.save_as(file)
    assert "client_secret" not in json.loads(file.read_text())["providers"][0]
    page.goto(f"{admin_pages.PROVIDERS}import/")
    page.set_input_files("#id_file", file)
    page.locator("#import_form [type=submit]").click()
    expect(page.locator("#content")).to_contain_text("aucune modification")


@both
def test_an_account_is_unlinked_and_its_session_ends(
    administrator: Callable[[bool], Page], visit: Visit, scripts: bool
) -> None:
    person = visit()
    steps.sign_in(person)
    page = administrator(scripts)
    admin_pages.unlink(page)
    expect(page.locator("#content")).to_contain_text(
        "Les sessions ouvertes avec un compte dissocié sont fermées immédiatement."
    )
    page.get_by_role("button", name="Oui, dissocier et fermer les sessions").click()
    person.goto("/")
    expect(person.locator(".psc-button")).to_be_visible()
    page.goto("/admin/psc_connect/unlinkedaccount/")
    expect(page.locator("#result_list")).to_contain_text(steps.DOCTORS_MASKED)


def test_administration_pages_are_in_english_on_request(visit: Visit, demo: Demo) -> None:
    steps.sign_in(visit())
    page = visit(locale="en-GB")
    steps.enter_admin(page, demo)
    for name, open_page in admin_pages.PAGES.items():
        open_page(page)
        words = set(page.locator("#content").inner_text().casefold().split())
        assert not words & {"fournisseur", "clés", "connexion", "attributs", "enregistrer"}, name
