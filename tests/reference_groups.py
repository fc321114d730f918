"""FTRL-Proximal with the group lasso: the features of a group enter and leave together."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from reference_base import Step, Vector
from reference_dual import FTRLProximal


class GroupFTRL(FTRLProximal):
    """One q for each group G, n_G the squares of all its gradients; Yuan, Lin, "Model Selection
    and Estimation in Regression with Grouped Variables", JRSS B 2006, in FTRL's closed form:

        n_G ← n_G + Σ_{j∈G} g_j²,   q = (β + √n_G)/α,   z_j ← z_j + g_j − (q' − q)·w_j  for j ∈ G,
        w_j = −κ·z_j/(q + λ2),      κ = max(0, 1 − λ·√|G|/‖z_G‖),

    |G| the number of members that have occurred in an event so far, ‖z_G‖ over all of them.
    ``penalty="per_event"``: λ and λ2 times T. A group is as old as its oldest member. A feature
    that is in no group is one by itself, and so is the intercept, without a penalty.
    """

    def __init__(
        self, dimension: int, loss: str, *, l1: Mapping[str, Any], **parameters: Any
    ) -> None:
        super().__init__(dimension, loss, l1=float(l1["l1"]), **parameters)
        self.l1 = float(l1["l1"])
        names: list[Hashable] = [("intercept",)]
        names += [l1["groups"].get(name, ("alone", name)) for name in range(dimension)]
        self.groups = [
            [j for j, other in enumerate(names) if other == name] for name in dict.fromkeys(names)
        ]
        self.seen = np.zeros(1 + dimension, bool)

    def _update(self, step: Step) -> None:
        self.seen |= step.touched
        self.z *= self.fade
        self.n *= self.fade**2
        pushed = step.gradient.copy()
        for group in self.groups:
            before = (self.beta + math.sqrt(self.n[group[0]])) / self.alpha
            # Every member carries the group's n.
            self.n[group] += sum(step.gradient[j] ** 2 for j in group)
            after = (self.beta + math.sqrt(self.n[group[0]])) / self.alpha
            for j in group:
                self.z[j] += step.gradient[j] - (after - before) * self.w[j]
            if step.gradient[group].any():
                pushed[group] = 1.0
        self._grow_older(pushed)

    def _read(self) -> None:
        for group in self.groups:
            norm = math.sqrt(sum(self.z[j] ** 2 for j in group))
            for j in group:
                age = float(self.age[j]) if self.per_event else 1.0
                penalised = 0.0 if j == 0 else 1.0
                threshold = penalised * age * self.l1 * math.sqrt(self.seen[group].sum())
                kept = max(0.0, 1 - threshold / norm) if norm > 0 else 0.0
                q = (self.beta + math.sqrt(self.n[j])) / self.alpha + penalised * age * self.l2
                self.w[j] = self._constrained(j, self._divided(kept * self.z[j], q))

    def rescale(self, coordinate: int, ratio: float) -> None:
        raise ValueError("no reference for a scale with groups: they share one n")

    def weaken(self, coordinate: int, ratio: float) -> None:
        raise ValueError("no reference for a scale with groups: they share one n")

    def group_norms(self) -> Vector:
        """‖w_G‖ of every group of features."""
        return np.array([np.linalg.norm(self.w[group]) for group in self.groups[1:]])
