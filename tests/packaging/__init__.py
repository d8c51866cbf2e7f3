# SPDX-License-Identifier: MIT
"""Tests of how the service is packed and run: compose file, proxy, images, settings file."""
