"""The group lasso: the features of a group are all zero or none is.

Lazy form for FTRL-Proximal with one step size per group. z_G are the duals of the group's members,
n_G the sum of all their squared gradients, q_G = (β + √n_G)/α. An event that touches the group
multiplies the duals of *all* members, absent ones too, by 1 + (q'_G − q_G)·κ/(q_G + λ2), which is
one number for the group: members store z/A, the group's record stores A and ‖z/A‖². So nothing
outside the event's features and their groups is touched.

The record of a group lies in a slot of its own, its head; a member's ``link`` is that slot, 0 says
that the feature is in no group (its threshold is λ1), and −1 marks a head.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from streamlasso.events import SLOPE
from streamlasso.numerics import soft_threshold
from streamlasso.penalties.base import Penalty

__all__ = ["HEAD", "Group"]

HEAD = "\0group"
"""First part of the name under which an index keeps a group's head."""

LINK = 0  # shared
NORM, GROWTH, PENDING, MEMBERS, GROUP_ROOT, DUAL, ROOT = range(7)  # ‖z/A‖², A − 1, Σg², |G|, √n_G
ALPHA, BETA, L1, L2 = range(4)
PER_EVENT = False


def _events(state, slot, lane, hyper, clock):
    """The rule's own: how many events the penalty counts."""
    return state.dtype.type(clock if PER_EVENT else 1)


def _survives(state, head, lane, hyper, events):
    """κ = (1 − λ√|G|/‖z_G‖)_+."""
    size = (1 + state[head, GROWTH + lane]) * math.sqrt(state[head, NORM + lane])
    amount = events * hyper[L1, lane] * math.sqrt(state[head, MEMBERS + lane])
    return 1 - amount / size if size > amount else size * 0


def read(state, slot, lane, hyper, clock):
    """w = −κ·z / (q_G + λ2); of a feature in no group −S(z, λ1) / (q + λ2)."""
    events = _events(state, slot, lane, hyper, clock)
    head = int(state[slot, LINK])
    dual = state[slot, DUAL + lane]
    alpha = hyper[ALPHA, lane]
    if head <= 0:
        root = state[slot, ROOT + lane]
        pull = soft_threshold(-dual, events * hyper[L1, lane])
    else:
        root = state[head, GROUP_ROOT + lane]
        pull = -dual * (1 + state[head, GROWTH + lane])
        pull *= _survives(state, head, lane, hyper, events)
    return alpha * pull / (hyper[BETA, lane] + root + alpha * (events * hyper[L2, lane]))


def gather(state, slot, lane, events, value, hyper, clock):
    """The squares of the event's gradients, added up for the group's step."""
    head = int(state[slot, LINK])
    if head > 0:
        gradient = events[SLOPE, lane] * value
        state[head, PENDING + lane] += gradient * gradient


def _commit(state, slot, head, lane, hyper, clock):
    """A ← A(1 + (√n'_G − √n_G)·κ/(β + √n_G + αλ2)), once an event."""
    events = _events(state, slot, lane, hyper, clock)
    root = state[head, GROUP_ROOT + lane]
    grown = math.sqrt(root * root + state[head, PENDING + lane])
    scale = hyper[BETA, lane] + root + hyper[ALPHA, lane] * (events * hyper[L2, lane])
    factor = 1 + (grown - root) * _survives(state, head, lane, hyper, events) / scale
    state[head, GROWTH + lane] = (1 + state[head, GROWTH + lane]) * factor - 1
    state[head, GROUP_ROOT + lane] = grown
    state[head, PENDING + lane] = 0


def write(state, slot, lane, events, value, hyper, clock):
    """z ← z + g − σw with the group's σ; the group's norm follows."""
    before = read(state, slot, lane, hyper, clock)
    gradient = events[SLOPE, lane] * value
    head = int(state[slot, LINK])
    dual = state[slot, DUAL + lane]
    if head <= 0:
        root = state[slot, ROOT + lane]
        grown = math.sqrt(root * root + gradient * gradient)
        state[slot, ROOT + lane] = grown
        state[slot, DUAL + lane] = dual + gradient - (grown - root) * before / hyper[ALPHA, lane]
    else:
        if state[head, PENDING + lane] > 0:
            _commit(state, slot, head, lane, hyper, clock)
        if state[slot, MEMBERS + lane] == 0:
            state[slot, MEMBERS + lane] = 1
            state[head, MEMBERS + lane] += 1
        grown = dual + gradient / (1 + state[head, GROWTH + lane])
        state[slot, DUAL + lane] = grown
        norm = state[head, NORM + lane] + (grown * grown - dual * dual)
        state[head, NORM + lane] = max(norm, grown * grown)
    return int(read(state, slot, lane, hyper, clock + 1) != 0) - int(before != 0)


