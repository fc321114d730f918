"""Events that were predicted and whose labels have not come yet."""

from typing import Any

import numpy as np
import numpy.typing as npt

from streamlasso.checks import shown
from streamlasso.names import plain_name

__all__ = ["Pending", "checked_token"]

Array = npt.NDArray[Any]


def checked_token(token: Any) -> Any:
    """The token, plain; an error for what cannot be one."""
    try:
        return plain_name(token)
    except TypeError:
        raise TypeError(
            f"token = {shown(token)} is of type {type(token).__name__}; a token must be a str, an "
            "int or a tuple of them: convert it with str()"
        ) from None


class Pending:
    """What the second layer saw of each event, by the caller's token, the newest so many.

    A token is what a name may be: a string, an integer, or a tuple of such.
    """

    def __init__(self, limit: int) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ValueError(f"max_pending = {shown(limit)} must be a whole number ≥ 1")
        self.limit = limit
        self.inputs: dict[Any, Array] = {}

    def keep(self, token: Any, inputs: Array) -> None:
        """Keep an event's inputs; the oldest event goes where there are too many."""
        self.inputs.pop(token, None)
        self.inputs[token] = inputs
        if len(self.inputs) > self.limit:
            del self.inputs[next(iter(self.inputs))]

    def take(self, token: Any) -> Array | None:
        """The inputs of an event, which waits no longer; None if it is not known."""
        return self.inputs.pop(token, None)

    def __len__(self) -> int:
        return len(self.inputs)

    def arrays(self) -> Array:
        """All inputs, one row an event, in the order in which they came."""
        return np.array(list(self.inputs.values())) if self.inputs else np.zeros((0, 0))

    def restore(self, tokens: list[Any], arrays: Array) -> None:
        """Take what `arrays` gave, and the tokens in their order."""
        self.inputs = {token: row.copy() for token, row in zip(tokens, arrays, strict=True)}
