"""The template filter ``psc_label``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template, TemplateSyntaxError

from psc_connect.claims.samples import load_sample
from psc_connect.professional.coded_values import Code
from psc_connect.professional.nomenclatures import SUBJECTS, choices, shipped
from psc_connect.professional.nomenclatures.replacement import table_as_json
from psc_connect.professional.userinfo import read_userinfo

PRACTICE = read_userinfo(load_sample("doctor-card-two-activities-2023")).practices[0]


def shown(source: str, **context: Any) -> str:
    return Template("{% load psc_connect %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{{ "10"|psc_label:"profession" }}', "Médecin"),
        ('{{ "10^1.2.250.1.213.1.1.5.5"|psc_label:"profession" }}', "Médecin"),
        ('{{ "C"|psc_label:"category" }}', "Civil"),
        ('{{ "SM54"|psc_label:"speciality" }}', "Médecine générale (SM)"),
        ('{{ "SM54"|psc_label:"TRE_R38-SpecialiteOrdinale" }}', "Médecine générale (SM)"),
        ('{{ "CAPA01"|psc_label:"skill" }}', "Addictologie clinique (CAPA)"),
        ('{{ "S"|psc_label:"skill_kind" }}', "Spécialité ordinale"),
        ('{{ "S"|psc_label:"mode" }}', "Salarié"),
        ('{{ "SA07"|psc_label:"sector" }}', "Cabinet individuel"),
        ('{{ "FON-01"|psc_label:"role" }}', "Titulaire de cabinet"),
        ('{{ "GENR01"|psc_label:"activity_kind" }}', "Activité de soin et de pharmacie"),
        ('{{ "MLLE"|psc_label:"civility" }}', "Mademoiselle"),
        ('{{ "DR"|psc_label:"title" }}', "Docteur"),
        ('{{ "8"|psc_label:"identifier_kind" }}', "N° RPPS"),
        ('{{ 10|psc_label:"profession" }}', "Médecin"),
        ("{{ practice.profession|psc_label }}", "Médecin"),
        ('{{ practice.profession|psc_label:"profession" }}', "Médecin"),
        ("{{ practice.profession }}", "Médecin"),
        ("{{ practice.activities.0.mode.label }}", "Libéral, indépendant, artisan, commerçant"),
    ],
)
def test_a_code_is_shown_with_its_label(source: str, text: str) -> None:
    assert shown(source, practice=PRACTICE) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{{ "999"|psc_label:"profession" }}', "999"),
        ("{{ unknown|psc_label }}", "Z"),
        ("{{ unknown|psc_label:'mode' }}", "Z"),
        ('{{ "10"|psc_label }}', "10"),
        ("{{ '10'|psc_label:nothing }}", "10"),
        ('{{ ""|psc_label:"profession" }}', ""),
        ('{{ nothing|psc_label:"profession" }}', ""),
        ('{{ missing|psc_label:"profession" }}', ""),
        ("{{ practice.activities.0.role|psc_label }}", ""),
    ],
)
def test_code_without_a_label_is_shown_itself(source: str, text: str) -> None:
    assert shown(source, practice=PRACTICE, unknown=Code("Z", "", SUBJECTS["mode"]), nothing=None) == text


def test_unknown_kind_raises_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(TemplateSyntaxError, match=r"psc_label: 'profesion' is not a subject or a table"):
        shown('{{ "10"|psc_label:"profesion" }}')


@pytest.mark.parametrize("code", ["<b>1</b>", Code("<b>1</b>", "", SUBJECTS["mode"])])
@pytest.mark.parametrize("kind", ["mode", ""])
def test_a_code_is_escaped(code: Any, kind: str) -> None:
    assert shown("{{ code|psc_label:kind }}", code=code, kind=kind) == "&lt;b&gt;1&lt;/b&gt;"


def test_a_label_is_escaped(tmp_path: Path, settings: Any) -> None:
    settings.PSC_CONNECT_NOMENCLATURE_DIR = tmp_path
    document = table_as_json(shipped("TRE_R23-ModeExercice"))
    document["concepts"] = [{"code": "S", "label": "<script>", "closed": None}]
    (tmp_path / "TRE_R23-ModeExercice.json").write_text(json.dumps(document))
    assert shown("{{ 'S'|psc_label:'mode' }}") == "&lt;script&gt;"
    assert shown("{% autoescape off %}{{ 'S'|psc_label:'mode' }}{% endautoescape %}") == "<script>"


def test_concept_of_a_list_of_choices_is_shown_with_its_label() -> None:
    source = "{% for each in offered %}{{ each.code|psc_label:'role' }}\n{% endfor %}"
    assert shown("{% autoescape off %}" + source + "{% endautoescape %}", offered=choices("role")).splitlines() == [
        each.label for each in choices("role")
    ]
