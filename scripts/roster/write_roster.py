"""Write a roster for a folder of checkpoints."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line
from atlas.roster import reading as roster
from atlas.roster import writing

NAMED = 8
"""A list of more ids than this is cut."""


def main(folder: Path, *, to: Path = Path("roster.yaml")) -> None:
    """
    Write the roster, or append to it what is new, check it, and say how to go on.

    Parameters
    ----------
    folder
        Folder with checkpoints, searched to any depth.
    to
        The roster. One that exists keeps all that it has.
    """
    exists = to.exists()
    written = (writing.appended if exists else writing.new)(folder, roster=to)
    tables.write_text(written.text, to)
    there = roster.load(to, skip_missing=exists)
    print(_told(to, there, written, exists=exists))


def _told(to: Path, there: roster.Roster, written: writing.Written, *, exists: bool) -> str:
    """Return what was done, what is missing, and how to go on."""
    models = f"{to}: {len(there.models)} model{'s' if len(there.models) != 1 else ''}"
    if not exists:
        lines = [f"{models}."]
    elif written.added:
        added = _listed(written.added)
        lines = [f"{models}, {len(written.added)} of them new and appended: {added}."]
    else:
        lines = [f"{models}, nothing new."]
    if number := len(written.left_out):
        lines.append(
            f"Left out, as not readable: {number}. Comments at the roster's end tell the reasons."
        )
    grouped = {member for group in there.groups.values() for member in group.models}
    loose = [name for name in written.added if name not in grouped]
    if there.lacking:
        lines.append(there.lacking)
    elif loose:
        lines.append(f"In no group, so compared with none: {_listed(loose)}.")
    call = shlex.join(["--config", f"roster={to}"])
    lines += ["Look it over, then run", "", f"  .venv/bin/snakemake --cores all {call}"]
    return "\n".join(lines)


def _listed(ids: Sequence[str]) -> str:
    """Return ids in words, a long list cut."""
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more


if __name__ == "__main__":
    command_line(main, has_rule=False)
