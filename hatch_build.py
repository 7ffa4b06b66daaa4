"""Build hook: the links of the package, and a long description whose links and pictures work outside the repository."""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


class CustomMetadataHook(MetadataHookInterface):
    def update(self, metadata: dict) -> None:
        repository = self.config["repository"]
        metadata["urls"] = {
            "Repository": repository,
            "Documentation": f"{repository}/blob/main/docs/index.md",
            "Changelog": f"{repository}/blob/main/CHANGELOG.md",
            "Issues": f"{repository}/issues",
        }
        readme = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": with_absolute_links(readme, repository)}


def with_absolute_links(text: str, repository: str) -> str:
    """Return Markdown in which links and pictures of files of the repository have its address."""
    relative = r"\((?!\w+:|#)([^)\s]+)\)"
    text = re.sub(rf"(!\[[^\]]*\]){relative}", rf"\1({repository}/raw/main/\2)", text)
    return re.sub(rf"(\]){relative}", rf"\1({repository}/blob/main/\2)", text)
