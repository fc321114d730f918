"""The service: learn from event streams, lose nothing, show what the model does."""

import time

__all__ = ["STARTED"]

STARTED = time.perf_counter()
"""When the process came here, for what says how long starting took."""
