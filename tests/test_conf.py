"""The settings: each is in docs/settings.md with its default, and has a reader."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from psc_connect import conf

SETTINGS_PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
SOURCE = Path(__file__).parents[1] / "psc_connect"


def documented() -> dict[str, str]:
    rows = re.findall(
        r"^\| `PSC_CONNECT_([A-Z_]+)` \| `([^`]*)` \| .{20,} \|$", SETTINGS_PAGE.read_text("utf-8"), re.MULTILINE
    )
    return dict(rows)


def as_documented(default: object) -> str:
    """Return a default as the table writes it: a URL and ``DEBUG`` without quotes."""
    if isinstance(default, str) and default:
        return default
    return repr(default).replace("'", '"')


def test_every_setting_is_documented_with_its_default() -> None:
    assert documented() == {name: as_documented(default) for name, default in conf.DEFAULTS.items()}


def test_every_setting_has_a_reader_with_a_docstring() -> None:
    for name in conf.DEFAULTS:
        assert inspect.getdoc(getattr(conf, name.lower())), name


def test_a_setting_is_read_at_each_use(settings: Any) -> None:
    settings.PSC_CONNECT_JWKS_MAX_AGE = 5
    assert conf.jwks_max_age() == 5
    del settings.PSC_CONNECT_JWKS_MAX_AGE
    assert conf.jwks_max_age() == conf.DEFAULTS["JWKS_MAX_AGE"]


@pytest.mark.parametrize("debug", [True, False])
def test_loopback_http_follows_debug_unless_it_is_set(settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    del settings.PSC_CONNECT_ALLOW_LOOPBACK_HTTP
    assert conf.allow_loopback_http() is debug
    for value in (True, False):
        settings.PSC_CONNECT_ALLOW_LOOPBACK_HTTP = value
        assert conf.allow_loopback_http() is value


def test_no_other_module_reads_a_setting_of_this_package() -> None:
    reading = re.compile(r"settings\.PSC_CONNECT_|getattr\(settings, [f]?\"PSC_CONNECT_")
    readers = [path.name for path in SOURCE.rglob("*.py") if reading.search(path.read_text("utf-8"))]
    assert readers == []
