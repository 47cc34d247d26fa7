"""Files that appear whole or not at all."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where a draft that is open cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

DRAFT = ".kanviz-{}.part"
"""What a draft is called: short, since a file's name may be as long as the file system allows."""


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file in one step: a reader sees the old content or the new, never a part.

    A file that is replaced keeps its mode, and its owner where the system allows it. What a process
    that was killed while writing left in the folder is removed by the next one that writes there.

    Parameters
    ----------
    path
        The file; a link is followed.
    content : bytes
        What it will hold.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    OSError
        If there is something else than a file, or it cannot be written; what was there is as
        before.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"The folder of {os.fspath(path)!r} does not exist. Make it first, or write elsewhere."
        )
    before = _state_of(path, target)
    _remove_abandoned(target.parent)
    number, draft = _open_draft(target.parent, 0o666 if before is None else before.st_mode & 0o777)
    try:
        with open(number, "wb") as file:
            file.write(content)
            file.flush()
            if before is not None:
                _make_like(number, before)
            os.fsync(number)
            if draft is None:
                draft = target.with_name(DRAFT.format(secrets.token_hex(8)))
                os.link(f"/proc/self/fd/{number}", draft, src_dir_fd=number)  # follows the link
            if fcntl is not None:
                draft.replace(target)  # while it is locked, so that nobody takes it for abandoned
        if fcntl is None:
            draft.replace(target)
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


def _state_of(path: str | os.PathLike[str], target: Path) -> os.stat_result | None:
    """Return what is known of a file that is there already; raise for anything but a file."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or a pipe"
        raise OSError(f"{os.fspath(path)!r} is {kind} and is not replaced. Write to another name.")
    return found


def _open_draft(folder: Path, mode: int) -> tuple[int, Path | None]:
    """Open a new file in a folder; one without a name where there is such a thing.

    It is in the same folder because only there a file can be replaced in one step. A file without a
    name vanishes with its process, whatever ends it.
    """
    unnamed = getattr(os, "O_TMPFILE", 0)
    if unnamed and Path("/proc/self/fd").is_dir():
        with contextlib.suppress(OSError):  # this file system has none
            number = os.open(folder, unnamed | os.O_WRONLY, mode)
            _lock(number)
            return number, None
    while True:
        draft = folder / DRAFT.format(secrets.token_hex(8))
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        number = os.open(draft, flags, mode)
        # Another process may have found it before it was locked.
        if not _lock(number) or draft.exists():
            return number, draft
        os.close(number)


def _lock(number: int) -> bool:
    """Lock an open file until it is closed; return False where that cannot be."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _make_like(number: int, before: os.stat_result) -> None:
    """Give an open file owner and mode of another; the owner only where one may."""
    if not hasattr(os, "fchown"):
        return
    for owner in ((before.st_uid, before.st_gid), (-1, before.st_gid)):
        with contextlib.suppress(OSError):
            os.fchown(number, *owner)
            break
    os.fchmod(number, stat.S_IMODE(before.st_mode))


def _remove_abandoned(folder: Path) -> None:
    """Remove the drafts of processes that are no more: nobody has them locked."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError):
        for draft in list(folder.glob(DRAFT.format("*"))):
            with contextlib.suppress(OSError):
                number = os.open(draft, os.O_WRONLY | os.O_NOFOLLOW)
                try:
                    if _lock(number):
                        draft.unlink()
                finally:
                    os.close(number)
