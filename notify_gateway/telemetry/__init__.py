# SPDX-License-Identifier: MIT
"""What the service tells of itself to machines that watch it: numbers and times with codes, never anything of a child."""
