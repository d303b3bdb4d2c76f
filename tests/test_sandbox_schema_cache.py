"""What is read from the SDKs is kept for their version, and a broken cache changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resource_types import gcp
from sandbox import schema
from sandbox.schema_cache import cached


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the entries."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "pull-estate" / "schemas"


def never() -> str:
    raise AssertionError("read although it is in the cache")


def reading(result: str) -> Callable[[], str]:
    return lambda: result


def test_a_result_is_read_once_for_each_name_and_version(folder: Path) -> None:
    assert cached("a", "1", reading("first")) == "first"
    assert cached("a", "1", never) == "first"
    assert cached("a", "2", reading("second")) == "second"
    assert cached("b", "1", reading("third")) == "third"
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("damage", [b"", b"text", b"\x80\x05\x95\x0a"])
def test_a_damaged_entry_is_replaced(folder: Path, damage: bytes) -> None:
    cached("a", "1", reading("first"))
    (entry,) = folder.iterdir()
    entry.write_bytes(damage)
    assert cached("a", "1", reading("again")) == "again"
    assert cached("a", "1", never) == "again"


def test_a_folder_that_cannot_be_written_is_no_error(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file in place of the folder")
    assert cached("a", "1", reading("first")) == "first"
    assert cached("a", "1", reading("again")) == "again"


def test_an_error_is_not_kept(folder: Path) -> None:
    with pytest.raises(AssertionError):
        cached("a", "1", never)
    assert not folder.exists()


def test_a_schema_from_the_cache_is_the_one_that_was_read(folder: Path) -> None:
    read = schema._read_schema(gcp.BUCKET)
    version = schema._versions("gcp")
    assert cached("bucket", version, lambda: read) is read
    assert cached("bucket", version, lambda: None) == read
