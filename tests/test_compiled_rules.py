"""The contract of the rules, compiled: each mode's kernels for one loss, on one lane and on four.

In one file, so that one worker compiles them once; what they compute with every loss is tested
interpreted.
"""

import numpy as np
import pytest
from cases import (
    Array,
    Variant,
    each_mode,
    each_variant,
    learn,
    learner_for,
    reference_for,
    rows,
    stream,
)
from test_invariants import (
    assert_bad_events_leave_no_trace,
    assert_chunking_changes_no_bit,
    assert_reading_is_pure,
    learn_one_by_one,
    reads,
)
from test_rules import assert_lanes_are_singles, compare, grid, uneven

from streamlasso import Learner


@each_variant
def test_compiled_weights_and_scores_equal_the_naive_reference(variant: Variant) -> None:
    learner = learner_for(variant.rule, "logistic", compiled=True)
    compare(learner, reference_for(variant.rule, "logistic"), uneven(stream("logistic", 3000)))


@each_mode
def test_four_compiled_lanes_equal_four_single_learners_bit_for_bit(variant: Variant) -> None:
    assert_lanes_are_singles(grid(variant.rule, 4), "logistic", compiled=True)


@each_mode
def test_compiled_rows_learned_in_any_chunks_give_the_same_bits(variant: Variant) -> None:
    assert_chunking_changes_no_bit(variant.rule, "logistic", compiled=True)


@each_mode
def test_compiled_reading_changes_nothing(variant: Variant) -> None:
    assert_reading_is_pure(variant.rule, "logistic", compiled=True)


@each_mode
def test_compiled_what_is_not_finite_leaves_the_state_untouched_and_is_counted(
    variant: Variant,
) -> None:
    assert_bad_events_leave_no_trace(variant.rule, "logistic", compiled=True)


# Nothing is compiled in mid-stream


def read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def signatures(learner: Learner) -> dict[str, int]:
    """How often each kernel was compiled."""
    kernels = vars(learner._kernels).items()
    return {
        name: len(kernel.signatures) for name, kernel in kernels if hasattr(kernel, "signatures")
    }


def use(learner: Learner, dtype: type = np.float64) -> None:
    """Every call of a learner once."""
    events = stream("logistic", 20)
    learn(learner, events)
    learn_one_by_one(learner, events)
    for read in reads(learner, events).values():
        read()


@pytest.mark.parametrize("lanes", [1, 4])
@each_mode
def test_the_second_call_never_compiles_whatever_the_types(variant: Variant, lanes: int) -> None:
    rules = [variant.rule] * lanes
    use(learner_for(rules, "logistic", compiled=True))
    warm = learner_for(rules, "logistic", compiled=True)
    before = signatures(warm)
    assert before["learn_rows"] >= 1
    use(warm)
    indptr, slots, values, targets, importances = rows(stream("logistic", 20))
    few = [0, 2, 3]
    warm.learn_rows(few, [2, 3, 2], [1, 2, 3], [0, 1])
    warm.learn_rows(few, [2, 3, 2], [1, 2, 3], [False, True], [1, 0])
    warm.learn_rows((0, 1), (2,), (True,), (1,), (2,))
    warm.learn_rows([0], [], [], [])
    warm.learn_rows([0, 0], [], [], [1.0])
    for kind in (np.int8, np.int32, np.int64, np.uint64):
        warm.learn_rows(indptr.astype(kind), slots.astype(kind), values, targets.astype(kind))
        warm.score_rows(indptr.astype(kind), slots.astype(kind), values.astype(kind))
    for kind in (np.float16, np.float32, ">f8"):
        warm.learn_rows(indptr, slots, values.astype(kind), targets, importances.astype(kind))
        warm.score_rows(indptr, slots, values.astype(kind))
    frozen = [read_only(array.copy()) for array in (indptr, slots, values, targets, importances)]
    warm.learn_rows(*frozen)
    warm.score_rows(*frozen[:3])
    strided = [np.repeat(array, 2)[::2] for array in (indptr, slots, values, targets, importances)]
    warm.learn_rows(*strided)
    warm.score_rows(*strided[:3])
    packed = np.zeros(20, dtype=[("skew", "u1"), ("target", "f8")])
    packed["target"] = targets
    warm.learn_rows(indptr, slots, values, packed["target"])
    slots, values = slots[:4], values[:4]
    for number in (1, 1.0, True, np.float32(1), np.int64(1), np.float64(1), np.bool_(True)):
        warm.learn_row(slots, values, 4, number, number)
    assert signatures(warm) == before
