"""Builds the sdist and the wheel in dist/ and checks what would be released.

``release.py`` refuses a version that cannot be released yet: one that CHANGELOG.md calls unreleased, and a placeholder
as the address of the repository. ``release.py --draft`` skips these two checks.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
PLACEHOLDER = "https://example.org/"
NOT_IN_SDIST = ("/.ci/", "/.github/", "/docs/pictures/")
IN_SDIST = (
    "/README.md",
    "/LICENSE",
    "/CHANGELOG.md",
    "/hatch_build.py",
    "/psc_connect/__init__.py",
    "/tests/conftest.py",
)
NOT_IN_WHEEL = ("tests/", "benchmarks/", "docs/", "example_project/")


def main(*, draft: bool) -> None:
    shutil.rmtree(DIST, ignore_errors=True)
    run("build", "--outdir", str(DIST), str(ROOT))
    [sdist], [wheel] = DIST.glob("*.tar.gz"), DIST.glob("*.whl")
    run("twine", "check", "--strict", str(sdist), str(wheel))
    metadata = metadata_of(wheel)
    problems = [*problems_of_files(sdist, wheel), *problems_of_description(metadata)]
    if not draft:
        problems += problems_of_release(metadata, (ROOT / "CHANGELOG.md").read_text("utf-8"))
    if problems:
        sys.exit("\n".join(problems))
    print(f"{sdist.name} and {wheel.name} can be {'built' if draft else 'released'}")  # noqa: T201


def run(module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(done.stdout)


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def problems_of_files(sdist: Path, wheel: Path) -> list[str]:
    with tarfile.open(sdist) as archive:
        in_sdist = ["/" + name.partition("/")[2] for name in archive.getnames()]
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = archive.namelist()
    return [
        *(f"{name} is missing in the sdist" for name in IN_SDIST if name not in in_sdist),
        *(f"{name} is in the sdist" for name in in_sdist if name.startswith(NOT_IN_SDIST)),
        *(f"{name} is in the wheel" for name in in_wheel if name.startswith(NOT_IN_WHEEL)),
    ]


def problems_of_description(metadata: Message) -> list[str]:
    relative = re.findall(r"\]\((?!\w+:|#)[^)]*\)", metadata.get_payload())
    return [f"the long description has a relative link: {link}" for link in relative]


def problems_of_release(metadata: Message, changelog: str) -> list[str]:
    problems = []
    if not re.search(rf"^## {re.escape(metadata['Version'])} — \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        problems.append(f"CHANGELOG.md has no heading “## {metadata['Version']} — <date>”")
    if PLACEHOLDER in str(metadata.get_all("Project-URL")):
        problems.append(f"the address of the repository is a placeholder: {metadata['Project-URL']}")
    return problems


if __name__ == "__main__":
    main(draft=sys.argv[1:] == ["--draft"])
