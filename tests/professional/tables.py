"""Code tables in the format of ANS: FHIR R4 CodeSystem."""

from __future__ import annotations

from typing import Any

from psc_connect.professional.nomenclatures import Table


def as_fhir(table: Table, *, ends: tuple[str, ...] = ("dateFin",), **changes: Any) -> dict[str, Any]:
    """Return a table as a CodeSystem. ``ends`` are the properties for closed codes; None removes a member."""
    hyphened = table.name.replace("_", "-")
    members = {
        "resourceType": "CodeSystem",
        "id": hyphened,
        "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'/>"},
        "url": f"https://mos.esante.gouv.fr/NOS/{table.name}/FHIR/{hyphened}",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{table.oid}"}],
        "version": "20231215120000",
        "name": table.name.replace("-", "_"),
        "status": "active",
        "date": f"{table.version}T12:00:00+01:00",
        "publisher": "ANS",
        "content": "complete",
        "concept": [
            {
                "code": each.code,
                "display": each.label,
                "designation": [{"use": {"code": "LibelleCourt"}, "value": each.code}],
                "property": [
                    {"code": "dateValid", "valueDateTime": "2007-07-25T15:04:35+01:00"},
                    *({"code": end, "valueDateTime": f"{each.closed}T00:00:00+01:00"} for end in ends if each.closed),
                    {"code": "status", "valueCode": "deprecated" if each.closed else "active"},
                ],
            }
            for each in table.concepts.values()
        ],
    }
    return {name: value for name, value in {**members, **changes}.items() if value is not None}
