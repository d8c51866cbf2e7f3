# SPDX-License-Identifier: MIT
"""Setting a page as PDF/UA-1 (ISO 14289-1) by WeasyPrint. Runs in a process of its own, and fetches nothing."""

from __future__ import annotations

import logging
from typing import Any, Final

VARIANT: Final = "pdf/ua-1"


def set_pdf(html: str, css: str) -> bytes:
    """Return the page as a tagged PDF, its fonts embedded. Raises ``OSError`` where Pango is not installed, ``ValueError`` for a page that
    would load something."""
    # The style sheet has rules for small screens, which it says on each sheet that it leaves out.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    import weasyprint
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    class _Nothing(URLFetcher):  # type: ignore[misc]
        def fetch(self, *_: Any, **__: Any) -> Any:
            raise FatalURLFetchingError("sheets load nothing")

    try:
        made = weasyprint.HTML(string=html, url_fetcher=_Nothing()).write_pdf(
            stylesheets=[weasyprint.CSS(string=css, url_fetcher=_Nothing())], pdf_variant=VARIANT, finisher=_with_ids
        )
    except FatalURLFetchingError as error:
        raise ValueError("sheets load nothing") from error
    if not isinstance(made, bytes):
        raise TypeError("a PDF is bytes")
    return made


def _with_ids(_document: Any, pdf: Any) -> None:
    """Add the tree of ids that ISO 32000-1 (14.7.2) asks for where cells name their headings, and which WeasyPrint leaves out."""
    import pydyf

    elements = [each for each in pdf.objects if isinstance(each, pydyf.Dictionary)]
    named = sorted(((each["ID"].string, each) for each in elements if "ID" in each and each.get("S") == "/TH"), key=lambda pair: pair[0])
    root = next((each for each in elements if each.get("Type") == "/StructTreeRoot"), None)
    if root is not None and named:
        names = pydyf.Array(part for name, each in named for part in (pydyf.String(name), each.reference))
        root["IDTree"] = pydyf.Dictionary({"Names": names})
