# SPDX-License-Identifier: MIT
"""The one catalogue of errors: code, title, why, fix, retry, HTTP status, FHIR issue code, since."""
