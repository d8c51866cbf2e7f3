# SPDX-License-Identifier: MIT
"""A postcode directory of any length with made-up contents, written in scattered order in the columns of a recent edition."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from string import ascii_uppercase

OUTWARD = [f"{area}{number}" for area, number in product(("AB", "CD", "TS", "ZE"), range(1, 100))]
UNITS = 10 * 26 * 26
STEP = 7_919
"""Prime to every count used, so that counting in steps of it visits each number once, in no order."""


def entry(number: int) -> tuple[str, str, bool]:
    """Return the postcode, the district and whether it is terminated, of entry ``number`` (below 2,676,960)."""
    outward, unit = divmod(number, UNITS)
    sector, letters = divmod(unit, 676)
    first, second = divmod(letters, 26)
    postcode = f"{OUTWARD[outward]} {sector}{ascii_uppercase[first]}{ascii_uppercase[second]}"
    return postcode, f"E06{number % 317:06}", number % 5 == 0


def lines(count: int) -> Iterator[str]:
    """Yield the heading and ``count`` rows."""
    yield "pcd7,pcd8,pcds,dointr,doterm,usrtypind,east1m,north1m,gridind,oa21cd,cty25cd,lad25cd,wd25cd,ctry25cd,rgn25cd\n"
    for step in range(count):
        postcode, district, terminated = entry(step * STEP % count)
        date = "202001" if terminated else ""
        yield f'"","","{postcode}",198001,{date},0,444555,0519000,1,E00000001,E99999999,{district},E05000001,E92000001,E12000001\n'


def write(path: Path, count: int) -> None:
    """Write the directory to ``path``."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines(count))
