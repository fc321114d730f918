"""Sentences for runs that work, but probably not as they were meant."""

from typing import TYPE_CHECKING

from streamlasso_service.config import Settings

if TYPE_CHECKING:
    from streamlasso_service.consumer import Consumer

__all__ = ["another_source", "nothing_learned"]


def another_source(learned_from: set[str], settings: Settings) -> str | None:
    """A model may go on with another topic or file than before, but not by mistake."""
    now = set(settings.streams)
    if not learned_from or learned_from & now:
        return None
    return (
        f"this model has learned from {', '.join(sorted(learned_from))} and now goes on with "
        f"{', '.join(sorted(now))}; for a new model give another snapshot.directory (--snapshots)"
    )


def nothing_learned(consumer: "Consumer") -> str | None:
    """Why a run learned nothing, once its source is finished; None if it did."""
    learned = consumer.model.learner.clock != consumer.restored_events
    if learned or not consumer.source.finished:
        return None
    if not consumer.consumed:
        return "nothing new was read: the snapshot covers it; to read it again, --snapshots NEW"
    return (
        "nothing was learned: had any event a target? It is looked for in "
        f"{consumer.settings.event.target!r}; --set event.target=NAME with --snapshots NEW, since "
        "this snapshot has these records behind it"
    )
