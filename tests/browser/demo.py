"""The demonstration, run as a separate process with an empty folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
MANAGE = ROOT / "example_project" / "manage.py"


@dataclass
class Demo:
    process: subprocess.Popen[str]
    site: str = ""
    password: str = ""
    output: list[str] = field(default_factory=list)

    def read_addresses(self) -> None:
        for line in self.process.stdout or ():
            self.output.append(line)
            if found := re.fullmatch(r"Site +(http\S+)\n", line):
                self.site = found[1]
            if found := re.fullmatch(r" +admin / (\S+)\n", line):
                self.password = found[1]
            if line.startswith("Ctrl-C"):
                return
        raise RuntimeError("The demonstration did not start:\n" + "".join(self.output))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        rest, _stderr = self.process.communicate(timeout=20)
        self.output.append(rest)
        return self.process.returncode


@contextmanager
def running_demo(folder: Path, *options: str, settings: str = "shared_record.settings") -> Iterator[Demo]:
    """Run ``manage.py demo`` with its data in ``folder``, on free ports or on those of its last start."""
    ports = folder / "ports.json"
    if not ports.exists():
        ports.write_text(json.dumps({"site": 0, "simulator": 0}))
    with subprocess.Popen(
        [sys.executable, str(MANAGE), "demo", *options],
        cwd=folder,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": settings,
            "PSC_DEMO_FOLDER": str(folder),
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        demo = Demo(process)
        try:
            demo.read_addresses()
            yield demo
        finally:
            if process.poll() is None:
                demo.stop()
