# SPDX-License-Identifier: MIT
"""Interfaces for machines: the FHIR front door, the authority's collection point, the log, operations."""
