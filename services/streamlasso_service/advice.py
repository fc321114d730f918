"""Sentences for runs that work, but probably not as they were meant."""

from typing import TYPE_CHECKING

from streamlasso_service.config import Settings

if TYPE_CHECKING:
    from streamlasso_service.consumer import Consumer

__all__ = ["all_bad", "another_source", "bad_records", "remarks"]


def another_source(learned_from: set[str], settings: Settings) -> str | None:
    """A model may go on with another topic or file than before, but not by mistake."""
    now = set(settings.streams)
    if not learned_from or learned_from & now:
        return None
    return (
        f"this model has learned from {', '.join(sorted(learned_from))} and now goes on with "
        f"{', '.join(sorted(now))}; for a new model give another snapshot.directory (--snapshots)"
    )


def bad_records(consumer: "Consumer") -> str | None:
    """How many records were bad in this run, why the last one, and where they are."""
    share = consumer.bad_share
    if not share.bad:
        return None
    return (
        f"{share.bad} of {consumer.consumed} records were bad; the last: {share.example}. They are "
        f"in {consumer.dead_letters}"
    )


def all_bad(consumer: "Consumer") -> bool:
    """Whether a run has read records and all were bad."""
    return 0 < consumer.consumed == consumer.bad_share.bad


def nothing_learned(consumer: "Consumer") -> str | None:
    """Why a run learned nothing, once its source is finished; None if it did."""
    learned = consumer.model.learner.clock != consumer.restored_events
    if learned or not consumer.source.finished or all_bad(consumer):
        return None
    if not consumer.consumed:
        return "nothing new was read: the snapshot covers it; to read it again, --snapshots NEW"
    return (
        "nothing was learned: had any event a target? It is looked for in "
        f"{consumer.settings.event.target!r}; --set event.target=NAME with --snapshots NEW, since "
        "this snapshot has these records behind it"
    )


def remarks(consumer: "Consumer") -> list[str]:
    """What is to be said of a run besides its figures."""
    return [text for text in (bad_records(consumer), nothing_learned(consumer)) if text]
