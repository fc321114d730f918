"""Losses: what an error costs. A new loss is a file here and a line in `LOSSES`."""

from typing import Any

from streamlasso.losses.base import Loss
from streamlasso.losses.epsilon_insensitive import EpsilonInsensitive
from streamlasso.losses.hinge import Hinge, SquaredHinge
from streamlasso.losses.huber import Huber
from streamlasso.losses.logistic import Logistic
from streamlasso.losses.poisson import Poisson
from streamlasso.losses.quantile import Quantile
from streamlasso.losses.softmax import Softmax
from streamlasso.losses.squared import Squared

__all__ = [
    "LOSSES",
    "EpsilonInsensitive",
    "Hinge",
    "Huber",
    "Logistic",
    "Loss",
    "Poisson",
    "Quantile",
    "Softmax",
    "Squared",
    "SquaredHinge",
    "get_loss",
]

LOSSES: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (
        *(Squared, Huber, Quantile, EpsilonInsensitive, Poisson),
        *(Logistic, Hinge, SquaredHinge, Softmax),
    )
}

ALIASES = {
    **dict.fromkeys(("log", "log_loss", "Log"), "logistic"),
    **dict.fromkeys(("squared_error", "squared_loss", "mse", "Squared"), "squared"),
    **dict.fromkeys(("absolute", "absolute_error", "mae", "pinball", "Quantile"), "quantile"),
    **{"Hinge": "hinge", "Huber": "huber", "Poisson": "poisson"},
    **{"EpsilonInsensitiveHinge": "epsilon_insensitive", "cross_entropy": "softmax"},
}
"""What scikit-learn, river and others call them."""


def get_loss(
    loss: str | Loss, domain: str | tuple[str, ...] | None = None, **parameters: Any
) -> Loss:
    """A loss by name, with parameters by keyword, or the loss itself.

    Parameters
    ----------
    loss
        A name in `LOSSES`, or an instance, which takes no more parameters.
    domain
        The domain, or those, that the caller has targets for.

    Raises `ValueError` for an unknown name, for a parameter out of its range and for a loss of
    another domain; `TypeError` for what is neither a name nor a loss, and for an unknown parameter.

    Examples
    --------
    >>> from streamlasso.losses import get_loss
    >>> get_loss("huber", ("real", "count"), delta=2.0)
    Huber(delta=2.0)
    """
    domains = (domain,) if isinstance(domain, str) else domain
    fitting = [n for n, kind in LOSSES.items() if domains is None or kind.domain in domains]
    if isinstance(loss, str):
        if loss not in LOSSES:
            other = ALIASES.get(loss)
            meant = f"did you mean {other!r}? Otherwise " if other in fitting else ""
            raise ValueError(
                f"loss = {loss!r} is unknown; {meant}choose one of {', '.join(fitting)}"
            )
        loss = LOSSES[loss](**parameters)
    elif not isinstance(loss, Loss):
        raise TypeError(f"loss = {loss!r} must be a name or an instance of a loss: Huber(delta=2)")
    elif parameters:
        raise TypeError(f"loss = {loss!r} has its parameters; give {', '.join(parameters)} there")
    if domains is not None and loss.domain not in domains:
        if loss.together and "binary" in domains:
            raise ValueError(
                f"loss = {loss.name!r}: take 'logistic', which becomes it when a third class comes"
            )
        raise ValueError(
            f"loss = {loss.name!r} is for {loss.domain} targets, this estimator has "
            f"{' or '.join(domains)} ones; choose one of {', '.join(fitting)}"
        )
    return loss
