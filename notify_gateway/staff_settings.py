# SPDX-License-Identifier: MIT
"""The settings of people's sign-in: the file that names the identity providers. No secret stands in it, nor in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings


class StaffSettings(BaseSettings):
    """What can be set for people's sign-in; ``Settings`` holds it with all others."""

    staff_providers: Annotated[
        Path | None,
        Field(description="TOML file of the identity providers at which people sign in (docs/staff.md); empty: nobody signs in."),
    ] = None
