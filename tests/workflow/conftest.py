"""Give each test of the workflow a roster and a folder of its own."""

from pathlib import Path

import pytest

from workflow_runs import Atlas


@pytest.fixture
def atlas(tmp_path: Path) -> Atlas:
    """Return an empty roster in a folder of its own."""
    return Atlas(tmp_path)
