"""How the pictures of the documentation look: one plain style, small files."""

from io import BytesIO
from pathlib import Path
from typing import Any

__all__ = ["COLOURS", "GREY", "plain", "save", "sheet"]

# Okabe and Ito's colours, told apart by the colour-blind too.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
GREY = "#999999"


def sheet(rows: int, columns: int, width: float, height: float, **options: Any) -> tuple[Any, Any]:
    """A figure of this size in inches, and its panels, always a 2-d array."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, **options)
    for panel in panels.flat:
        plain(panel)
    return figure, panels


def plain(panel: Any) -> None:
    """No frame but the axes, a faint grid."""
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(alpha=0.25, linewidth=0.6)
    panel.tick_params(labelsize=9)


def save(figure: Any, folder: Path, name: str) -> Path:
    """Write a PNG of few colours that carries neither a date nor a program's name."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    drawn = BytesIO()
    figure.savefig(drawn, dpi=100)
    Image.open(drawn).convert("RGB").quantize(48).save(path, optimize=True)
    return path
