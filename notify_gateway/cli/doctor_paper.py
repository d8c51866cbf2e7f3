# SPDX-License-Identifier: MIT
"""What sheets of paper are set with, examined: the libraries that WeasyPrint calls, and a font that looks the same everywhere."""

from __future__ import annotations

from ctypes.util import find_library
from pathlib import Path
from typing import Final

from notify_gateway.cli.findings import Check, State

LIBRARIES: Final = ("gobject-2.0", "pango-1.0", "pangoft2-1.0", "fontconfig", "harfbuzz-subset")
FONT: Final = "Liberation Sans"
FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/Library/Fonts")
_INSTALL: Final = "Install Pango and the font (Debian: libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation)."


def check_paper() -> Check:
    """PDFs of notifications and copies for parents can be made; without, officers print the pages themselves."""
    missing = [name for name in LIBRARIES if find_library(name) is None]
    if missing:
        return Check("paper", State.WARN, f"no PDF can be made: {', '.join(missing)} is missing", _INSTALL)
    if not _has_font():
        return Check("paper", State.WARN, f"{FONT} is missing, so that sheets are set in whatever font there is", _INSTALL)
    return Check("paper", State.OK, f"Pango, {FONT}")


def _has_font() -> bool:
    return any(next(Path(folder).expanduser().rglob("LiberationSans-Regular.*"), None) for folder in FOLDERS)
