"""Say why a path leads to nothing that can be read."""

import errno
import os
import stat
from difflib import get_close_matches
from pathlib import Path

SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
"""What is there and holds no data of its own."""


def unusable(path: Path) -> str:
    """
    Return why no file can be read at a path, and the remedy.

    >>> unusable(Path("no/such/file"))
    'no such file or folder (there is no folder no/such)'
    """
    try:
        mode = path.lstat().st_mode
    except ValueError:
        return "no such file or folder: no name holds a null character"
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return f"no such file or folder{_nearest_sibling(path)}"
        if error.errno == errno.ENAMETOOLONG:
            return "no such file or folder: a name in it is longer than file systems allow"
        return f"can't be reached ({error.strerror}); look at the rights of its folders"
    if stat.S_ISLNK(mode):
        return f"a link to {path.readlink()}, which is not there; fetch the file or mend the link"
    if stat.S_ISDIR(mode):
        return "a folder; name a file in it"
    what = SPECIAL.get(stat.S_IFMT(mode), "something else")
    return f"neither a file nor a folder but {what}; name a file"


def _nearest_sibling(path: Path) -> str:
    parent = path.parent
    if not parent.is_dir():
        return f" (there is no folder {parent})"
    close = get_close_matches(path.name, sorted(os.listdir(parent)), n=1)  # noqa: PTH208 - names
    return f"; did you mean {parent / close[0]}?" if close else ""
