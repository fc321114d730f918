"""The adaptive lasso: what a pilot found large is shrunk little, what it found small a lot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from streamlasso.checks import finite, shown
from streamlasso.penalties.base import Penalty

__all__ = ["Adaptive"]

FACTOR = 0  # the factor on λ1, minus 1: a new slot's record is zeros
GAMMA = CAP = 0  # rows of the hyper-parameters


def threshold(state, slot, lane, strength, events, noise):
    """λ1 times the slot's factor."""
    return strength * events * (state.dtype.type(1) + state[slot, FACTOR + lane])


def renew(state, slot, lane, weight, hyper):
    """The factor min(|w|^(−γ), cap) from the unpenalised weight."""
    size = abs(weight)
    cap = hyper[CAP, lane]
    factor = cap
    if size > 0:
        factor = min(size ** (-hyper[GAMMA, lane]), cap)
    state[slot, FACTOR + lane] = factor - state.dtype.type(1)


def _weights(pilot: Any) -> dict[Any, float]:
    if not isinstance(pilot, Mapping):
        raise TypeError(
            f"Adaptive: pilot = {shown(pilot)} must be a dict name → weight: {{'price': 0.5}}, or "
            "None for the learner's own past"
        )
    remedy = "leave the name out, or give its weight"
    return {
        name: finite(f"Adaptive: the pilot's weight of {name!r}", weight, remedy)
        for name, weight in pilot.items()
    }


@dataclass(frozen=True)
class Adaptive(Penalty):
    """Adaptive lasso (Zou 2006): λ1·Σ factor_j·|w_j| with factor_j = min(|pilot_j|^(−γ), cap).

    Parameters
    ----------
    l1
        λ1 ≥ 0.
    gamma
        γ > 0.
    cap
        The largest factor > 0: that of a weight whose pilot is zero. Finite, so that a feature
        whose pilot was wrong can still enter.
    pilot
        Weights by name that set the factors once and for all; a name that is not among them gets
        the cap. None: the learner's own past. After 64, 128, 256, … events each factor is set from
        the weight that the rule would read without its penalties; until then it is 1.

    References
    ----------
    Zou, "The Adaptive Lasso and Its Oracle Properties", JASA 2006.
    """

    l1: float = 1.0
    gamma: float = 1.0
    cap: float = 100.0
    pilot: Mapping[Any, float] | None = field(default=None, hash=False)

    name: ClassVar[str] = "adaptive"
    abreast: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ("factor",)
    parameters: ClassVar[tuple[str, ...]] = ("gamma", "cap")
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "threshold": threshold,
        "renew": renew,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pilot is not None:
            object.__setattr__(self, "pilot", _weights(self.pilot))

    def numbers(self) -> dict[str, bool]:
        """λ1, γ and the cap."""
        return {"l1": False, "gamma": True, "cap": True}

    @property
    def renews(self) -> bool:
        """Without a given pilot."""
        return self.pilot is None

    @property
    def needs_names(self) -> bool:
        """With a given pilot."""
        return self.pilot is not None

    def record(self, name: Any, find: Callable[[Any], int]) -> Mapping[str, float]:
        """With a given pilot the factor of the name."""
        return {} if self.pilot is None else {"factor": self.factor(name) - 1.0}

    def factor(self, name: Any) -> float:
        """The factor of a name, from the given pilot."""
        size = abs(self.pilot.get(name, 0.0)) if self.pilot is not None else 1.0
        return min(size**-self.gamma, self.cap) if size > 0 else self.cap
