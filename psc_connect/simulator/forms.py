"""The form of one's own person: its fields, what each takes, and the person that comes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from psc_connect.simulator import form_codes
from psc_connect.simulator.own_people import labels_of
from psc_connect.simulator.people import Person
from psc_connect.simulator.userinfo_claims import Leaves, activity, exercice, identifier, numbered, userinfo

TEXT_LIMIT = 100  # characters of a field
MOST_ACTIVITIES = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `reason` is one of `pages.form_texts.PROBLEMS`, `details` fill its sentence."""

    where: str  # the field's name
    reason: str
    details: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """What was typed makes no person. Nothing of it is in the message."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__(", ".join(problem.reason for problem in problems))


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `choices` are all that it takes, `suggestions` what it proposes; `pattern` is what it must be."""

    name: str
    initial: str = ""
    required: bool = False
    choices: form_codes.Codes = ()
    suggestions: form_codes.Codes = ()
    pattern: str = ""
    reason: str = ""  # when the pattern does not match


def _code(name: str, suggestions: form_codes.Codes, initial: str = "") -> Field:
    return Field(name, initial, suggestions=suggestions, pattern=r"[A-Z0-9_-]{1,30}", reason="code_malformed")


_NONE = ("", "–")
FIELDSETS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        "who": (
            Field("given_name", "Alix", required=True),
            Field("family_name", "ESSAI", required=True),
            Field("rpps", pattern=r"[0-9]{11}", reason="rpps_malformed"),
        ),
        "practice": (
            _code("profession", form_codes.PROFESSIONS, "10"),
            Field("category", "C", choices=form_codes.CATEGORIES),
            Field("skill_kind", choices=(_NONE, *form_codes.SKILL_KINDS)),
            _code("skill", form_codes.SKILLS),
        ),
        "activities": (
            Field("activities", "1", required=True, pattern="[0-9]|[1-4][0-9]|50", reason="activities_malformed"),
            Field("mode", "L", choices=(_NONE, *form_codes.MODES)),
            _code("sector", form_codes.SECTORS, "SA07"),
            _code("role", form_codes.ROLES),
            Field("structure", "CABINET DES ESSAIS"),
            Field("finess", pattern="[0-9][0-9AB][0-9]{7}", reason="finess_malformed"),
            Field("siret", pattern="[0-9]{14}", reason="siret_malformed"),
            Field("postal_code", pattern="[0-9]{5}", reason="postal_code_malformed"),
            Field("town"),
        ),
        "proof": (
            Field("means", "MOBILE", choices=(("MOBILE", "e-CPS"), ("CARD", "Carte CPS"))),
            Field("acr", "eidas1", choices=tuple((acr, acr) for acr in ("eidas1", "eidas2", "eidas3"))),
        ),
    }
)
FIELDS: tuple[Field, ...] = tuple(each for fields in FIELDSETS.values() for each in fields)
INITIAL: Mapping[str, str] = MappingProxyType({each.name: each.initial for each in FIELDS})
_NUMBERS = ("rpps", "finess", "siret", "postal_code")  # written with or without spaces


def read_fields(form: Mapping[str, str], *, edit_number: str) -> Person:
    """The person that was typed; without an RPPS, one whose national identifier is `edit_number`.

    Raises RefusedError with every problem.
    """
    typed = {each.name: form.get(each.name, "").strip() for each in FIELDS}
    typed |= {name: re.sub(r"\s", "", typed[name]) for name in _NUMBERS}
    if re.fullmatch(r"8[0-9]{11}", typed["rpps"]):
        typed["rpps"] = typed["rpps"][1:]  # the national identifier, of which the first digit says that it is an RPPS
    problems = [*_problems_of_fields(typed), *_problems_together(typed)]
    if problems:
        raise RefusedError(*sorted(problems, key=lambda problem: list(typed).index(problem.where)))
    claims = _claims(typed, edit_number=edit_number)
    label_fr, label_en = labels_of(claims)
    return Person("", claims, label_fr, label_en, typed["means"], typed["acr"])


def _problems_of_fields(typed: Mapping[str, str]) -> Iterator[Problem]:
    for each in FIELDS:
        value = typed[each.name]
        if len(value) > TEXT_LIMIT:
            yield Problem(each.name, "too_long", {"limit": str(TEXT_LIMIT)})
        elif each.required and not value:
            yield Problem(each.name, "required")
        elif each.choices and value not in dict(each.choices):
            yield Problem(each.name, "unknown_choice")
        elif value and each.pattern and not re.fullmatch(each.pattern, value):
            yield Problem(each.name, each.reason)
        elif value and each.name == "rpps" and value[-1] != luhn_key(value[:-1]):
            yield Problem(each.name, "rpps_key", {"key": luhn_key(value[:-1])})


def _problems_together(typed: Mapping[str, str]) -> Iterator[Problem]:
    if bool(typed["skill"]) != bool(typed["skill_kind"]):
        yield Problem("skill" if typed["skill_kind"] else "skill_kind", "skill_and_kind")
    if not typed["profession"] and typed["activities"] not in ("", "0"):
        yield Problem("profession", "profession_missing")


def luhn_key(digits: str) -> str:
    """The digit that, put after these, completes them (ISO/IEC 7812-1 annex B)."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def _claims(typed: Mapping[str, str], *, edit_number: str) -> dict[str, Any]:
    number = f"8{typed['rpps']}" if typed["rpps"] else edit_number
    exercices = []
    if typed["profession"]:
        places = numbered(_activity(typed), int(typed["activities"]))
        skill = {"codeTypeSavoirFaire": typed["skill_kind"], "codeSavoirFaire": typed["skill"]}
        exercices.append(exercice(typed["profession"], places, category=typed["category"], **skill))
    return userinfo(
        number,
        typed["given_name"],
        typed["family_name"],
        others=[identifier(number, "RPPS" if typed["rpps"] else "EDIT")],
        exercices=exercices,
        means=typed["means"],
        codeCivilite="M",
    )


def _activity(typed: Mapping[str, str]) -> Leaves:
    finess, siret = typed["finess"], typed["siret"]
    return activity(
        typed["mode"],
        typed["sector"],
        codeRole=typed["role"],
        numeroSiretSite=siret,
        numeroSirenSite=siret[:9],
        numeroFinessSite=finess,
        identifiantTechniqueDeLaStructure=f"F{finess}" if finess else "R9800001",
        raisonSocialeSite=typed["structure"],
        bureauCedex=f"{typed['postal_code']} {typed['town']}".strip(),
        codePostal=typed["postal_code"],
        ancienIdentifiantDeLaStructure=f"1{finess}" if finess else "",
    )
