"""Files are written whole: a failure leaves what was there, and no draft."""

import os
import signal
import stat
import time
from pathlib import Path

import pytest

from kanviz.writing import DRAFT, write_whole


def test_new_content_replaces_the_old(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_whole(file, b"one")
    write_whole(file, b"two")
    assert file.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failure_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    file = tmp_path / "a.txt"
    file.write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_followed_and_a_missing_folder_named(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    with pytest.raises(FileNotFoundError, match=r"The folder of .* does not exist"):
        write_whole(tmp_path / "none" / "a", b"")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o755, 0o444])
def test_a_file_keeps_its_mode_and_owner(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"old")
    if os.geteuid() == 0:
        os.chown(file, 12, 34)
    before = file.stat()
    file.chmod(mode)
    write_whole(file, b"new")
    after = file.stat()
    assert stat.S_IMODE(after.st_mode) == mode
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert file.read_bytes() == b"new"


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_whole(tmp_path / "whole", b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "whole")}
    assert len(modes) == 1


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    pipe, folder, link = tmp_path / "pipe", tmp_path / "folder", tmp_path / "link"
    os.mkfifo(pipe)
    folder.mkdir()
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(OSError, match="is a device or a pipe and is not replaced"):
            write_whole(path, b"new")
    with pytest.raises(OSError, match="is a folder and is not replaced"):
        write_whole(folder, b"new")
    with pytest.raises(OSError, match="is a device or a pipe"):
        write_whole(os.devnull, b"new")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    assert {path.name for path in tmp_path.iterdir()} == {"pipe", "folder", "link"}


@pytest.mark.parametrize("length", [1, 200, 240, 255])
def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path, length: int) -> None:
    file = tmp_path / ("n" * length)
    for content in (b"one", b"two"):
        write_whole(file, content)
        assert file.read_bytes() == content


def test_drafts_of_dead_processes_are_removed_and_those_of_living_ones_stay(
    tmp_path: Path,
) -> None:
    import fcntl

    dead, living = (tmp_path / DRAFT.format(name) for name in ("dead", "living"))
    dead.write_bytes(b"half")
    with living.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_whole(tmp_path / "a", b"whole")
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([living.name, "a"])


@pytest.mark.parametrize("drafts", ["without a name", "with one"])
def test_a_kill_leaves_the_old_content_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drafts: str
) -> None:
    if drafts == "with one":  # as on file systems that have no files without a name
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    file, contents = tmp_path / "a", {bytes([n]) * 200_000 for n in range(2)}
    for content in contents:
        write_whole(file, content)
    for turn in range(10):
        child = os.fork()
        if child == 0:
            while True:
                for content in contents:
                    write_whole(file, content)
        time.sleep(0.002 * turn)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert file.read_bytes() in contents
    write_whole(file, b"last")
    assert list(tmp_path.iterdir()) == [file]
