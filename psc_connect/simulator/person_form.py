"""The form to create a person: its fields, their validation, and the resulting person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from types import MappingProxyType
from typing import Any

from psc_connect.simulator import person_form_codes
from psc_connect.simulator.people import Person, practice_labels
from psc_connect.simulator.userinfo_builder import Leaves, activity, exercice, identifier, repeated_activity, userinfo

MAX_LENGTH = 100  # characters of a field
MAX_ACTIVITIES = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """A validation error. `reason` is one of `pages.person_form_texts.PROBLEMS`; `details` fill in its sentence."""

    field: str
    reason: str
    details: Mapping[str, str] = dataclass_field(default_factory=dict)


class RefusedError(Exception):
    """The values of the form are invalid. The message contains none of them."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__(", ".join(problem.reason for problem in problems))


@dataclass(frozen=True, slots=True)
class Field:
    """A form field: it only accepts its `choices`, if any, and values that match its `pattern`."""

    name: str
    initial: str = ""
    required: bool = False
    choices: person_form_codes.Codes = ()
    suggestions: person_form_codes.Codes = ()
    pattern: str = ""
    reason: str = ""  # of the problem when the pattern does not match


def _code(name: str, suggestions: person_form_codes.Codes, initial: str = "") -> Field:
    return Field(name, initial, suggestions=suggestions, pattern=r"[A-Z0-9_-]{1,30}", reason="code_malformed")


_NONE = ("", "–")
FIELDSETS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        "identity": (
            Field("given_name", "Alix", required=True),
            Field("family_name", "ESSAI", required=True),
            Field("rpps", pattern=r"[0-9]{11}", reason="rpps_malformed"),
        ),
        "practice": (
            _code("profession", person_form_codes.PROFESSIONS, "10"),
            Field("category", "C", choices=person_form_codes.CATEGORIES),
            Field("skill_kind", choices=(_NONE, *person_form_codes.SKILL_KINDS)),
            _code("skill", person_form_codes.SKILLS),
        ),
        "activities": (
            Field("activities", "1", required=True, pattern="[0-9]|[1-4][0-9]|50", reason="activities_malformed"),
            Field("mode", "L", choices=(_NONE, *person_form_codes.MODES)),
            _code("sector", person_form_codes.SECTORS, "SA07"),
            _code("role", person_form_codes.ROLES),
            Field("structure", "CABINET DES ESSAIS"),
            Field("finess", pattern="[0-9][0-9AB][0-9]{7}", reason="finess_malformed"),
            Field("siret", pattern="[0-9]{14}", reason="siret_malformed"),
            Field("postal_code", pattern="[0-9]{5}", reason="postal_code_malformed"),
            Field("town"),
        ),
        "authentication": (
            Field("means", "MOBILE", choices=(("MOBILE", "e-CPS"), ("CARD", "Carte CPS"))),
            Field("acr", "eidas1", choices=tuple((acr, acr) for acr in ("eidas1", "eidas2", "eidas3"))),
        ),
    }
)
FIELDS: tuple[Field, ...] = tuple(field for fields in FIELDSETS.values() for field in fields)
INITIAL: Mapping[str, str] = MappingProxyType({field.name: field.initial for field in FIELDS})
_NUMBERS = ("rpps", "finess", "siret", "postal_code")  # may be typed with spaces


def read_form(form: Mapping[str, str], *, edit_identifier: str) -> Person:
    """Return the person of a submitted form; without an RPPS, the national identifier is `edit_identifier`.

    Raises RefusedError with every problem.
    """
    values = {field.name: form.get(field.name, "").strip() for field in FIELDS}
    values |= {name: re.sub(r"\s", "", values[name]) for name in _NUMBERS}
    if re.fullmatch(r"8[0-9]{11}", values["rpps"]):
        values["rpps"] = values["rpps"][1:]  # from the national identifier, an RPPS after the digit 8
    problems = [*_validate_fields(values), *_validate_combinations(values)]
    if problems:
        raise RefusedError(*sorted(problems, key=lambda problem: list(values).index(problem.field)))
    claims = _claims(values, edit_identifier=edit_identifier)
    label_fr, label_en = practice_labels(claims)
    return Person("", claims, label_fr, label_en, values["means"], values["acr"])


def _validate_fields(values: Mapping[str, str]) -> Iterator[Problem]:
    for field in FIELDS:
        value = values[field.name]
        if len(value) > MAX_LENGTH:
            yield Problem(field.name, "too_long", {"limit": str(MAX_LENGTH)})
        elif field.required and not value:
            yield Problem(field.name, "required")
        elif field.choices and value not in dict(field.choices):
            yield Problem(field.name, "unknown_choice")
        elif value and field.pattern and not re.fullmatch(field.pattern, value):
            yield Problem(field.name, field.reason)
        elif value and field.name == "rpps" and value[-1] != luhn_check_digit(value[:-1]):
            yield Problem(field.name, "rpps_key", {"key": luhn_check_digit(value[:-1])})


def _validate_combinations(values: Mapping[str, str]) -> Iterator[Problem]:
    if bool(values["skill"]) != bool(values["skill_kind"]):
        yield Problem("skill" if values["skill_kind"] else "skill_kind", "skill_and_kind")
    if not values["profession"] and values["activities"] not in ("", "0"):
        yield Problem("profession", "profession_missing")


def luhn_check_digit(digits: str) -> str:
    """Return the check digit to append to these digits (ISO/IEC 7812-1 annex B)."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def _claims(values: Mapping[str, str], *, edit_identifier: str) -> dict[str, Any]:
    number = f"8{values['rpps']}" if values["rpps"] else edit_identifier
    exercices = []
    if values["profession"]:
        activities = repeated_activity(_activity(values), int(values["activities"]))
        skill = {"codeTypeSavoirFaire": values["skill_kind"], "codeSavoirFaire": values["skill"]}
        exercices.append(exercice(values["profession"], activities, category=values["category"], **skill))
    return userinfo(
        number,
        values["given_name"],
        values["family_name"],
        others=[identifier(number, "RPPS" if values["rpps"] else "EDIT")],
        exercices=exercices,
        means=values["means"],
        codeCivilite="M",
    )


def _activity(values: Mapping[str, str]) -> Leaves:
    finess, siret = values["finess"], values["siret"]
    return activity(
        values["mode"],
        values["sector"],
        codeRole=values["role"],
        numeroSiretSite=siret,
        numeroSirenSite=siret[:9],
        numeroFinessSite=finess,
        identifiantTechniqueDeLaStructure=f"F{finess}" if finess else "R9800001",
        raisonSocialeSite=values["structure"],
        bureauCedex=f"{values['postal_code']} {values['town']}".strip(),
        codePostal=values["postal_code"],
        ancienIdentifiantDeLaStructure=f"1{finess}" if finess else "",
    )
