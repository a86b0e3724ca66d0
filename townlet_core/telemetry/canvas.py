"""The paper that plots are drawn on: one style, safe colours, the same bytes each time."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, YELLOW, INK, GREY, WINE = "#56B4E9", "#E69F00", "#F0E442", "#333333", "#C4C4C4", "#7A1F3D"

SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER, INK)
"""Colours of lines and markers in order, after Okabe and Ito."""

ACTION_COLOURS: Mapping[str, str] = {
    "idle": GREY,
    "eat_home": AMBER,
    "cook": ORANGE,
    "eat_out": YELLOW,
    "wash": SKY,
    "sleep": BLUE,
    "work": INK,
    "shop": GREEN,
    "relax": PURPLE,
    "socialise": WINE,
}
"""Colour of each option, the same in every plot."""

COLOURS = 128
"""Colours of a picture's palette."""

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#777777",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "townlet",
}


def drawn(rows: int, columns: int, size: tuple[float, float], draw: Callable[["Figure", Any], None]) -> bytes:
    """Draw on a fresh figure and give it as PNG.

    The same data gives the same bytes: style and backend are fixed here, and no date or software is written in.

    Args:
        rows: Rows of axes.
        columns: Columns of axes.
        size: Width and height in inches, at 100 dots each.
        draw: Gets the figure and its axes as an array [rows, columns].
    """
    import matplotlib  # imported here, as it is slow to load and most commands draw nothing
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=size, dpi=100, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        draw(figure, figure.subplots(rows, columns, squeeze=False))
        return _png(canvas)


def action_colour(name: str) -> str:
    """Colour of an option; options that have none of their own are grey."""
    return ACTION_COLOURS.get(name, GREY)


def day_axis(axes: "Axes", step: int = 4) -> None:
    """Make the horizontal axis the hours of a day, with a tick every `step` hours."""
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 24, step), [f"{hour:02d}:00" for hour in range(0, 24, step)])


def share_axis(axes: "Axes", label: str) -> None:
    """Make the vertical axis a share from 0 to 100 %."""
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.set_ylabel(label)


def _png(canvas: "FigureCanvasAgg") -> bytes:
    """Give the figure as PNG with a palette, which is a third of the size and shows no difference."""
    from PIL import Image

    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]
    picture = Image.fromarray(pixels).quantize(COLOURS, dither=Image.Dither.NONE)
    sink = BytesIO()
    picture.save(sink, format="png", optimize=True)
    return sink.getvalue()
