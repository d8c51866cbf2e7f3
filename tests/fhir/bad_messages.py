# SPDX-License-Identifier: MIT
"""Messages that must be refused, as a table: what is wrong, with which code, and where.

``build(case)`` gives fresh bytes each time, so that the table can be played over HTTP as well. The dates of the cases assume that it is
later than January 2026 and earlier than 2099; the sender is ``RXX``, a body that section 23 binds.
"""

from __future__ import annotations

from tests.fhir.bad_bundles import INVARIANTS
from tests.fhir.bad_bytes import TRANSPORT
from tests.fhir.bad_content import MESSAGE
from tests.fhir.bad_enclosed import ATTACHED, INVOLVED, OBSERVED
from tests.fhir.bad_in_law import LAW, ROUTING
from tests.fhir.bad_shapes import SHAPE
from tests.fhir.spoiling import SECRET, Case

CASES: tuple[Case, ...] = (*TRANSPORT, *SHAPE, *INVARIANTS, *MESSAGE, *ATTACHED, *INVOLVED, *OBSERVED, *LAW, *ROUTING)

__all__ = ["CASES", "SECRET", "Case", "build"]


def build(case: Case) -> bytes:
    """Return the bytes of a bad message, with fresh identifiers."""
    return case.make()
