# SPDX-License-Identifier: MIT
"""The log's tests: real databases, real files, real processes."""
