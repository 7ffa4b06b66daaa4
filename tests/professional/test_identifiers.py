"""National identifiers: strict constructors, tolerant parsing, no numbers in messages."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psc_connect.professional.identifiers import MAX_CHARACTERS, IdentifierError, Kind, NationalIdentifier, luhn_holds
from tests.professional.payloads import PAYLOADS, leaves

N = NationalIdentifier
# From the test range, with a valid check digit.
RPPS = "99700427885"
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ARABIC = str.maketrans("0123456789", "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669")
FULL_WIDTH = str.maketrans("0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19")

GOOD: list[tuple[Callable[[str], N], str, Kind, str]] = [
    (N.rpps, RPPS, Kind.RPPS, "8" + RPPS),
    (N.adeli, "751234567", Kind.ADELI, "0751234567"),
    (N.adeli, "2A1234567", Kind.ADELI, "02A1234567"),
    (N.finess_staff, "0B0193488/CPA00045", Kind.FINESS_STAFF, "30B0193488/CPA00045"),
    (N.siret_staff, "00000001815646/CPAT00045", Kind.SIRET_STAFF, "500000001815646/CPAT00045"),
    (N.edit, "ANS20210107161422", Kind.EDIT, "ANS20210107161422"),
    (N.psi, UUID, Kind.PSI, UUID),
]
MALFORMED: list[tuple[Callable[[str], N], str, list[str]]] = [
    (N.rpps, "rpps_malformed", ["", "8" + RPPS, RPPS[:-1], RPPS + " ", RPPS + "\n", "9970042788A", "-9700427885"]),
    (N.adeli, "adeli_malformed", ["", "0751234567", "75123456", "7C1234567", "2a1234567", "751234567\n"]),
    (
        N.finess_staff,
        "staff_malformed",
        ["", "0B0193488", "0B0193488/", "0B0193488/a b", "0B0193488/" + "x" * 41, "0B0193488/é", "B00193488/1"],
    ),
    (N.siret_staff, "staff_malformed", ["", "00000001815646", "0000000181564/1", "00000001815646/1\n"]),
    (N.edit, "edit_malformed", ["", "ANS2021010716142", "ans20210107161422", "EDIT20210107161422", "20210107161422"]),
    (
        N.psi,
        "psi_malformed",
        ["", UUID[:-1], UUID.replace("-", ""), f"{{{UUID}}}", f"urn:uuid:{UUID}", UUID + "\n", "_" + UUID[1:]],
    ),
]


@pytest.mark.parametrize(("make", "number", "kind", "national"), GOOD)
def test_every_kind_is_made_and_read_back(make: Callable[[str], N], number: str, kind: Kind, national: str) -> None:
    identifier = make(number)
    assert (identifier.kind, identifier.number, identifier.national) == (kind, number, national)
    assert N.read(national) == identifier
    assert N.read(f"  {national}\n") == identifier
    assert bool(identifier)


@pytest.mark.parametrize(
    ("make", "code", "number"), [(make, code, each) for make, code, numbers in MALFORMED for each in numbers]
)
def test_a_malformed_number_is_refused(make: Callable[[str], N], code: str, number: str) -> None:
    with pytest.raises(IdentifierError) as raised:
        make(number)
    assert raised.value.code == code


@pytest.mark.parametrize("script", [ARABIC, FULL_WIDTH])
@pytest.mark.parametrize(("make", "number", "kind", "national"), GOOD)
def test_digits_of_another_script_are_refused(
    make: Callable[[str], N], number: str, kind: Kind, national: str, script: dict[int, int]
) -> None:
    with pytest.raises(IdentifierError):
        make(number.translate(script))
    assert N.read(national.translate(script)).kind is Kind.UNKNOWN


def test_an_rpps_number_with_any_wrong_digit_is_refused() -> None:
    for place, digit in enumerate(RPPS):
        for wrong in set("0123456789") - {digit}:
            number = RPPS[:place] + wrong + RPPS[place + 1 :]
            with pytest.raises(IdentifierError) as raised:
                N.rpps(number)
            assert raised.value.code == "rpps_key_wrong"
            assert N.read("8" + number, "RPPS").kind is Kind.UNKNOWN


def test_every_shipped_rpps_number_has_a_valid_check_digit() -> None:
    numbers = {
        str(value)
        for payload in PAYLOADS.values()
        for place, value in leaves(payload)
        if place[-1] == "identifiant" and str(value).startswith("8")
    }
    assert len(numbers) >= 5
    assert [each for each in numbers if N.read(each).kind is not Kind.RPPS] == []
    # The example in the standard.
    assert luhn_holds("79927398713")
    assert not luhn_holds("79927398710")


@pytest.mark.parametrize(
    ("text", "origin", "expected"),
    [
        (RPPS, "", N.rpps(RPPS)),
        (RPPS, "RPPS", N.rpps(RPPS)),
        (RPPS, " rpps ", N.rpps(RPPS)),
        ("8" + RPPS, "RPPS", N.rpps(RPPS)),
        ("8" + RPPS, "AUTRE", N.rpps(RPPS)),
        # 11 digits are not an RPPS number if the origin names another register.
        (RPPS, "AUTRE", N(Kind.UNKNOWN, RPPS)),
        # An RPPS number may itself begin with 8.
        ("81234567899", "RPPS", N.rpps("81234567899")),
        ("751234567", "ADELI", N.adeli("751234567")),
        ("751234567", "", N(Kind.UNKNOWN, "751234567")),
        ("0751234567", "ADELI", N.adeli("751234567")),
        ("0751234567", "", N.adeli("751234567")),
        ("012345678", "ADELI", N.adeli("012345678")),
        (UUID.upper(), "PSI", N.psi(UUID)),
        (UUID.upper(), "", N.psi(UUID)),
        ("9", "EDIT", N(Kind.UNKNOWN, "9")),
    ],
)
def test_the_format_decides_the_kind_or_else_the_origin(text: str, origin: str, expected: N) -> None:
    assert N.read(text, origin) == expected


def test_two_spellings_are_equal_and_two_kinds_are_not() -> None:
    assert len({N.read(RPPS), N.read("8" + RPPS), N.rpps(RPPS)}) == 1
    assert len({N.read(UUID), N.read(UUID.upper()), N.psi(UUID.upper())}) == 1
    assert N.adeli("751234567") != N(Kind.UNKNOWN, "751234567")


def test_an_empty_text_is_an_unknown_identifier_without_a_number() -> None:
    for text in ("", "  ", "\x00", "\n"):
        assert N.read(text) == N(Kind.UNKNOWN, "")
        assert not N.read(text)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.text(st.characters(), max_size=400), st.text(st.characters(), max_size=20))
def test_any_text_is_read_as_an_identifier_that_can_be_stored(text: str, origin: str) -> None:
    identifier = N.read(text, origin)
    assert len(identifier.number) <= MAX_CHARACTERS
    assert identifier.number.isprintable()
    assert identifier.number == identifier.number.encode().decode()


@pytest.mark.parametrize("text", ["\x00" + RPPS, "\ud800", "x" * 1_000_000, "8" * 1_000_000, RPPS[:5] + " " + RPPS[5:]])
def test_odd_text_is_an_unknown_identifier(text: str) -> None:
    identifier = N.read(text, "RPPS")
    assert identifier.kind is Kind.UNKNOWN
    assert len(identifier.number) <= MAX_CHARACTERS
    assert "\x00" not in identifier.number


@pytest.mark.parametrize(("make", "number", "kind", "national"), GOOD)
def test_neither_repr_nor_errors_contain_the_number(
    make: Callable[[str], N], number: str, kind: Kind, national: str
) -> None:
    identifier = make(number)
    for shown in (repr(identifier), f"{identifier!r}", repr([identifier]), repr(N.read(number + "?"))):
        assert number not in shown
    assert kind.value in repr(identifier)
    with pytest.raises(IdentifierError) as raised:
        make(number + "?")
    messages = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + str(raised.value.args)
    assert number not in messages


@pytest.mark.parametrize(
    ("identifier", "shown"),
    [
        (N(Kind.RPPS, "10000000009"), "RPPS 10000000009"),
        (N(Kind.ADELI, "2A1234567"), "ADELI 2A1234567"),
        (N(Kind.FINESS_STAFF, "750000001/42"), "FINESS 750000001/42"),
        (N(Kind.SIRET_STAFF, "12345678901234/7"), "SIRET 12345678901234/7"),
        (N(Kind.EDIT, "ANS20231122132732"), "EDIT ANS20231122132732"),
        (N(Kind.UNKNOWN, "as sent"), "as sent"),
        (N(Kind.UNKNOWN, ""), ""),
    ],
)
def test_str_is_the_kind_for_people_and_the_number(identifier: N, shown: str) -> None:
    assert str(identifier) == f"{identifier}" == shown
    assert str(identifier.kind) == shown.removesuffix(identifier.number).strip()
