"""Labels that come late: events wait under a token for what they were predicted with."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stack_cases import Event, each_loss, estimator, loss_of, mixed, state_of, weighted

from streamlasso import FTRLProximal, SparseClassifier, load


def predict(model: Any, event: Event, token: Any = None) -> float:
    """The probability or the prediction."""
    if isinstance(model, SparseClassifier):
        return dict(model.predict_proba_one(event.x, token=token)).get(1.0, 0.5)
    return float(model.predict_one(event.x, token=token))


def run(
    model: Any, events: list[Event], delay: int, *,
    each: Callable[[Any, int], Any] = lambda model, t: model,
    lost: Callable[[int], bool] = lambda t: False, tokens: bool = True,
) -> Any:  # fmt: skip
    """Predict each event, learn it so many rows later; some labels never come."""
    for t in range(len(events) + delay):
        if t < len(events):
            predict(model, events[t], ("row", t) if tokens else None)
        if t >= delay and not lost(t - delay):
            event = events[t - delay]
            token = ("row", t - delay) if tokens else None
            model.learn_one(event.x, event.y, event.w, token=token)
        model = each(model, t)
    return model


def begun(loss: str, **how: Any) -> Any:
    """Both classes known, so that probabilities have names."""
    model = estimator(loss, **how)
    model.learn_one({"first": 1.0}, 0.0)
    model.learn_one({"first": 1.0}, 1.0)
    return model


@each_loss
def test_labels_at_once_are_learned_to_the_bit_as_without_tokens(loss: str) -> None:
    events = weighted(mixed(loss, 120))
    plain, tokens = (run(begun(loss), events, 0, tokens=given) for given in (False, True))
    assert state_of(plain.learner) == state_of(tokens.learner)
    assert len(tokens._pending) == 0


@each_loss
@pytest.mark.parametrize("delay", [7, 100])
def test_pending_events_survive_pickle_and_snapshot(loss: str, delay: int, tmp_path: Path) -> None:
    events = weighted(mixed(loss, 160))

    def lost(t: int) -> bool:
        return t % 10 == 3

    def each(model: Any, t: int) -> Any:
        if t in (5, 90):
            return pickle.loads(pickle.dumps(model))
        if t in (0, 60, 140):
            again = load(model.save(tmp_path / f"{t}.safetensors"))
            assert list(again._pending.inputs) == list(model._pending.inputs)
            return again
        return model

    whole = run(begun(loss), events, delay, lost=lost)
    cut = run(begun(loss), events, delay, lost=lost, each=each)
    assert len(whole._pending) == len(cut._pending) == 16
    assert state_of(whole.learner) == state_of(cut.learner)
    plain = run(begun(loss), events, delay, lost=lost, tokens=False)
    assert state_of(plain.learner) != state_of(whole.learner)
    assert plain.learner.clock == whole.learner.clock


@each_loss
def test_the_learner_gets_what_the_row_was_predicted_with(loss: str) -> None:
    events = mixed(loss, 60)
    late, direct = begun(loss), begun(loss)
    encoder, kept = direct._encoder, []
    for t, event in enumerate(events):
        predict(late, event, t)
        encoder.encode(event.x, allocate=False)
        kept.append(direct.learner.inputs_of(encoder.slots, encoder.values, encoder.size))
        if t >= 9:
            before = events[t - 9]
            late.learn_one(before.x, before.y, token=t - 9)
            encoder.encode(before.x, allocate=True)
            row = encoder.slots, encoder.values, encoder.size
            direct.learner.learn_row(*row, before.y, 1.0, kept[t - 9], 9)
            np.testing.assert_array_equal(late._pending.inputs[t], kept[t])
    assert state_of(late.learner) == state_of(direct.learner)


@each_loss
def test_the_oldest_is_forgotten_where_too_many_wait(loss: str) -> None:
    events = mixed(loss, 60)
    model = begun(loss, max_pending=5)
    for t, event in enumerate(events):
        predict(model, event, f"row {t}")
        assert len(model._pending) == min(t + 1, 5)
    assert list(model._pending.inputs) == [f"row {t}" for t in range(55, 60)]
    plain = begun(loss)
    # A token that is not known any more, or never was: learned as if just predicted.
    model.learn_one(events[0].x, events[0].y, token="row 0")
    model.learn_one(events[1].x, events[1].y, token="nobody")
    assert len(model._pending) == 5
    for event in events[:2]:
        plain.learn_one(event.x, event.y)
    assert model.learner.clock == plain.learner.clock == 4


def test_a_token_predicted_again_has_the_newest_inputs_and_place() -> None:
    events = mixed("logistic", 3)
    model = begun("logistic", max_pending=2)
    for token, event in zip(("a", "b", "a", "c"), [*events, events[0]], strict=True):
        predict(model, event, token)
    assert list(model._pending.inputs) == ["a", "c"]
    model.learn_one(events[2].x, 1.0, token="a")
    assert list(model._pending.inputs) == ["c"]


@pytest.mark.parametrize("token", [1.5, b"a", ["a"], {"a": 1}, object()])
def test_what_cannot_be_a_token_is_refused(token: Any) -> None:
    model = begun("logistic")
    with pytest.raises(TypeError, match=r"token = .* must be a str, an int or a tuple"):
        model.predict_one({"a": 1.0}, token=token)
    before = state_of(model.learner)
    with pytest.raises(TypeError, match="token = "):
        model.learn_one({"a": 1.0}, 1.0, token=token)
    assert state_of(model.learner) == before


def test_with_a_single_rule_tokens_change_nothing() -> None:
    events = mixed("logistic", 60)
    rule = FTRLProximal()
    plain, tokens = (
        run(begun("logistic", rule=rule), events, 5, tokens=given) for given in (False, True)
    )
    assert plain.weights == tokens.weights
    assert len(tokens._pending) == 0


def test_an_event_of_importance_0_waits_no_longer() -> None:
    model = begun("logistic")
    model.predict_one({"a": 1.0}, token="a")
    before = state_of(model.learner)
    model.learn_one({"a": 1.0}, 1.0, 0.0, token="a")
    assert state_of(model.learner) == before
    assert len(model._pending) == 0


def test_inputs_of_the_prediction_are_worth_more_than_those_of_the_label() -> None:
    """Runs of labels, a hundred rows late: helpers that know the label's neighbours mislead."""
    random = np.random.default_rng(0)
    events = [Event({"a": random.normal()}, float(t % 200 < 100)) for t in range(3000)]
    losses = []
    for tokens in (True, False):
        model, total = begun("logistic"), 0.0
        for t, event in enumerate(events):
            p = min(max(predict(model, event, t if tokens else None), 1e-9), 1 - 1e-9)
            total += loss_of("logistic", float(np.log(p / (1 - p))), event.y)
            if t >= 60:
                before = events[t - 60]
                model.learn_one(before.x, before.y, token=t - 60 if tokens else None)
        losses.append(total / len(events))
    assert losses[0] < losses[1]


@each_loss
def test_infinite_values_at_prediction_do_no_harm(loss: str) -> None:
    model = run(begun(loss), mixed(loss, 30), 0)
    for token, x in enumerate(({"d0": np.inf, "new": 1.0}, {"new": -np.inf}, {"d3": 1e200})):
        model.predict_one(x, token=token)
    assert np.isfinite(model._pending.arrays()).all()
    for token in range(3):
        model.learn_one({"d0": 1.0, "d1": 1.0}, 1.0, token=token)
    assert np.isfinite(model.learner.book).all()
    assert np.isfinite(predict(model, Event({"d0": 1.0, "d3": 60.0}, 0.0)))
