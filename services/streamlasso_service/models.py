"""From configuration to an estimator, and what of it must match a snapshot."""

from dataclasses import asdict
from typing import Any

import numpy as np

from streamlasso.admission import Admission, AdmitAtRandom, AdmitByCount
from streamlasso.estimators import SparseClassifier, SparseRegressor
from streamlasso.index import FeatureIndex, GrowingIndex, HashingIndex
from streamlasso.interactions import Interactions
from streamlasso.kernels import FIRST
from streamlasso.learners import AnyLearner
from streamlasso.losses import get_loss
from streamlasso.progressive import Progress
from streamlasso.rules import FTRLProximal
from streamlasso.stack import StackLearner
from streamlasso_service.config import Settings
from streamlasso_service.model_config import DEFAULT_LOSSES, ModelConfig
from streamlasso_service.parameters import STACK, grid_of, rule_of

__all__ = [
    "Estimator",
    "build_model",
    "name_counts",
    "served_hyper",
    "shape_mismatch",
    "warm",
]

Estimator = SparseClassifier | SparseRegressor


def build_model(config: ModelConfig, interactions: Interactions = ()) -> Estimator:
    """A new estimator; faults of the rule, loss or index are ValueErrors that name them."""
    stacked = config.rule == STACK
    rule = None if stacked else rule_of(config.rule, config.parameters)
    name = config.loss or DEFAULT_LOSSES[config.task]
    loss = get_loss(name, **config.loss_parameters) if config.loss_parameters else name
    kind = SparseClassifier if config.task == "classification" else SparseRegressor
    return kind(
        rule,
        loss,
        _build_index(config),
        config.fit_intercept,
        None if config.scale == "none" else config.scale,
        grid_of(config.grid),
        config.select,
        interactions=interactions,
        dtype=config.dtype,
        **(config.parameters if stacked else {}),
    )


def _build_index(config: ModelConfig) -> FeatureIndex:
    if config.index == "hashing":
        return HashingIndex(config.bits, names=True)
    admit: Admission | None = None
    if config.admit == "count":
        admit = AdmitByCount(config.admit_times, config.admit_bits)
    elif config.admit == "random":
        admit = AdmitAtRandom(config.admit_probability)
    return GrowingIndex(config.max_features, config.at_limit, admit)


def _shape(model: Estimator) -> dict[str, Any]:
    learner, grid = model.learner, model.grid
    default = STACK if isinstance(learner, StackLearner) else FTRLProximal()
    if grid is not None:
        grid = {name: list(values) for name, values in grid.items()}
    return {
        "task": type(model).__name__,
        "rule": default if model.rule is None else model.rule,
        "serve": model.serve,
        "tolerance": model.tolerance,
        "max_active": model.max_active,
        "grid": grid,
        "select": None if grid is None else model.select,
        "scale": model.scale,
        "refit": model.refit,
        "loss": learner.loss.name,
        "loss_parameters": asdict(learner.loss),
        "index": (learner.index.kind, learner.index.settings()),
        "fit_intercept": learner.fit_intercept,
        "dtype": learner.dtype,
        "interactions": model.interactions,
    }


def shape_mismatch(configured: Estimator, restored: Estimator) -> str | None:
    """What differs between the configured model and a snapshot's, both values named."""
    ours, theirs = _shape(configured), _shape(restored)
    differences = [
        f"  * {key}: the configuration says {_shown(ours[key])}, "
        f"the snapshot {_shown(theirs[key])}\n"
        for key in ours
        if ours[key] != theirs[key]
    ]
    if not differences:
        return None
    return "".join(differences) + "Use another snapshot.directory, or the snapshot's own settings"


def _shown(value: Any) -> str:
    """Not in full: a penalty may hold a table of all names."""
    text = str(value)
    return text if len(text) <= 500 else f"{text[:500]}…"


def served_hyper(learner: AnyLearner) -> dict[str, float]:
    """The numbers of the rule; of a grid's those served: by the lanes' shares.

    Of a stack the tolerance, and the worth that it serves features from.
    """
    if isinstance(learner, StackLearner):
        return {"tolerance": learner.tolerance, "worth": learner.worth}
    lanes = zip(learner.rules, learner.shares.tolist(), strict=False)
    served = [(rule, share) for rule, share in lanes if share > 0]
    if len(served) == 1:
        served = [(served[0][0], 1.0)]
    return {
        name: sum(share * rule.value(name) for rule, share in served)
        for name in learner.rule.parameters
    }


def name_counts(model: Estimator) -> dict[str, int]:
    """What became of names without a slot, in the model's lifetime; 0 for unbounded indexes."""
    counters = {"not_admitted": "waiting", "at_limit": "refused", "evicted": "evicted"}
    return {name: getattr(model.learner.index, of, 0) for name, of in counters.items()}


def warm(model: Estimator, settings: Settings | None = None) -> None:
    """Compile (or load from the cache) every kernel that a model of this shape will use.

    With settings also what reads their source. ``model`` learns events and is of no use afterwards.
    """
    from streamlasso_service.warm_reading import kinds_read, warm_reading

    learner = model.learner
    if settings is not None:
        warm_reading(model, kinds_read(settings))
    for value in (1.0, "a"):  # twice: the first event of its kind is read by Python
        model.learn_one({"warm": value}, 1)
        model.learn_one({"warm": value}, 1)
    model.predict_one({"warm": 1.0})
    slots = np.array([FIRST], np.uint32)  # an index may not have admitted the name
    rows = (np.array([0, 1]), slots, np.ones(1))
    scores = learner.learn_rows(*rows, np.ones(1))
    learner.score_rows(*rows)
    learner.survey()
    learner.effective_weights()
    Progress(learner.loss).add(learner.rule, scores, np.ones(1), np.ones(1))
