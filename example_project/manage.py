"""The demonstration project. Start it with ``python example_project/manage.py demo``."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shared_record.settings")
    execute_from_command_line(sys.argv)
