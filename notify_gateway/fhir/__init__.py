# SPDX-License-Identifier: MIT
"""The wire: safe parsing, FHIR R4 structure, message to domain values, outcomes and tasks."""
