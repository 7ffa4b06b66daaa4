"""Runs every benchmark and prints its table."""

from __future__ import annotations

import os

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from benchmarks.professionals import evaluating_claims, reading_and_deciding  # noqa: PLC0415 - models

    reading_and_deciding()
    evaluating_claims()


if __name__ == "__main__":
    main()
