"""Strict JSON: what two parsers could read differently is refused."""

from __future__ import annotations

from typing import Any

import pytest

from psc_connect.oidc.strict_json import MAX_DEPTH, StrictJSONError, loads_strict


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"b": {"a": 1, "a": 1}}',
        '[{"a": 1, "\\u0061": 2}]',
        '{"a": NaN}',
        "[Infinity]",
        "-Infinity",
        "1e999",
        "[-1e999]",
        "\ufeff{}",
        b"\xef\xbb\xbf{}",
        "{}{}",
        "{} x",
        "",
        "  ",
        "{",
        "{'a': 1}",
        '{"a": 1,}',
        "[1,]",
        "// comment\n{}",
        '"\t"',
        "01",
        "+1",
        b"\xff",
        b"{}\x00",
        '{"a": "\x00"}',
        '"\\ud800"',
        '{"\\udc00": 1}',
        '["\\ud800\\u0061"]',
        "1" * 5_000,
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        '{"a":' * MAX_DEPTH + "{}" + "}" * MAX_DEPTH,
        "[" * 200_000,
        "[" * 200_000 + "]" * 200_000,
        "{}".encode("utf-16"),
        "{}".encode("utf-32"),
    ],
)
@pytest.mark.case("TR06", "ID26", "ID27")
def test_text_that_is_not_strict_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(StrictJSONError):
        loads_strict(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, -2.5, "é", true, null]}', {"a": [1, -2.5, "é", True, None]}),
        (b'{"a": "\xc3\xa9"}', {"a": "é"}),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        (" 5 ", 5),
        ("null", None),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, None),
        ('{"a": {"b": 1}, "c": {"b": 2}}', {"a": {"b": 1}, "c": {"b": 2}}),
    ],
)
def test_strict_json_is_read(text: str | bytes, value: Any) -> None:
    read = loads_strict(text)
    assert value is None or read == value


@pytest.mark.case("LG01")
@pytest.mark.parametrize("text", ['{"access_token": "s3cret"', b'{"access_token": "s3cret\xff"}', '["s3cret", NaN]'])
def test_error_does_not_contain_the_text(text: str | bytes) -> None:
    with pytest.raises(StrictJSONError) as refused:
        loads_strict(text)
    assert "s3cret" not in repr(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None or refused.value.__suppress_context__
