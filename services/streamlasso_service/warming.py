"""``streamlasso warm``: compiling ahead of the first event."""

import time
from collections.abc import Iterable, Iterator

from streamlasso import LOSSES, RULES, Learner
from streamlasso.stack.compiling import FAMILIES
from streamlasso_service.model_config import DOMAINS, ModelConfig
from streamlasso_service.models import Estimator, build_model, warm
from streamlasso_service.parameters import STACK
from streamlasso_service.record_batches import compile_parser
from streamlasso_service.warm_reading import SAMPLES, warm_reading

__all__ = ["CHOICES", "warm_each", "warm_one"]

CHOICES = (STACK, *RULES)


def warm_one(model: Estimator) -> str:
    """Compile what one model needs, which is of no use afterwards; a line that says so."""
    compile_parser()
    learner = model.learner
    begun = time.perf_counter()
    warm(model)
    warm_reading(model, SAMPLES)
    label = learner.recipe.label if isinstance(learner, Learner) else learner.rule_name
    return f"{label} {learner.loss.name}: {time.perf_counter() - begun:.1f} s"


def warm_each(rules: Iterable[str]) -> Iterator[str]:
    """The same for rules by name, as they are by default, with every loss that they can have."""
    compile_parser()
    for name in rules:
        for loss, kind in LOSSES.items():
            tasks = [task for task, domains in DOMAINS.items() if kind.domain in domains]
            if not tasks or (name == STACK and loss not in FAMILIES):
                continue  # a loss of the library that the service has no task for, or no stack
            begun = time.perf_counter()
            model = build_model(ModelConfig(rule=name, loss=loss, task=tasks[0]))
            warm(model)
            warm_reading(model, SAMPLES)
            yield f"{name} {loss}: {time.perf_counter() - begun:.1f} s"
