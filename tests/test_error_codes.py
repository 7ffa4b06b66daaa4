"""Every error code is explained: to people in both languages, to administrators in the documentation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

import psc_connect
from psc_connect.administrator_messages import explain
from psc_connect.decorators import NO_PROFESSIONAL, NOT_CHOSEN, NOT_SIGNED_IN, REFUSED
from psc_connect.login.failures import ACR_REFUSALS
from psc_connect.login.refusal_texts import EXPLANATIONS, EXPLANATIONS_BY_PREFIX, SITE_FAULT, explanation_of
from psc_connect.oidc.error_codes import CODES, sentence

PACKAGE = Path(psc_connect.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "simulator" not in path.parts)
ERRORS_PAGE = PACKAGE.parent / "docs" / "errors.md"
PAGES = [PACKAGE.parent / "README.md", *sorted((PACKAGE.parent / "docs").glob("*.md"))]
REFUSALS = {"LoginRefused", "SecretUnavailable"}


def calls(names: set[str]) -> Iterator[ast.Call]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node


def codes_of_the_django_side() -> set[str]:
    literals = {call.args[0].value for call in calls(REFUSALS) if call.args and isinstance(call.args[0], ast.Constant)}
    problems = {
        keyword.value.value
        for call in calls({"AttributeResult"})
        for keyword in call.keywords
        if keyword.arg == "problem" and isinstance(keyword.value, ast.Constant)
    }
    return {str(code) for code in literals | problems} | set(EXPLANATIONS) | ACR_REFUSALS | {"database_unavailable"}


# Codes of @psc_required, which does not refuse logins.
PAGES_FOR_SOME = {NOT_SIGNED_IN, NO_PROFESSIONAL, NOT_CHOSEN, REFUSED}
ALL_CODES = sorted(codes_of_the_django_side() | set(CODES))


def test_codes_are_collected():
    assert {"account_unknown", "secret_missing", "no_provider", "id_token_expired", "base_url_missing"} < set(ALL_CODES)


@pytest.mark.parametrize("code", ALL_CODES)
def test_every_code_has_a_row_in_the_documentation(code):
    rows = re.findall(r"^\| `([a-z_]+)` \| .{10,} \|$", ERRORS_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows.count(code) == 1


def test_the_documentation_lists_no_code_that_does_not_exist():
    rows = re.findall(r"^\| `([a-z_]+)` \|", ERRORS_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(set(rows) - set(ALL_CODES) - PAGES_FOR_SOME) == []
    assert set(rows) >= PAGES_FOR_SOME


@pytest.mark.parametrize("code", ALL_CODES)
def test_every_code_is_explained_to_the_person_in_both_languages(code):
    explanation = explanation_of(code)
    texts = {}
    for language in ("fr", "en"):
        with translation.override(language):
            texts[language] = (str(explanation.title), str(explanation.text))
    assert all(all(pair) for pair in texts.values())
    assert texts["fr"] != texts["en"]


def test_a_code_without_entry_and_prefix_is_a_fault_of_the_site():
    """Only these have the fallback explanation. A new code needs an entry or a prefix."""
    prefixes = tuple(prefix for prefix in EXPLANATIONS_BY_PREFIX if prefix)
    others = {code for code in ALL_CODES if code not in EXPLANATIONS and not code.startswith(prefixes)}
    site = {code for code in others if code.startswith(("secret_", "metadata_"))}
    assert others - site == {"backend_not_installed", "base_url_missing"}


@pytest.mark.parametrize("code", [code for code in CODES if code.startswith("provider_tls_")])
def test_a_tls_failure_is_a_matter_of_the_site(code):
    assert explanation_of(code) is SITE_FAULT


@pytest.mark.case("NW09")
def test_only_a_failure_of_the_site_or_a_provider_that_does_not_answer_has_a_status_over_499():
    """Load balancers count these responses: a browser must not cause one by what it brings."""
    failures = {code for code in ALL_CODES if explanation_of(code).status >= 500}
    of_the_site = {
        "access_rule_malformed",
        "account_link_field_unknown",
        "backend_not_installed",
        "base_url_missing",
        "database_unavailable",
        "token_invalid_client",
        "token_unauthorized_client",
    }
    assert {explanation_of(code).status for code in failures} == {503}
    assert {code for code in failures if not code.startswith(("metadata_", "provider_", "secret_"))} == of_the_site


def test_the_sentences_of_the_protocol_that_forms_show_are_in_french():
    with translation.override("fr"):
        assert [code for code in CODES if explain(code) == sentence(code)] == []


def test_every_code_of_a_page_for_some_professionals_is_in_the_documentation():
    rows = re.findall(
        r"^\| `(professional_[a-z_]+)` \| .{10,} \|$", ERRORS_PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(rows) == sorted(PAGES_FOR_SOME)
    source = (PACKAGE / "decorators.py").read_text(encoding="utf-8")
    assert set(re.findall(r'"(professional_[a-z_]+)"', source)) == PAGES_FOR_SOME


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_picture_of_the_documentation_exists(page):
    linked = re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    here = [each for each in linked if not each.startswith(("http:", "https:"))]
    assert [each for each in here if not (page.parent / each).is_file()] == []
