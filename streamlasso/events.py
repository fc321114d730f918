"""Rows of the kernels' scratch ``events[row, lane]``: one event as a loss hands it to a rule."""

__all__ = ["CURVATURE", "SLOPE", "SPREAD", "TARGET", "VARIANCE"]

SLOPE, CURVATURE, SPREAD, TARGET, VARIANCE = range(5)
"""All but ``TARGET`` in one column per lane.

* ``SLOPE``: ∂loss/∂score, times the importance.
* ``CURVATURE``: the loss's `curvature` at the score, times the importance.
* ``SPREAD``: what a rule sums up over the features of the event before it writes any of them.
* ``TARGET``: the target itself, in lane 0.
* ``VARIANCE``: the loss's `variance` at the score, times the importance.
"""
