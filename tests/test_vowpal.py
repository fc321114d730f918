"""Models of the real VowpalWabbit: the weights read give its predictions."""

from pathlib import Path

import pytest

from streamlasso.coefficients import Coefficients, coefficients_from

vowpalwabbit = pytest.importorskip("vowpalwabbit")

EVENTS = [
    "1 |user a b:2 |x q c:0.5 | plain",
    "-1 |user a |ad x^y z=3 w:1.5",
    "1 2.0 |user b |ad w:-1 | 123 7:2 Constant",
    "-1 |user b |ad t:5 x",
]
ROWS: list[dict[str, float]] = [
    {"user^a": 1, "user^b": 2, "x^q": 1, "x^c": 0.5, "plain": 1},
    {"user^a": 1, "ad^x^y": 1, "ad^z=3": 1, "ad^w": 1.5},
    {"user^b": 1, "ad^w": -1, "123": 1, "7": 2, "Constant": 1},
    {"user^b": 1, "ad^t": 5, "ad^x": 1},
]


def run(options: str, events: list[str], passes: int = 5) -> list[float]:
    """Learn the events, then predict all four; files are written at the end."""
    model = vowpalwabbit.Workspace(f"{options} --quiet")
    for _ in range(passes):
        for event in events:
            model.learn(event)
    predictions = [model.predict(event[event.index("|") :]) for event in EVENTS]
    model.finish()
    return predictions


def score(coefficients: Coefficients, row: dict[str, float]) -> float:
    weights = coefficients.weights
    return coefficients.intercept + sum(
        weights.get(name, 0.0) * value for name, value in row.items()
    )


@pytest.mark.parametrize(
    "options",
    [
        "",
        "--loss_function logistic",
        "--predict_only_model",
        "--noconstant",
        "--sgd -l 0.01",
        "--adaptive",
        "--normalized -l 0.01",
        "--ftrl",
        "--ftrl --l1 0.5 --loss_function logistic",
        "--coin --loss_function logistic",
        "--l1 0.01",
        "--l1 0.02 --l2 0.01 --loss_function logistic",
        "-b 22",
    ],
)
def test_the_weights_read_give_its_own_predictions(tmp_path: Path, options: str) -> None:
    path = tmp_path / "model.txt"
    # Raw predictions are clipped to the labels' range: let it be wide.
    wide = "--min_prediction -50 --max_prediction 50"
    predictions = run(f"{options} {wide} --invert_hash {path}", EVENTS)
    found = coefficients_from(path)
    # The text has six digits.
    assert [score(found, row) for row in ROWS] == pytest.approx(predictions, rel=2e-4, abs=2e-5)
    assert any(abs(each) > 0.05 for each in predictions)
    assert found.intercept == 0.0 or "--noconstant" not in options


def test_zeros_of_a_penalty_are_absent(tmp_path: Path) -> None:
    run(f"--ftrl --l1 3 --invert_hash {tmp_path / 'm'}", EVENTS)
    run(f"--ftrl --invert_hash {tmp_path / 'n'}", EVENTS)
    few, many = (coefficients_from(tmp_path / name).weights for name in "mn")
    assert 0 < len(few) < len(many)
    assert 0.0 not in few.values()


def test_interactions_are_features_with_both_names(tmp_path: Path) -> None:
    path = tmp_path / "model.txt"
    predictions = run(f"-q ua --min_prediction -9 --max_prediction 9 --invert_hash {path}", EVENTS)
    row = dict(ROWS[1])
    row |= {f"user^a*{name}": value for name, value in row.items() if name.startswith("ad^")}
    assert score(coefficients_from(path), row) == pytest.approx(predictions[1], abs=2e-5)
    assert {"a*w", "b*t"} <= set(coefficients_from(path, namespaces="strip").weights)


def test_namespaces_are_kept_or_stripped(tmp_path: Path) -> None:
    run(f"--invert_hash {tmp_path / 'm'}", EVENTS)
    kept, bare = (coefficients_from(tmp_path / "m", namespaces=way) for way in ("keep", "strip"))
    assert {"user^a", "ad^x^y", "plain", "7", "Constant"} <= set(kept.weights)
    assert {"a", "x^y", "plain", "7", "Constant"} <= set(bare.weights)
    assert bare.intercept == kept.intercept
    with pytest.raises(ValueError, match="namespaces = 'drop' must be"):
        coefficients_from(tmp_path / "m", namespaces="drop")


def test_a_name_that_two_namespaces_share_cannot_be_stripped(tmp_path: Path) -> None:
    run(f"--invert_hash {tmp_path / 'm'}", ["1 |a x |b x"])
    assert set(coefficients_from(tmp_path / "m").weights) == {"a^x", "b^x"}
    with pytest.raises(ValueError, match="'x' in two namespaces; use namespaces='keep'"):
        coefficients_from(tmp_path / "m", namespaces="strip")


def test_hashes_without_names_ask_for_invert_hash(tmp_path: Path) -> None:
    model, readable, partial = (tmp_path / name for name in ("model", "readable", "partial"))
    run(f"-f {model} --readable_model {readable}", EVENTS)
    with pytest.raises(ValueError, match=r"hash without a name.*--invert_hash"):
        coefficients_from(readable)
    # Data in which some features do not occur leave those without a name.
    run(f"-t -i {model} --invert_hash {partial}", EVENTS[:1])
    lines = partial.read_text().splitlines()
    assert any(line.startswith("user^a:") for line in lines)
    assert any(line.startswith("123:") for line in lines)
    run_full = tmp_path / "full"
    run(f"-t -i {model} --invert_hash {run_full}", EVENTS)
    assert set(coefficients_from(run_full).weights) == set().union(*ROWS)


def test_a_binary_model_asks_for_a_text(tmp_path: Path) -> None:
    run(f"-f {tmp_path / 'model.vw'}", EVENTS)
    with pytest.raises(ValueError, match=r"no text of VowpalWabbit.*--invert_hash"):
        coefficients_from(tmp_path / "model.vw")


def test_a_model_with_several_weights_for_a_feature_is_refused(tmp_path: Path) -> None:
    run(f"--oaa 3 --invert_hash {tmp_path / 'm'}", [event.lstrip("-") for event in EVENTS])
    with pytest.raises(ValueError, match=r"--oaa.*more than one weight"):
        coefficients_from(tmp_path / "m")


def test_a_feature_in_the_place_of_the_constant_is_refused(tmp_path: Path) -> None:
    run(f"-b 2 --invert_hash {tmp_path / 'm'}", EVENTS)
    with pytest.raises(ValueError, match=r"shares the weight of the constant.*more bits"):
        coefficients_from(tmp_path / "m")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m"
    run(f"--invert_hash {path}", EVENTS)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:6]))
    with pytest.raises(ValueError, match="cut short"):
        coefficients_from(path)
    path.write_text("\n".join([*lines, "user^z:12"]))
    with pytest.raises(ValueError, match="'user\\^z:12' is not name:hash:weight"):
        coefficients_from(path)
