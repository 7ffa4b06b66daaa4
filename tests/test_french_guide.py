"""The French guide of the administrators: French punctuation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parent.parent / "docs" / "fr"
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@pytest.mark.parametrize("path", sorted(GUIDE.glob("*.md")), ids=lambda path: path.name)
def test_no_line_can_break_before_a_punctuation_mark_or_within_quotation_marks(path: Path) -> None:
    text = CODE.sub("code", path.read_text())
    assert re.findall(r".{,20}(?:\S [:;?!»](?!\w)|« )", text) == []
