"""The evidence threshold: a weight is zero until its gradients say more than noise would."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from streamlasso.penalties.base import Penalty

__all__ = ["Evidence"]


def threshold(state, slot, lane, strength, events, noise):
    """θ√n."""
    return strength * noise


@dataclass(frozen=True)
class Evidence(Penalty):
    """θ·√n in place of λ1: θ standard deviations of the sum of a slot's gradients.

    For a feature without effect the gradients are noise, and their sum is of the size √n with n the
    sum of their squares; a weight stays zero until the dual is larger than θ times that. The
    penalty is in proportion to the noise, so it has no unit and needs no grid over λ. Taken by
    rules that keep a dual and its noise.

    Parameters
    ----------
    theta
        θ ≥ 0; ½ by default.

    >>> from streamlasso import FTRLProximal
    >>> FTRLProximal(l1="evidence").l1
    Evidence(theta=0.5)
    """

    theta: float = 0.5

    name: ClassVar[str] = "evidence"
    abreast: ClassVar[bool] = True
    functions: ClassVar[Mapping[str, Callable[..., Any]]] = {"threshold": threshold}

    def numbers(self) -> dict[str, bool]:
        """θ."""
        return {"theta": False}

    @property
    def strength(self) -> float:
        """θ."""
        return self.theta

    @property
    def counts_events(self) -> bool:
        """No: it grows with the noise."""
        return False

    def scaled(self, strength: float) -> "Evidence":
        """Another θ."""
        return replace(self, theta=strength)
