"""The npm packages with the drawings, downloaded by `npm pack`.

| Artist      | Package                        | Licence of the artwork                        |
|-------------|--------------------------------|-----------------------------------------------|
| google      | emoji-datasource-google        | Apache-2.0, Noto Emoji by Google              |
| twitter     | emoji-datasource-twitter       | CC-BY 4.0, Twemoji by Twitter and others      |
| fluent      | @iconify-json/fluent-emoji     | MIT, Fluent Emoji by Microsoft                |
| fluent flat | @iconify-json/fluent-emoji-flat| MIT, Fluent Emoji by Microsoft                |
| openmoji    | @iconify-json/openmoji         | CC-BY-SA 4.0, OpenMoji; for evaluation only   |

Large drawings by google and twitter come from @iconify-json/noto and @iconify-json/twemoji, under the same licences.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

PACKAGES = {
    "google": "emoji-datasource-google@16.0.0",
    "twitter": "emoji-datasource-twitter@16.0.0",
    "fluent": "@iconify-json/fluent-emoji@1.2.7",
    "fluent flat": "@iconify-json/fluent-emoji-flat@1.2.6",
    "openmoji": "@iconify-json/openmoji@1.2.29",
}
"""The package of each artist's drawings."""

LARGE_PACKAGES = PACKAGES | {"google": "@iconify-json/noto@1.2.9", "twitter": "@iconify-json/twemoji@1.2.5"}
"""The same artists' drawings as SVG, which can be drawn at any size."""

UNSEEN_ARTIST = "openmoji"
"""The artist whose drawings are not used for training."""


def fetch(package: str, folder: Path) -> Path:
    """Return the package as a .tgz file in `folder`. Download it if it is missing.

    Raise RuntimeError if npm is missing or fails.
    """
    archive = folder / (package.lstrip("@").replace("/", "-").replace("@", "-") + ".tgz")
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _pack(package, folder)
    return archive


def _pack(package: str, folder: Path) -> None:
    try:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(
            f"npm could not fetch {package} ({error}). Is Node.js installed, and npm's registry in reach?"
        ) from error
