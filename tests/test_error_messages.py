"""Broken JSON, in the words of whoever pasted it."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from psc_connect.error_messages import REASONS, load_document

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


def said_of(text: str) -> str:
    with pytest.raises(ValidationError) as caught:
        load_document(text)
    return caught.value.messages[0]


@pytest.mark.parametrize("text", BROKEN)
def test_the_reason_is_one_of_ours_and_no_parsers(text: str) -> None:
    with translation.override("en"):
        reason = re.fullmatch(r".+ \((.+)\)\.", said_of(text))
        assert reason
        assert reason[1] in {str(each) for each in REASONS.values()}


def test_a_reason_that_nobody_knows_is_left_out() -> None:
    with translation.override("en"):
        assert said_of('{"a": "\\ud800"}') == "This JSON is ambiguous or out of bounds."


def test_every_reason_is_met() -> None:
    with translation.override("en"):
        met = {said_of(text).partition(" (")[2].removesuffix(").") for text in BROKEN}
        # Before Python 3.13 a name is expected there.
        newer = {"a comma stands before the end"}
        assert met | newer == {str(each) for each in REASONS.values()}
