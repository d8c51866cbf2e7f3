# SPDX-License-Identifier: MIT
"""Writes ``.env.example`` from the settings table, so that the two cannot differ (``tests/packaging`` compares them)."""

from __future__ import annotations

import sys
import textwrap
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from notify_gateway.cli.configuration import documented
from notify_gateway.settings import PREFIX

FILE = Path(__file__).resolve().parent.parent / ".env.example"
HEAD = """\
# Settings of notify_gateway: copy to .env and take away the # before what you set. Made from notify_gateway/settings.py (`make generate`).
# Strongest first: the environment, a file named by NOTIFY_GATEWAY_<NAME>_FILE (for secrets), this file. No secret has a default.
# Times are written as in ISO 8601: PT90S is ninety seconds, PT15M fifteen minutes.
"""


def text() -> str:
    """Return the whole file: each setting with its description and default, commented out."""
    return HEAD + "".join(_entry(name, field) for name, field in documented())


def _entry(name: str, field: FieldInfo) -> str:
    lines = textwrap.wrap(field.description or "", width=118, initial_indent="# ", subsequent_indent="# ")
    if "SecretStr" in str(field.annotation):
        lines.append(f"# A secret: better in a file that {PREFIX}{name.upper()}_FILE names.")
    return "\n" + "\n".join(lines) + f"\n#{PREFIX}{name.upper()}={_written(field.default)}\n"


def _written(default: Any) -> str:
    if default is None or isinstance(default, SecretStr):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, timedelta):
        return f"PT{default.total_seconds():g}S"
    return str(default)


def main() -> int:
    """Write the file."""
    FILE.write_text(text(), encoding="utf-8")
    print(f"{FILE.name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
