# SPDX-License-Identifier: MIT
"""The demonstration's postcode table, compiled once, and warm models."""

from __future__ import annotations

import pytest

from mappings.postcode_compiler import compile_table
from mappings.postcodes import PostcodeTable, demonstration_source
from notify_gateway.fhir.structure import warm_up


@pytest.fixture(scope="session")
def postcodes(tmp_path_factory: pytest.TempPathFactory) -> PostcodeTable:
    folder = tmp_path_factory.mktemp("postcodes")
    compile_table(demonstration_source(), folder)
    return PostcodeTable.open(folder)


@pytest.fixture(scope="session", autouse=True)
def warm_models() -> None:
    warm_up()
