# SPDX-License-Identifier: MIT
"""The service's calls to addresses that others chose: where it may go, and fetching a small document from there."""
