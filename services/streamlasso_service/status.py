"""What the service shows: metrics, and one immutable record for the page, both once a batch.

Where weights can reach zero untouched, counting the active ones needs a sweep over the state.
Sweeps take at most 1 % of the time, and the count says as of which event it is exact. What is
active in a stack can change with every row for any feature: its changes are those between sweeps.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from streamlasso import Progress
from streamlasso.index import Name
from streamlasso.kernels import ACTIVATED, DEACTIVATED, FIRST
from streamlasso.stack import StackLearner
from streamlasso_service.exporter import TURNED_AWAY, Metrics
from streamlasso_service.models import Estimator, name_counts

__all__ = ["Reporter", "Status"]

SWEEP_SHARE = 0.01
SWEEP_INTERVAL_S = 1.0
TOP = 100
RATE_WINDOW_S = 5.0


@dataclass(frozen=True)
class Status:
    """A consistent picture as of one moment."""

    phase: str = "starting"
    ready: bool = False
    events: int = 0
    events_per_second: float = 0.0
    failed: int = 0
    loss: float = float("nan")
    baseline: float = float("nan")
    recent_loss: float = float("nan")
    recent_baseline: float = float("nan")
    served_loss: float = float("nan")
    full_loss: float = float("nan")
    worth: float = 0.0
    mean_prediction: float = float("nan")
    mean_target: float = float("nan")
    active: int = 0
    tracked: int = 0
    exact_at_event: int = 0
    intercept: float = 0.0
    lag: int = 0
    last_snapshot_s: float | None = None
    top: list[tuple[Name, float]] = field(default_factory=list)
    top_as_of_event: int = 0

    @property
    def sparsity(self) -> float:
        """1 − active/tracked; 1 while nothing is tracked."""
        return 1.0 - self.active / self.tracked if self.tracked else 1.0


class Reporter:
    """Reads the model after each batch, and tells metrics and page."""

    def __init__(
        self,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metrics = metrics
        self.status = Status()
        self._clock = clock
        self._next_sweep = 0.0
        self._tracked = self._active = self._exact_at = 0
        self._top: list[tuple[Name, float]] = []
        self._was_active: Any = None
        self._counts: Any = None
        self._sums: Any = None
        self._names: dict[str, int] = {}
        self._window: list[tuple[float, int, Any]] = []

    def batch(self, model: Estimator, progress: Progress) -> None:
        """Add what changed since the last batch to the counters."""
        metrics, counts, sums = self.metrics, model.learner.counts.copy(), progress.sums.copy()
        before, sums_before = self._counts, self._sums
        self._counts, self._sums = counts, sums
        metrics.model_events_learned.set(model.learner.clock)
        names_before, self._names = self._names, name_counts(model)
        if before is None:
            return
        for reason in TURNED_AWAY:
            grown = self._names[reason] - names_before[reason]
            metrics.names_turned_away.labels(metrics.model, reason).inc(grown)
        metrics.features_evicted.inc(self._names["evicted"] - names_before["evicted"])
        changed = counts - before
        # Of a grid: those of the model that has the largest share.
        lane = int(model.learner.shares.argmax())
        self._changed(int(changed[ACTIVATED, lane]), int(changed[DEACTIVATED, lane]))
        metrics.nonfinite_updates.inc(int(changed[1, 0]))
        examples, loss, baseline, predictions, targets = (sums - sums_before)[:5]
        metrics.progressive_examples.inc(examples)
        # Rounding of a long sum must not make a counter step back.
        metrics.progressive_loss.inc(max(loss, 0.0))
        metrics.baseline_loss.inc(max(baseline, 0.0))
        metrics.prediction_sum.inc(predictions)
        metrics.target_sum.inc(targets)

    def _changed(self, activated: int, deactivated: int) -> None:
        """Count features that became active, and that ceased to be."""
        changes = self.metrics.feature_transitions
        changes.labels(self.metrics.model, "activated").inc(activated)
        changes.labels(self.metrics.model, "deactivated").inc(deactivated)

    def sweep_if_due(self, model: Estimator, *, force: bool = False) -> None:
        """Count active features and find the largest weights."""
        begun = self._clock()
        if begun < self._next_sweep and not force:
            return
        learner = model.learner
        self._tracked = learner.survey()[0]
        weights = learner.served_weights()[FIRST:]
        active = np.flatnonzero(weights)
        self._active = len(active)
        if isinstance(learner, StackLearner):
            self._compare(weights != 0)
        largest = active[np.argsort(-np.abs(weights[active]), kind="stable")[:TOP]]
        self._top = [
            (learner.index.name(int(slot) + FIRST), float(weights[slot])) for slot in largest
        ]
        self._exact_at = learner.clock
        self.metrics.weight_l1_norm.set(float(np.abs(weights).sum()))
        self.metrics.weight_max_abs.set(float(np.abs(weights).max(initial=0.0)))
        now = self._clock()
        self._next_sweep = now + max(SWEEP_INTERVAL_S, (now - begun) / SWEEP_SHARE)

    def _compare(self, active: Any) -> None:
        """Count what a stack does not count row by row: what differs from the sweep before."""
        before, self._was_active = self._was_active, active
        if before is not None:
            before = np.pad(before, (0, len(active) - len(before)))
            self._changed(int((active & ~before).sum()), int((before & ~active).sum()))

    def publish(
        self,
        model: Estimator,
        progress: Progress,
        *,
        phase: str,
        ready: bool,
        lag: int,
        failed: int,
        last_snapshot_s: float | None,
    ) -> None:
        """Replace the record that page and health checks read."""
        learner, metrics = model.learner, self.metrics
        fades = learner.rule.fades or learner.select is not None
        active = self._active if fades else int(learner.active_count()[0])
        exact_at = self._exact_at if fades else learner.clock
        # The index of grouped features holds the groups too.
        growing = learner.index.kind == "growing"
        growing = growing and "link" not in learner.rule.l1_penalty.shared
        tracked = getattr(learner.index, "tracked", 0) if growing else self._tracked
        rate, recent = self._recent(learner.clock, progress)
        served, full, worth = progress.mean_loss, float("nan"), 0.0
        if isinstance(learner, StackLearner):
            served, full, worth = learner.served_loss, learner.full_loss, learner.worth
        self.status = Status(
            phase=phase,
            ready=ready,
            events=learner.clock,
            events_per_second=rate,
            failed=failed,
            loss=progress.mean_loss,
            baseline=progress.baseline,
            recent_loss=recent[0],
            recent_baseline=recent[1],
            served_loss=served,
            full_loss=full,
            worth=worth,
            mean_prediction=progress.mean_prediction,
            mean_target=progress.mean_target,
            active=active,
            tracked=tracked,
            exact_at_event=exact_at,
            intercept=learner.intercept(),
            lag=lag,
            last_snapshot_s=last_snapshot_s,
            top=self._top,
            top_as_of_event=self._exact_at,
        )
        if learner.select is not None:
            metrics.served(learner)
        metrics.served_worth_nats.set(worth)
        for of, loss in (("served", served), ("full", full)):
            metrics.lifetime_loss.labels(metrics.model, of).set(loss)
        metrics.active_features.set(active)
        metrics.active_features_exact_at_event.set(exact_at)
        metrics.tracked_features.set(tracked)
        metrics.sparsity_ratio.set(self.status.sparsity)
        metrics.ready.set(ready)

    def _recent(self, events: int, progress: Progress) -> tuple[float, tuple[float, float]]:
        """Events a second and mean losses over the last few seconds."""
        now = self._clock()
        if not self._window or now - self._window[-1][0] >= RATE_WINDOW_S / 20:
            self._window.append((now, events, progress.sums.copy()))
        while len(self._window) > 2 and now - self._window[0][0] > RATE_WINDOW_S:
            self._window.pop(0)
        then, events_then, sums_then = self._window[0]
        if now <= then:
            return 0.0, (progress.mean_loss, progress.baseline)
        examples, loss, baseline = (progress.sums - sums_then)[:3]
        means = (loss / examples, baseline / examples) if examples else (float("nan"),) * 2
        return (events - events_then) / (now - then), means
