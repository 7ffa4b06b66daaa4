"""The requirements of a page: mistakes raise at import, with a suggestion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.views import View

from psc_connect.decorators import PSCRequiredMixin, psc_required
from psc_connect.professional.conditions import ConditionError

wrongly_called: Any = psc_required


def page_class() -> Any:
    return type("Page", (PSCRequiredMixin, View), {})


@pytest.mark.parametrize("who", [{"profession": ""}, {"profession": []}, {"shoe_size": "42"}, {"profession": [10]}])
def test_invalid_requirement_raises_when_the_view_is_defined(who: Any) -> None:
    with pytest.raises(ConditionError):
        psc_required(**who)
    with pytest.raises(ConditionError):
        type("Page", (PSCRequiredMixin, View), {"psc_required": who})
    with pytest.raises(ConditionError):
        page_class().as_view(psc_required=who)


@pytest.mark.parametrize(
    ("who", "message"),
    [
        ({"proffession": "10"}, "condition_subject_unknown: proffession. Known subjects: profession, "),
        ({"profession": 10}, 'condition_malformed: profession=10. Codes are strings, such as "10"'),
        ({"profession": [10]}, "condition_malformed: profession=[10]. Codes are strings"),
        ({"identifier_kind": "rps"}, "condition_value_malformed: identifier_kind='rps'. Known kinds: rpps, "),
        (
            {"profession": "Médecin"},
            "condition_value_malformed: profession='Médecin'. The code of “Médecin” is \"10\".",
        ),
        ({"profession": ["10", "médecin"]}, 'The code of “Médecin” is "10".'),
        ({"profession": "10,40"}, 'profession=\'10,40\'. Write several codes as a list: ["10", "40"].'),
        (
            {"profession": "Généraliste"},
            '. A code looks like "10" (Médecin). See "manage.py psc_nomenclatures search".',
        ),
        ({"speciality": "Médecine générale (SM)"}, 'The code of “Médecine générale (SM)” is "SM54".'),
        ({"department": "Île de France"}, "condition_value_malformed: department='Île de France'"),
    ],
)
def test_error_names_the_argument_and_suggests_a_value(who: Any, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        psc_required(**who)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("who", "message"),
    [
        ({"mode": "l"}, 'mode="l": unknown code. Similar: "L" (Libéral, indépendant'),
        ({"profession": "999"}, 'profession="999": unknown code. A code looks like "10" (Médecin). See'),
        ({"speciality": "SM999"}, 'speciality="SM999": unknown code. Similar: "SM'),
        ({"profession": "Sage-femme"}, 'profession="Sage-femme": unknown code. The code of “Sage-Femme'),
        ({"profession": "10 40"}, 'profession="1040": unknown code. Similar: '),
        ({"sector": "X"}, 'sector="X": unknown code. A code looks like "SA01" ('),
        ({"department": "Paris"}, 'department="PARIS": this does not look like a value of department.'),
        ({"structure": "75 01"}, 'structure="7501": this does not look like a value of structure.'),
        ({"means": ["CARD", "carte"]}, 'means="carte": this does not look like a value of means.'),
    ],
)
def test_unknown_value_is_accepted_with_a_warning_at_the_line_of_the_view(who: Any, message: str) -> None:
    for make in (
        lambda: psc_required(**who),
        lambda: _class_of(who),
        lambda: page_class().as_view(psc_required=who),
    ):
        with pytest.warns(UserWarning, match="unknown code|does not look like") as caught:
            make()
        [warning] = caught
        assert str(warning.message).startswith(message)
        assert Path(warning.filename) == Path(__file__)


def _class_of(who: Any) -> type[View]:
    class Page(PSCRequiredMixin, View):
        psc_required = who

    # Emitted once, where it was written.
    class _Below(Page):
        pass

    return Page


def test_codes_of_the_tables_emit_no_warning() -> None:
    # A warning is an error in this suite.
    psc_required(
        profession=["10", "40"], mode="L", speciality=("SM54",), acr="eidas9", structure="75 01 00 001", means="CARD"
    )


@pytest.mark.parametrize("written", [lambda: wrongly_called(print), lambda: wrongly_called("10")])
def test_error_without_parentheses_or_names_shows_the_syntax(written: Any) -> None:
    with pytest.raises(TypeError, match=r'Write @psc_required\(profession="10"\), or @psc_required\(\) '):
        written()


def test_error_for_a_class_names_the_mixin() -> None:
    with pytest.raises(TypeError, match="Page is a class: use PSCRequiredMixin as its first base class"):

        @psc_required(profession="10")
        class Page(View):
            pass


def test_mixin_placed_after_view_is_refused_with_the_correct_order() -> None:
    class DoctorsOnly(PSCRequiredMixin):
        psc_required = {"profession": "10"}  # noqa: RUF012 - as a site writes it

    with pytest.raises(ImproperlyConfigured, match=r"open to everyone.* class Page\(DoctorsOnly, …\)"):

        class Page(View, DoctorsOnly):
            pass


@pytest.mark.parametrize("asked", ["10", ["profession"], None])
def test_value_that_is_not_a_mapping_is_refused_with_an_example(asked: Any) -> None:
    message = r'Page.psc_required must be a mapping, such as \{"profession": "10"\}'
    with pytest.raises(ImproperlyConfigured, match=message):
        type("Page", (PSCRequiredMixin, View), {"psc_required": asked})
    with pytest.raises(ImproperlyConfigured, match=message):
        page_class().as_view(psc_required=asked)


def test_as_view_passes_on_its_positional_arguments() -> None:
    """Has an as_view() like the view sets of Django REST framework."""

    class Actions(View):
        @classmethod
        def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
            return actions, initkwargs

    class Page(PSCRequiredMixin, Actions):
        psc_required = {"profession": "10"}  # noqa: RUF012 - as a site writes it

        def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse()

    assert Page.as_view({"get": "list"}) == ({"get": "list"}, {})
