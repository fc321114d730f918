"""Scanners: compiled code that reads many records of a buffer without an object for each.

A scanner takes what is simple and says `ASK` of the rest, which the well-kept library of the format
then decides: it never takes what that library rejects, and gives the same names and the same bits.
What all scanners give is `Scanned`.
"""

from streamlasso.scanning.scanned import ASK, NOTHING, PADDING, TAKEN, Scanned

__all__ = ["ASK", "NOTHING", "PADDING", "TAKEN", "Scanned"]
