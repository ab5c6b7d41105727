"""A page that stands in place of pictures where there is nothing to draw."""

from matplotlib.figure import Figure

from atlas.plots import style
from atlas.plots.layout import open_page


def draw(group: str, sentence: str) -> Figure:
    """Return a page of a group that says in a sentence why it has no pictures."""
    with style.applied():
        title, _, rest = sentence.partition(": ")
        page = open_page(title=title, subtitle=f"Group {group}: {rest}", width=0.0, height=0.0)
        return page.figure
