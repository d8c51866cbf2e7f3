# SPDX-License-Identifier: MIT
"""The routers of what officers take away."""

from __future__ import annotations

from notify_gateway.web.paper import rows, sheets

ROUTERS = (rows.router, sheets.router)
