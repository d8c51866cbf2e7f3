# SPDX-License-Identifier: MIT
"""Tests of the workers: real brokers, real worker processes, real receivers on loopback."""
