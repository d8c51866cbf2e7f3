# SPDX-License-Identifier: MIT
"""The transparency log: knows nothing of children, FHIR or HTTP (RFC 6962, RFC 9162, C2SP)."""
