"""``streamlasso warm``: compiling ahead of the first event."""

import time
from collections.abc import Iterable, Iterator

from streamlasso import LOSSES
from streamlasso_service.model_config import DOMAINS, ModelConfig
from streamlasso_service.models import Estimator, build_model, warm

__all__ = ["warm_each", "warm_one"]


def warm_one(model: Estimator) -> str:
    """Compile what one model needs, which is of no use afterwards; a line that says so."""
    learner = model.learner
    begun = time.perf_counter()
    warm(model)
    return f"{learner.recipe.label} {learner.loss.name}: {time.perf_counter() - begun:.1f} s"


def warm_each(rules: Iterable[str]) -> Iterator[str]:
    """The same for rules by name, as they are by default, with every loss that a task can have."""
    for name in rules:
        for loss, kind in LOSSES.items():
            tasks = [task for task, domains in DOMAINS.items() if kind.domain in domains]
            if not tasks:
                continue  # a loss of the library that the service has no task for
            begun = time.perf_counter()
            warm(build_model(ModelConfig(rule=name, loss=loss, task=tasks[0])))
            yield f"{name} {loss}: {time.perf_counter() - begun:.1f} s"
