"""The page on which the tester makes a person; what was typed stays in it when it is refused."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from psc_connect.simulator.forms import FIELDS, FIELDSETS, INITIAL
from psc_connect.simulator.pages import form_texts
from psc_connect.simulator.pages.choice import CHOOSE_PATH, OWN_PERSON_PATH
from psc_connect.simulator.pages.layout import fill, page
from psc_connect.simulator.pages.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from psc_connect.simulator.exchange import Response
    from psc_connect.simulator.form_codes import Codes
    from psc_connect.simulator.forms import Field, Problem


def own_person(
    language: str, *, interaction: str, typed: Mapping[str, str] | None = None, problems: Iterable[Problem] = ()
) -> Response:
    wrong = {problem.where: _sentence(language, problem) for problem in problems}
    # Of the two forms on the page one was sent; the other one starts anew.
    values = {**INITIAL, "json": "", **(typed or {})}
    texts = TEXTS[language]
    content = fill(
        "own_person.html",
        {
            **texts,
            "action": OWN_PERSON_PATH,
            "choose": CHOOSE_PATH,
            "interaction": interaction,
            "json": values["json"],
        },
        raw={
            "summary": _summary(language, wrong),
            "json_problem": _problem("json", wrong),
            "json_state": _state("json", wrong, hint=texts["json_hint"]),
            "fieldsets": "\n".join(_fieldset(language, name, values, wrong) for name in FIELDSETS),
        },
    )
    return page(language, "own_refused_title" if wrong else "own_title", content, status=400 if wrong else 200)


def _sentence(language: str, problem: Problem) -> str:
    return Template(form_texts.PROBLEMS[language][problem.reason]).substitute(problem.details)


def _summary(language: str, wrong: Mapping[str, str]) -> str:
    if not wrong:
        return ""
    labels = {
        **{each.name: form_texts.FIELDS[language][each.name][0] for each in FIELDS},
        "json": TEXTS[language]["json_label"],
    }
    lines = [
        fill("problem_line.html", {"name": name, "label": labels[name], "text": text}) for name, text in wrong.items()
    ]
    return fill("problems.html", TEXTS[language], raw={"lines": "\n".join(lines)})


def _fieldset(language: str, name: str, values: Mapping[str, str], wrong: Mapping[str, str]) -> str:
    fields = "\n".join(_field(language, each, values[each.name], wrong) for each in FIELDSETS[name])
    return fill("fieldset.html", {"legend": form_texts.LEGENDS[language][name]}, raw={"fields": fields})


def _field(language: str, each: Field, value: str, wrong: Mapping[str, str]) -> str:
    label, hint = form_texts.FIELDS[language][each.name]
    options = _options(language, each.choices or each.suggestions, value)
    control = "select.html" if each.choices else "suggesting_input.html" if each.suggestions else "input.html"
    return fill(
        "field.html",
        {
            "name": each.name,
            "label": label,
            "required": TEXTS[language]["own_required"] if each.required else "",
        },
        raw={
            "hint": fill("hint.html", {"name": each.name, "text": hint}) if hint else "",
            "problem": _problem(each.name, wrong),
            "control": fill(
                control,
                {"name": each.name, "value": value},
                raw={"options": options, "state": _state(each.name, wrong, hint=hint)},
            ),
        },
    )


def _state(name: str, wrong: Mapping[str, str], *, hint: str) -> str:
    """The attributes that tell a screen reader what is said of a field, and whether it is wrong."""
    said = [f"{name}-problem"] * (name in wrong) + [f"{name}-hint"] * bool(hint)
    described = f' aria-describedby="{" ".join(said)}"' if said else ""
    return f'{described} aria-invalid="true"' if name in wrong else described


def _problem(name: str, wrong: Mapping[str, str]) -> str:
    return fill("problem.html", {"name": name, "text": wrong[name]}) if name in wrong else ""


def _options(language: str, codes: Codes, value: str) -> str:
    translated = form_texts.CHOICES[language]
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
