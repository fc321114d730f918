"""Correcting the probabilities of a classifier online, and measuring how far they can be trusted.

`Calibrated` wraps any binary classifier of river. A correction is a small object with
``transform(p)`` and ``learn(p, target, importance)``: `PowerLaw` or `Isotonic`.
"""

from streamlasso.calibration.isotonic import Isotonic
from streamlasso.calibration.power import PowerLaw
from streamlasso.calibration.reliability import Bin, Reliability
from streamlasso.calibration.wrapper import Calibrated

__all__ = ["Bin", "Calibrated", "Isotonic", "PowerLaw", "Reliability"]
