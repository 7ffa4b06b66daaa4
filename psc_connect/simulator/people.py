"""Who can sign in: the five published test payloads, and invented people for what those do not show."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """One professional: the userinfo answer word for word, and how he or she proves who they are."""

    slug: str
    userinfo: Mapping[str, Any] = field(repr=False)
    label_fr: str = ""
    label_en: str = ""
    auth_mode: str = "MOBILE"  # "CARD" (CPS card) or "MOBILE" (e-CPS application)
    acr: str = "eidas1"

    @property
    def subject(self) -> str:
        return str(self.userinfo["sub"])

    @property
    def name(self) -> str:
        return f"{self.userinfo.get('given_name', '')} {self.userinfo.get('family_name', '')}".strip()

    @property
    def national_identifier(self) -> str:
        return str(self.userinfo.get("SubjectNameID", ""))

    def claims(self) -> dict[str, Any]:
        """The userinfo claims, as a copy that a fault may change."""
        return copy.deepcopy(dict(self.userinfo))


def _read(slug: str) -> Mapping[str, Any]:
    text = (files(__package__) / "payloads" / f"{slug}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return MappingProxyType(document)


def _person(slug: str, label_fr: str, label_en: str, *, card: bool = False) -> Person:
    auth_mode, acr = ("CARD", "eidas3") if card else ("MOBILE", "eidas1")
    return Person(slug, _read(slug), label_fr, label_en, auth_mode=auth_mode, acr=acr)


PEOPLE: tuple[Person, ...] = (
    _person("doctor-two-activities", "Médecin, deux activités", "Doctor, two activities", card=True),
    _person("doctor-two-exercices", "Médecin, deux exercices", "Doctor, two practices"),
    _person("doctor-five-activities", "Médecin, cinq activités", "Doctor, five activities"),
    _person("podiatrist", "Pédicure-podologue", "Podiatrist"),
    _person("no-professional-data", "Sans donnée professionnelle", "Without professional data"),
    _person("pharmacist", "Pharmacienne titulaire d’officine", "Pharmacist, owner of a pharmacy", card=True),
    _person("nurse", "Infirmière à l’hôpital", "Hospital nurse"),
    _person("physiotherapist-psi", "Kinésithérapeute, RPPS et identifiant PSI", "Physiotherapist, RPPS and PSI"),
    _person("student-doctor", "Étudiante en médecine", "Medical student", card=True),
    _person("structure-secretary", "Secrétaire d’une structure, sans RPPS", "Secretary, no RPPS", card=True),
)
