"""Sites with a custom user model. It cannot change within a process: each site runs in a new one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SITES = Path(__file__).parent.parent / "sites"


@pytest.mark.case("AL01", "AL12")
@pytest.mark.parametrize("site", ["email_user", "custom_user", "soft_delete"])
def test_sites_with_a_custom_user_model(site):
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
