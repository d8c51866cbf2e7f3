# SPDX-License-Identifier: MIT
"""A whole directory: bounded memory, survival of a kill, switch-over under readers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mappings.postcodes import CompileUnderWay, PostcodeTable, compile_table, demonstration_source
from tests.mappings import synthetic_directory as synthetic

MEGABYTE = 2**20
ROOT = Path(__file__).parents[2]


def compiler(source: Path, folder: Path, *extra: str, memory: int = 16 * MEGABYTE) -> subprocess.Popen[str]:
    script = Path(__file__).with_name("compile_in_a_process.py")
    return subprocess.Popen(
        [sys.executable, str(script), str(source), str(folder), str(memory), *extra],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def compile_whole(tmp_path: Path, count: int, *, memory: int, timeout: float) -> int:
    """Compile ``count`` rows in a process of its own, compare the outcome with the source, and return the memory it took."""
    source = tmp_path / "NSPL_MAY_2025_UK.csv"
    synthetic.write(source, count)
    with compiler(source, tmp_path / "tables", memory=memory) as process:
        out, _ = process.communicate(timeout=timeout)
    assert process.returncode == 0
    compiled, terminated, growth = map(int, out.split())
    table = PostcodeTable.open(tmp_path / "tables")
    assert (table.edition, table.count, compiled, terminated) == ("NSPL_MAY_2025_UK", count, count, (count + 4) // 5)
    for number in {*range(0, count, max(count // 5_000, 1)), count - 1}:
        postcode, district, gone = synthetic.entry(number)
        area = table.lookup(postcode)
        assert area is not None
        assert (area.district, area.terminated) == (district, gone)
    assert table.lookup("ZZ1 1ZZ") is None
    assert table.lookup("A1 1AA") is None
    return growth


def test_300_000_rows_compile_in_bounded_memory(tmp_path: Path) -> None:
    assert compile_whole(tmp_path, 300_000, memory=4 * MEGABYTE, timeout=100) < 20 * MEGABYTE


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_whole_directory_compiles_in_bounded_memory(tmp_path: Path) -> None:
    assert compile_whole(tmp_path, 2_676_960, memory=64 * MEGABYTE, timeout=800) < 120 * MEGABYTE


def test_a_look_up_takes_microseconds(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    synthetic.write(source, 100_000)
    compile_table(source, tmp_path)
    table = PostcodeTable.open(tmp_path)
    asked = [synthetic.entry(number)[0] for number in range(0, 100_000, 50)]
    took = []
    for _ in range(5):
        started = time.perf_counter()
        for postcode in asked:
            table.lookup(postcode)
        took.append((time.perf_counter() - started) / len(asked))
    assert min(took) < 100e-6


@pytest.mark.parametrize("stage", ["reading", "writing"])
def test_a_compiler_killed_half_way_leaves_the_former_edition_in_use(tmp_path: Path, stage: str) -> None:
    folder, source = tmp_path / "tables", tmp_path / "next.csv"
    former = compile_table(demonstration_source(), folder, edition="former")
    synthetic.write(source, 60_000)
    with compiler(source, folder, stage) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "halted\n"
            with pytest.raises(CompileUnderWay):
                compile_table(source, folder)
        finally:
            process.kill()
    assert PostcodeTable.open(folder).edition == "former"
    assert list(folder.glob("*.table")) == [former.path]
    assert list(folder.glob(".compiling-*"))

    compile_table(source, folder, edition="next")
    assert PostcodeTable.open(folder).edition == "next"
    assert not list(folder.glob(".compiling-*"))


def test_readers_see_one_edition_or_the_next_while_it_is_switched(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    sources = {}
    for name, district in (("one", "E06000001"), ("two", "E06000002")):
        sources[name] = tmp_path / f"{name}.csv"
        sources[name].write_text(f"pcds,doterm,laua\nTS18 1LD,,{district}\n", encoding="utf-8")
    expected = {"one": "E06000001", "two": "E06000002"}
    compile_table(sources["one"], folder)
    shared = PostcodeTable.open(folder)
    stop, seen, wrong = threading.Event(), set[str](), list[object]()

    def read() -> None:
        own = PostcodeTable.open(folder)
        try:
            while not stop.is_set():
                for table in (shared, own):
                    table.reload_if_changed()
                    area = table.lookup("TS18 1LD")
                    if area is None or area.district != expected[area.edition]:
                        wrong.append(area)
                    else:
                        seen.add(area.edition)
        except Exception as error:
            wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for _ in range(20):
        for name, source in sources.items():
            compile_table(source, folder, edition=name)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert seen == {"one", "two"}


def test_an_open_reader_keeps_its_edition_until_it_asks_for_the_next(tmp_path: Path) -> None:
    compile_table(demonstration_source(), tmp_path, edition="one")
    table = PostcodeTable.open(tmp_path)
    assert not table.reload_if_changed()
    compile_table(demonstration_source(), tmp_path, edition="two")
    assert table.edition == "one"
    area = table.lookup("TS18 1LD")
    assert area is not None
    assert area.edition == "one"
    assert table.reload_if_changed()
    assert table.edition == "two"
