"""Sites with a user model of their own: a user model is chosen once in a process, so each runs in another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SITES = Path(__file__).parent.parent / "sites"


@pytest.mark.case("AL01", "AL12")
@pytest.mark.parametrize("site", ["email_user", "own_user"])
def test_every_case_of_a_site_with_its_own_user_model(site):
    options = ["-q", "-p", "no:cacheprovider", f"--ds=tests.sites.{site}.settings"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(SITES / site / "cases.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
    assert "skipped" not in run.stdout
