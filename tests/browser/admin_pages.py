"""The administration pages, each opened with as much content as possible."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser import steps

PROVIDERS = "/admin/psc_connect/provider/"
PROVIDER = f"{PROVIDERS}1/"
ACCOUNTS = "/admin/psc_connect/account/"
TYPING_ERROR = "SubjectRefPro.exercices[0].codeProfesion"
CONFIGURATION = {
    "psc_connect": 1,
    "providers": [
        {
            "slug": "psc",
            "environment": "production",
            "client_id": "dossier-partage",
            "client_secret": "env:PSC_CONNECT_SECRET_PROD",
            "comment": "Déclaré à l’ANS le 3 novembre",
        },
        {"slug": "psc-simulator", "acr_values": "eidas1"},
    ],
}
# A public key that no provider has, for a preview that is not accepted.
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "2026-11",
    "use": "sig",
    "alg": "ES256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


def _open(address: str) -> Callable[[Page], None]:
    def visit(page: Page) -> None:
        page.goto(address)

    return visit


def run_connection_test(page: Page) -> None:
    page.goto(f"{PROVIDER}connection/")
    page.locator("#content [type=submit]").first.click()
    page.locator(".psc-summary").wait_for()


def run_dry_run(page: Page) -> None:
    page.goto(f"{PROVIDER}dry-run/")
    page.locator("#content a.button").click()
    steps.choose_person(page)
    page.wait_for_url("**/dry-run/")


def reveal_claims(page: Page) -> None:
    """Show the claims of the last dry run."""
    page.goto(f"{PROVIDER}dry-run/")
    page.locator('a[href="?reveal=1#claims"]').click()
    page.wait_for_url("**/dry-run/?reveal=1*")


def preview_mapping(page: Page) -> None:
    page.goto(f"{PROVIDER}mapping/")
    page.select_option("#id_sample", "doctor-two-exercices-2022")
    page.fill("#id_attributes-3-claim", TYPING_ERROR)
    page.select_option("#id_attributes-3-user_field", "email")
    page.locator("[name=_preview]").click()
    page.locator(".psc-steps").wait_for()


def fill_in_preset(page: Page) -> None:
    page.goto(f"{PROVIDER}mapping/")
    page.select_option("#id_preset", "directory")
    page.locator("[name=_fill]").click()
    page.locator(".psc-missing").wait_for()
    page.locator("summary").last.click()


def preview_access_rules(page: Page) -> None:
    """Enter a rule with two conditions and preview its effect."""
    page.goto(f"{PROVIDER}access-rules/")
    page.select_option("#id_rules-0-conditions-0-subject", "profession")
    page.select_option("#id_rules-0-conditions-0-operator", "not_in")
    page.fill("#id_rules-0-conditions-0-typed", "médecin; pharmacien")
    page.select_option("#id_rules-0-conditions-1-subject", "department")
    page.fill("#id_rules-0-conditions-1-typed", "75, 92")
    page.select_option("#id_rules-0-outcome", "refuse")
    page.fill("#id_rules-0-message", "Ce dossier est réservé aux médecins et aux pharmaciens de Paris.")
    page.select_option("#id_others_may_sign_in", "True")
    page.fill("#id_contact", "dsi@hopital.example")
    page.locator(".submit-row [name=_preview]").click()
    page.locator("#preview").wait_for()


def edit_provider_selection(page: Page) -> None:
    page.goto(f"{PROVIDER}rules/")
    page.fill("#id_form-0-value", "10.20.0.0/16")
    page.select_option("#id_form-1-kind", "host")
    page.fill("#id_form-1-value", "dossiers.example.org")


def paste_keys(page: Page) -> None:
    page.goto(f"{PROVIDER}keys/")
    page.fill("#id_document", json.dumps({"keys": [KEY]}))
    page.locator("button[value=paste]").click()
    page.locator(".psc-changes").wait_for()


def show_import(page: Page) -> None:
    page.goto(f"{PROVIDERS}import/")
    page.fill("#id_text", json.dumps(CONFIGURATION))
    page.locator("#import_form [type=submit]").click()
    page.locator("#accept_form").wait_for()


def open_account(page: Page) -> None:
    """Open the account of a person who has signed in."""
    page.goto(ACCOUNTS)
    page.get_by_role("link", name=steps.DOCTORS_MASKED).first.click()
    page.locator("#identifiers").wait_for()


def link(page: Page) -> None:
    """Preview linking the account to the administrator, without confirming."""
    open_account(page)
    page.locator('.psc-tools a[href$="/link/"]').click()
    page.fill("#id_user", "admin")
    page.locator("#plan_form [type=submit]").click()
    page.locator("#confirm_form").wait_for()


def unlink(page: Page) -> None:
    open_account(page)
    page.locator(".deletelink").click()
    page.wait_for_url("**/delete/")


PAGES: dict[str, Callable[[Page], None]] = {
    "providers": _open(PROVIDERS),
    "add": _open(f"{PROVIDERS}add/"),
    "provider": _open(f"{PROVIDER}change/"),
    "connection": run_connection_test,
    "dry-run": run_dry_run,
    "claims": reveal_claims,
    "mapping": preview_mapping,
    "mapping-set": fill_in_preset,
    "access-rules": preview_access_rules,
    "rules": edit_provider_selection,
    "keys": paste_keys,
    "history": _open(f"{PROVIDER}history/"),
    "move-accounts": _open(f"{PROVIDER}move-accounts/"),
    "import": show_import,
    "confirm": _open(f"{PROVIDERS}confirm/"),
    "accounts": _open(ACCOUNTS),
    "account": open_account,
    "link": link,
    "unlink": unlink,
    "unlinked": _open("/admin/psc_connect/unlinkedaccount/"),
    "account-changes": _open("/admin/psc_connect/accountchange/"),
}
