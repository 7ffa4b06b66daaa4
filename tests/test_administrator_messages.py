"""Syntax errors in pasted JSON, explained to administrators."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from psc_connect.administrator_messages import JSON_ERRORS, load_json

BROKEN = [
    '{"a": }',
    "{'a': 1}",
    '{"a" 1}',
    '{"a": 1 "b": 2}',
    '{"a": 1,}',
    '{"a": 1} x',
    '{"a": "b}',
    '{"a": "b\nc"}',
    '{"a": "\\x"}',
    '{"a": "\\u12"}',
    '{"a": 1, "a": 2}',
    '{"a": 1e999}',
    '{"a": NaN}',
    '{"a": "\\u0000"}',
    "[" * 60 + "]" * 60,
]


def message_for(text: str) -> str:
    with pytest.raises(ValidationError) as caught:
        load_json(text)
    return caught.value.messages[0]


@pytest.mark.parametrize("text", BROKEN)
def test_the_reason_is_a_translated_message_and_not_the_parsers(text: str) -> None:
    with translation.override("en"):
        reason = re.fullmatch(r".+ \((.+)\)\.", message_for(text))
        assert reason
        assert reason[1] in {str(each) for each in JSON_ERRORS.values()}


def test_an_unknown_reason_is_left_out() -> None:
    with translation.override("en"):
        assert message_for('{"a": "\\ud800"}') == "This JSON is ambiguous or exceeds the limits."


def test_every_reason_occurs() -> None:
    with translation.override("en"):
        met = {message_for(text).partition(" (")[2].removesuffix(").") for text in BROKEN}
        # Before Python 3.13 the message is that a name is expected.
        newer = {"there is a comma before the end"}
        assert met | newer == {str(each) for each in JSON_ERRORS.values()}
