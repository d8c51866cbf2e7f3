# SPDX-License-Identifier: MIT
"""Setting a page as PDF/UA-1 (ISO 14289-1) by WeasyPrint. Runs in a process of its own, and fetches nothing."""

from __future__ import annotations

from typing import Any, Final

VARIANT: Final = "pdf/ua-1"


def set_pdf(html: str, css: str) -> bytes:
    """Return the page as a tagged PDF, its fonts embedded. Raises ``OSError`` where Pango is not installed, ``ValueError`` for a page that
    would load something."""
    import weasyprint
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    class _Nothing(URLFetcher):  # type: ignore[misc]
        def fetch(self, *_: Any, **__: Any) -> Any:
            raise FatalURLFetchingError("sheets load nothing")

    try:
        made = weasyprint.HTML(string=html, url_fetcher=_Nothing()).write_pdf(
            stylesheets=[weasyprint.CSS(string=css, url_fetcher=_Nothing())], pdf_variant=VARIANT, optimize_images=False
        )
    except FatalURLFetchingError as error:
        raise ValueError("sheets load nothing") from error
    if not isinstance(made, bytes):
        raise TypeError("a PDF is bytes")
    return made
