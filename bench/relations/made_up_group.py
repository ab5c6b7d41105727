"""Make up the fingerprints and shards of a group; print their rows as JSON."""

import argparse
import json
from pathlib import Path

from bench.relations import made_up


def main() -> None:
    """Write them below a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, required=True)
    parser.add_argument("--denoiser", type=int, required=True, help="its tensors")
    parser.add_argument("--others", type=int, default=100, help="tensors of the other components")
    parser.add_argument("--shards", action="store_true", help="write shards too")
    given = parser.parse_args()
    tensors = dict.fromkeys(made_up.FAMILIES, given.others) | {"unet": given.denoiser}
    made = made_up.group(given.models, tensors)
    made_up.write_fingerprints(made, given.folder / "fingerprints")
    rows = made_up.write_shards(made, given.folder / "distances") if given.shards else 0
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
