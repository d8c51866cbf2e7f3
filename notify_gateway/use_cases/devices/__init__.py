# SPDX-License-Identifier: MIT
"""Keys that an authority holds itself, in its people's browsers: devices, the recovery key's drill, what is handed over, sealed notes."""