def step(state, slot, lane, hyper, clock):
    """1 / ((β + √n_G)/α + λ2)."""
    head = int(state[slot, LINK])
    root = state[head, GROUP_ROOT + lane] if head > 0 else state[slot, ROOT + lane]
    events = _events(state, slot, lane, hyper, clock)
    alpha = hyper[ALPHA, lane]
    return alpha / (hyper[BETA, lane] + root + alpha * (events * hyper[L2, lane]))


def reach(state, slot, lane, value, hyper, clock):
    """step·value·(value + d), d what a penalty per event takes off a weight that is not 0.

    For a group that the event brings no new member.
    """
    size = abs(value)
    drift = size * 0
    if PER_EVENT:
        weight = abs(read(state, slot, lane, hyper, clock))
        head = int(state[slot, LINK])
        members = state[head, MEMBERS + lane] if head > 0 else 1
        if weight > 0:
            drift = hyper[L1, lane] * math.sqrt(members) + hyper[L2, lane] * weight
    return step(state, slot, lane, hyper, clock) * size * (size + drift)


def _is_head(name: Any) -> bool:
    return isinstance(name, tuple) and name[:1] == (HEAD,)


@dataclass(frozen=True)
class Group(Penalty):
    """Group lasso (Yuan, Lin 2006): λ1·Σ_G √|G|·‖w_G‖₂.

    |G| is the number of the group's features that were seen so far. All members share one step
    size, which gives the proximal step a closed form.

    Parameters
    ----------
    l1
        λ1 ≥ 0.
    by
        What groups features: a text, at whose first occurrence a name is cut (``"="``: all values
        of one categorical field), or a mapping from names to groups. A name without the text, or
        not in the mapping, is alone.

    References
    ----------
    Yuan, Lin, "Model Selection and Estimation in Regression with Grouped Variables", JRSS B 2006.
    Yang, Xu, King, Lyu, "Online Learning for Group Lasso", ICML 2010.
    """

    l1: float = 1.0
    by: str | Mapping[Any, Any] = field(default="=", hash=False)

    name: ClassVar[str] = "group"
    shared: ClassVar[tuple[str, ...]] = ("link",)
    columns: ClassVar[tuple[str, ...]] = ("norm", "growth", "pending", "members", "group_root")
    takes_over: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "ftrl": {
            "_survives": _survives,
            "_commit": _commit,
            "read": read,
            "write": write,
            "step": step,
            "reach": reach,
            "gather": gather,
        }
    }

    def other_faults(self) -> list[str]:
        """``by`` must say what the groups are."""
        if isinstance(self.by, str | Mapping) and self.by:
            return []
        return [
            f"by = {self.by!r} must be a text that ends a name's prefix, or a mapping from names "
            "to groups"
        ]

    @property
    def needs_names(self) -> bool:
        """Always."""
        return True

    def refusal(self, rule: Any) -> str | None:
        """Modes whose closed form is another."""
        modes = ("half_life" if rule.forgets else "", "nonnegative" if rule.nonnegative else "",
                 "since_birth" if rule.since_birth else "")  # fmt: skip
        wrong = [mode for mode in modes if mode]
        if not wrong:
            return None
        return f"the group penalty has no closed form with {wrong[0]} of the rule {rule.name!r}"

    def head(self, name: Any) -> Any:
        """The name of the group's head."""
        group = self.group_of(name)
        return None if group is None or _is_head(name) else (HEAD, group)

    def record(self, name: Any, find: Callable[[Any], int]) -> Mapping[str, float]:
        """The link of a member to the head, or what says that it is a head."""
        head = self.head(name)
        return {"link": -1.0 if _is_head(name) else 0.0 if head is None else float(find(head))}

    def group_of(self, name: Any) -> Any:
        """The group of a name, or None."""
        if isinstance(self.by, str):
            if not isinstance(name, str):
                return name[0] if isinstance(name, tuple) and self.by in name[1:2] else None
            prefix, found, _ = name.partition(self.by)
            return prefix if found else None
        return self.by.get(name)
