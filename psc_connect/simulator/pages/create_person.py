"""The page that creates a person. Refused values stay in its form, with the problems beside them."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from psc_connect.simulator.pages import person_form_texts
from psc_connect.simulator.pages.choose_person import CHOOSE_PATH, CREATE_PERSON_PATH
from psc_connect.simulator.pages.layout import fill, page
from psc_connect.simulator.pages.texts import TEXTS
from psc_connect.simulator.person_form import FIELDS, FIELDSETS, INITIAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from psc_connect.simulator.http_messages import Response
    from psc_connect.simulator.person_form import Field, Problem
    from psc_connect.simulator.person_form_codes import Codes


def create_person(
    language: str, *, interaction: str, values: Mapping[str, str] | None = None, problems: Iterable[Problem] = ()
) -> Response:
    errors = {problem.field: _sentence(language, problem) for problem in problems}
    # Only one of the page's two forms was sent: the other one keeps its initial values.
    values = {**INITIAL, "json": "", **(values or {})}
    texts = TEXTS[language]
    content = fill(
        "create_person.html",
        {
            **texts,
            "action": CREATE_PERSON_PATH,
            "choose": CHOOSE_PATH,
            "interaction": interaction,
            "json": values["json"],
        },
        raw={
            "summary": _summary(language, errors),
            "json_problem": _problem("json", errors),
            "json_state": _state("json", errors, hint=texts["json_hint"]),
            "fieldsets": "\n".join(_fieldset(language, name, values, errors) for name in FIELDSETS),
        },
    )
    return page(language, "create_refused_title" if errors else "create_title", content, status=400 if errors else 200)


def _sentence(language: str, problem: Problem) -> str:
    return Template(person_form_texts.PROBLEMS[language][problem.reason]).substitute(problem.details)


def _summary(language: str, errors: Mapping[str, str]) -> str:
    if not errors:
        return ""
    labels = {
        **{field.name: person_form_texts.FIELDS[language][field.name][0] for field in FIELDS},
        "json": TEXTS[language]["json_label"],
    }
    lines = [
        fill("problem_line.html", {"name": name, "label": labels[name], "text": text}) for name, text in errors.items()
    ]
    return fill("problems.html", TEXTS[language], raw={"lines": "\n".join(lines)})


def _fieldset(language: str, name: str, values: Mapping[str, str], errors: Mapping[str, str]) -> str:
    fields = "\n".join(_field(language, field, values[field.name], errors) for field in FIELDSETS[name])
    return fill("fieldset.html", {"legend": person_form_texts.LEGENDS[language][name]}, raw={"fields": fields})


def _field(language: str, field: Field, value: str, errors: Mapping[str, str]) -> str:
    label, hint = person_form_texts.FIELDS[language][field.name]
    options = _options(language, field.choices or field.suggestions, value)
    control = "select.html" if field.choices else "suggesting_input.html" if field.suggestions else "input.html"
    return fill(
        "field.html",
        {
            "name": field.name,
            "label": label,
            "required": TEXTS[language]["create_required"] if field.required else "",
        },
        raw={
            "hint": fill("hint.html", {"name": field.name, "text": hint}) if hint else "",
            "problem": _problem(field.name, errors),
            "control": fill(
                control,
                {"name": field.name, "value": value},
                raw={"options": options, "state": _state(field.name, errors, hint=hint)},
            ),
        },
    )


def _state(name: str, errors: Mapping[str, str], *, hint: str) -> str:
    """Return the attributes that link a field to its problem and hint, and mark it as invalid."""
    described_by = [f"{name}-problem"] * (name in errors) + [f"{name}-hint"] * bool(hint)
    attributes = f' aria-describedby="{" ".join(described_by)}"' if described_by else ""
    return f'{attributes} aria-invalid="true"' if name in errors else attributes


def _problem(name: str, errors: Mapping[str, str]) -> str:
    return fill("problem.html", {"name": name, "text": errors[name]}) if name in errors else ""


def _options(language: str, codes: Codes, value: str) -> str:
    translated = person_form_texts.CHOICES[language]
    return "\n".join(
        fill(
            "option.html",
            {
                "code": code,
                "label": translated.get(code, label),
                "language": language if code in translated else "fr",
            },
            raw={"selected": " selected" if code == value else ""},
        )
        for code, label in codes
    )
