"""docs/api.md and the package name the same templates, blocks, context names and CSS custom properties."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import get_template
from django.template.loader_tags import BlockNode, ExtendsNode
from django.test.signals import template_rendered

import psc_connect
from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.support.api_page import names_in, rows_of
from tests.support.browser_session import BrowserSession

PACKAGE = Path(psc_connect.__file__).parent
TEMPLATES = {names_in(row[0])[0]: (set(names_in(row[2])), set(names_in(row[3]))) for row in rows_of("template")}
# An included template has the names of the page around it too.
INCLUDED = {"psc_connect/activity_card.html", "psc_connect/contact.html", "psc_connect/logout_button.html"}
LAYOUTS = {"psc_connect/admin_login.html", "psc_connect/admin_base_site.html", "psc_connect/base.html"}


def test_every_template_is_documented() -> None:
    folder = PACKAGE / "templates"
    public = {str(path.relative_to(folder)) for path in (folder / "psc_connect").rglob("*.html")}
    assert TEMPLATES.keys() == public


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_has_the_documented_blocks(name: str) -> None:
    nodes: Any = get_template(name).template.nodelist  # type: ignore[attr-defined]
    blocks = {block.name for block in nodes.get_nodes_by_type(BlockNode)}
    blocks |= {block for parent in nodes.get_nodes_by_type(ExtendsNode) for block in parent.blocks}
    assert blocks == TEMPLATES[name][1]


@pytest.mark.case("NW07")
@pytest.mark.parametrize("name", TEMPLATES)
def test_turbo_and_htmx_leave_every_link_and_form_to_the_browser(name: str) -> None:
    source = (PACKAGE / "templates" / name).read_text()
    elements = re.findall(r"<(?:a|form) (?!href=\"mailto:)", source)
    assert source.count(' data-turbo="false" hx-boost="false">') == len(elements)


@pytest.fixture
def rendered(provider: Any, simulator: Simulator, professional_pages: None) -> dict[str, set[str]]:
    """The names in the context of each template, after a visit to every page."""
    contexts: dict[str, set[str]] = {}

    def record(template: Any, context: Any, **_kwargs: Any) -> None:
        contexts.setdefault(str(template.name), set(context.flatten()))

    template_rendered.connect(record)
    person = BrowserSession()
    Provider.objects.create(slug="other", client_id="c", environment="custom", button_text="Other")
    for path in ("/psc/login/?choose=1", "/psc/none/login/", "/psc/psc/logged-out/"):
        person.browser.get(path)
    person.browser.get("/psc/login/", headers={"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"})
    simulator.sign_in("military-doctor")
    person.sign_in()
    for path in ("/psc/psc/activity/", "/podiatrists/", "/psc/psc/logout/", "/template/"):
        person.browser.get(path)
    person.browser.post("/psc/psc/logout/")
    template_rendered.disconnect(record)
    person.close()
    return contexts


@pytest.mark.django_db
def test_templates_get_the_documented_names(rendered: dict[str, set[str]]) -> None:
    page = rendered["psc_connect/choose_provider.html"]
    assert TEMPLATES["psc_connect/choose_provider.html"][0] == set()
    assert rendered.keys() >= TEMPLATES.keys() - LAYOUTS
    for name in TEMPLATES.keys() - LAYOUTS - INCLUDED:
        documented = TEMPLATES[name][0]
        assert (name, rendered[name] - (page - documented)) == (name, documented)
    for name in INCLUDED:
        assert TEMPLATES[name][0] <= rendered[name], name


def test_custom_properties_of_the_style_sheet_are_the_documented_ones() -> None:
    sheet = (PACKAGE / "static" / "psc_connect" / "psc_connect.css").read_text(encoding="utf-8")
    documented = {name for row in rows_of("property") for name in names_in(row[0])}
    assert documented == set(re.findall(r"^\s+(--psc-[a-z-]+):", sheet, re.MULTILINE))
