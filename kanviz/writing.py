"""Files that appear whole or not at all."""

import os
import secrets
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file in one step: a reader sees the old content or the new, never a part.

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
        If the file cannot be written; one that was there is as before.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"The folder of {os.fspath(path)!r} does not exist. Make it first, or write elsewhere."
        )
    # In the same folder, because only there a file can be replaced in one step.
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
