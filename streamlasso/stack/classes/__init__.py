"""A stack for more than two classes: `features`, `layer`, `rows` with a block for each class."""

from streamlasso.stack.classes import features, layer, places, rows

__all__ = ["features", "layer", "places", "rows"]
