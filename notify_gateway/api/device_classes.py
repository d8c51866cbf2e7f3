# SPDX-License-Identifier: MIT
"""Classes of what people do with keys in their browsers: the class, and the events that it always leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audit.vocabulary import Klass

ROWS: Final[Mapping[str, tuple[Klass, tuple[str, ...]]]] = {
    # Keys by their ids, and counts; nothing of a child.
    "GET /devices": (Klass.STATUS, ()),
    # Words that the recovery key alone can read.
    "GET /devices/drill": (Klass.STATUS, ()),
    "POST /devices/enrol": (Klass.CHANGE, ("device:enrolled", "key:proposed")),
    "POST /devices/approve": (Klass.CHANGE, ("key:approved", "key:registered")),
    "POST /devices/end": (Klass.CHANGE, ("device:ended", "key:retired")),
    "POST /devices/drill": (Klass.CHANGE, ("recovery:drill_begun",)),
    "POST /devices/drill/answer": (Klass.CHANGE, ("recovery:drilled",)),
    # The pages that ask why; what is sealed is handed over by the next two.
    "GET /notifications/{reference}/card": (Klass.STATUS, ()),
    "GET /notifications/{reference}/card/original": (Klass.STATUS, ()),
    "POST /notifications/{reference}/card/sealed": (Klass.DISCLOSE, ("reveal:granted", "envelope:handed_over")),
    "POST /notifications/{reference}/card/file": (Klass.DISCLOSE, ("reveal:granted", "envelope:handed_over")),
    "POST /notifications/{reference}/card/original/sealed": (Klass.DISCLOSE, ("reveal:granted", "envelope:handed_over")),
}
