"""``streamlasso warm``: compiling ahead of the first event."""

import time
from collections.abc import Iterable, Iterator
from io import BytesIO

from streamlasso import LOSSES, RULES, GrowingIndex, HashingIndex, Learner
from streamlasso.encoding import RowEncoder
from streamlasso.index import FeatureIndex
from streamlasso.stack.compiling import FAMILIES
from streamlasso_service.config import EventConfig, FeaturesConfig, LimitsConfig
from streamlasso_service.decoding import Decoder
from streamlasso_service.fields import Fields
from streamlasso_service.formats import format_of
from streamlasso_service.lines import LineReader
from streamlasso_service.model_config import DOMAINS, ModelConfig
from streamlasso_service.models import Estimator, build_model, warm
from streamlasso_service.parameters import STACK
from streamlasso_service.record_batches import compile_parser
from streamlasso_service.records import Partition
from streamlasso_service.rows import RowReader

__all__ = ["CHOICES", "warm_each", "warm_one", "warm_reading"]

CHOICES = (STACK, *RULES)

ONE_OF_EACH: dict[str, bytes] = {
    "json": b'{"target":1,"a":"b","c":1}',
    "vw": b"1 | a",
    "svmlight": b"1 a:1",
    "csv": b"target,a\n1,b",
}
"""A file of one event in every format that has a scanner."""


def warm_reading(kinds: Iterable[str], index: FeatureIndex) -> None:
    """Compile the scanners of these formats, and what finds their slots in such an index."""
    settings = EventConfig(), Fields(FeaturesConfig()), LimitsConfig()
    for kind in kinds:
        content = ONE_OF_EACH[kind]
        source = LineReader(BytesIO(content), Partition(kind, 0), format := format_of("", kind), 0)
        format.begin(BytesIO(content))
        lines = source.take(9, growing=False)
        assert lines is not None
        reader = RowReader(Decoder(*settings, "classification"), RowEncoder(index.fresh()))
        reader.read(lines[len(lines) - 1 :])


def warm_one(model: Estimator) -> str:
    """Compile what one model needs, which is of no use afterwards; a line that says so."""
    compile_parser()
    warm_reading(ONE_OF_EACH, model.learner.index)
    learner = model.learner
    begun = time.perf_counter()
    warm(model)
    label = learner.recipe.label if isinstance(learner, Learner) else learner.rule_name
    return f"{label} {learner.loss.name}: {time.perf_counter() - begun:.1f} s"


def warm_each(rules: Iterable[str]) -> Iterator[str]:
    """The same for rules by name, as they are by default, with every loss that they can have."""
    compile_parser()
    for index in (GrowingIndex(), HashingIndex(2, names=True)):
        warm_reading(ONE_OF_EACH, index)
    for name in rules:
        for loss, kind in LOSSES.items():
            tasks = [task for task, domains in DOMAINS.items() if kind.domain in domains]
            if not tasks or (name == STACK and loss not in FAMILIES):
                continue  # a loss of the library that the service has no task for, or no stack
            begun = time.perf_counter()
            warm(build_model(ModelConfig(rule=name, loss=loss, task=tasks[0])))
            yield f"{name} {loss}: {time.perf_counter() - begun:.1f} s"
