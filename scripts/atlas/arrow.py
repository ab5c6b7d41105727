"""Keep pyarrow from importing pandas where nobody needs it."""

import sys
from contextlib import suppress

import pyarrow as pa


def spare_pandas() -> None:
    """
    Let pyarrow's first conversion find no pandas, which saves half a second per process.

    pyarrow looks for pandas once, on the first value that it converts. For the scripts that run
    hundreds of times and use none. `to_pandas` still works afterwards, but `pa.array` of a pandas
    Series is then taken for a plain sequence: don't call it where both are used.
    """
    if "pandas" in sys.modules:
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]
    with suppress(ImportError, AttributeError):
        pa.scalar(0)
    del sys.modules["pandas"]
