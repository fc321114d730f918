"""Compiling ahead what reads records: splitting lines, scanning, finding slots."""

import io
from collections.abc import Iterable

from streamlasso.encoding import RowEncoder
from streamlasso_service.config import EventConfig, FeaturesConfig, LimitsConfig, Settings
from streamlasso_service.decoding import Decoder
from streamlasso_service.fields import Fields
from streamlasso_service.formats import format_of, kind_of
from streamlasso_service.lines import LineReader
from streamlasso_service.models import Estimator
from streamlasso_service.records import Partition
from streamlasso_service.rows import RowReader

__all__ = ["SAMPLES", "kinds_read", "warm_reading"]

SAMPLES = {
    "json": b'{"target":1,"a":1.5,"b":"x"}\n',
    "csv": b"target,a,b\n1,1.5,x\n",
    "svmlight": b"1 1:2\n",
    "vw": b"1 |n a b:2\n",
}
"""A line of each format, with a header where it has one."""


def kinds_read(settings: Settings) -> set[str]:
    """The formats of what is read; TSV is read by what reads CSV."""
    if settings.source.kind == "kafka":
        return {"json"}
    kinds = {kind_of(path, settings.source.format) for path in settings.file.paths}
    return {"csv" if kind == "tsv" else kind for kind in kinds}


def warm_reading(model: Estimator, kinds: Iterable[str]) -> None:
    """Compile (or load from the cache) what reads these formats for a model of this shape.

    ``model`` learns an event of each and is of no use afterwards.
    """
    learner = model.learner
    task = "classification" if learner.loss.domain == "binary" else "regression"
    decoder = Decoder(EventConfig(), Fields(FeaturesConfig()), LimitsConfig(), task)
    encoder = RowEncoder(learner.index, learner.dtype, model.interactions)
    reader = RowReader(decoder, encoder)
    for kind in kinds:
        file, format = io.BytesIO(SAMPLES[kind]), format_of("", kind)
        file.seek(format.begin(file))
        lines = LineReader(file, Partition(kind, 0), format, file.tell()).take(10, growing=False)
        if lines is not None:
            reader.read(lines).learn(learner, encoder)
