"""The benchmark of quality: rows as described, peers that are the peers. Nothing is timed."""

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import servers

from benchmarks import bench_quality, plot_quality
from benchmarks.quality_peers import PEERS, run_peers
from benchmarks.quality_rows import FIRST, Rows, Table
from benchmarks.quality_score import Result, best, losses, measured, read_results, write_results
from benchmarks.quality_sets import GROUPS, SETS, load
from benchmarks.quality_sgd import SGD

PAGE = servers.REPOSITORY / "docs" / "quality.md"


def random_rows(task: str = "binary", rows: int = 120) -> Rows:
    random = np.random.default_rng(0)
    X = random.standard_normal((rows, 6)) * (random.random((rows, 6)) < 0.6)
    y = X @ [2.0, -1.0, 0, 0, 0, 0.5] + random.standard_normal(rows)
    targets = {"binary": y > 0, "regression": 40 + 5 * y, "classes": (y > 0) * 1 + (y > 1)}[task]
    return Table("raw").numbered(X).rows(task, targets, sparse=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [f"{i % 7},{i % 2},{i},{i * i},0.5,0.5,0.5,0.5,{'UP' if i % 3 else 'DOWN'}"
             for i in range(60)]  # fmt: skip
    head = "date,day,period,nswprice,nswdemand,vicprice,vicdemand,transfer,class"
    (tmp_path / "elec2.csv.gz").write_bytes(gzip.compress("\n".join([head, *lines]).encode()))
    text = "label,I1,I2,C1,C2\n1,0,,aa,bb\n0,-3,7,,cc\n"
    (tmp_path / "criteo_sample.csv.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


def test_rows_are_as_described(folder: Path) -> None:
    first, second = SETS["criteo"](folder).dicts()
    assert first == {"I1": 0.0, "C1=aa": 1.0, "C2=bb": 1.0}
    assert second == {"I1": -math.log(4), "I2": math.log(8), "C2=cc": 1.0}
    assert list(SETS["criteo, raw"](folder).dicts())[1]["I1"] == -3.0
    rows = load("elec2", folder)
    assert rows is load("elec2", folder)
    assert rows.dense
    assert rows.targets.tolist() == [float(i % 3 > 0) for i in range(60)]
    table = np.array([[x["period"], x["nswprice"]] for x in rows.dicts()])
    assert np.allclose(table.mean(axis=0), 0)
    assert np.allclose(table.std(axis=0), 1)
    moved = [x["period"] for x in SETS["elec2, shifted"](folder).dicts()]
    assert np.allclose(table[:, 0] + 30, moved)
    assert [x["day=1"] for x in rows.first(4).dicts() if "day=1" in x] == [1.0, 1.0]


def test_rows_can_be_put_in_order_and_to_length() -> None:
    rows = random_rows()
    again = rows.shuffled(0)
    assert sorted(map(str, again.dicts())) == sorted(map(str, rows.dicts()))
    assert not np.array_equal(again.targets, rows.targets)
    whole = np.array([sum(v * v for v in x.values()) for x in rows.unit_length().dicts()])
    assert np.allclose(whole[whole > 0], 1)


def test_seeded_streams_are_the_same_each_time() -> None:
    for name in ("seeded, sparse", "seeded, heavy tails", "seeded, drift", "seeded, shift 3"):
        one, other = SETS[name](Path()), SETS[name](Path())
        assert np.array_equal(one.values, other.values)
        assert np.array_equal(one.targets, other.targets)
    assert abs(load("seeded, shift 3", Path()).values.mean() - 3) < 0.1


@pytest.mark.parametrize(
    ("penalty", "dense"),  # L1 on dense rows shrinks what is absent, too
    [
        (None, False),
        ("l1", False),
        ("l2", False),
        ("elasticnet", False),
        (None, True),
        ("l2", True),
    ],
)
@pytest.mark.parametrize("rate", ["constant", "optimal", "invscaling"])
def test_the_compiled_pass_is_scikit_learns(rate: str, penalty: str | None, dense: bool) -> None:
    from scipy.sparse import csr_array
    from sklearn.linear_model import SGDClassifier

    rows = random_rows()
    how: dict[str, Any] = {"learning_rate": rate, "eta0": 0.1, "power_t": 0.4, "alpha": 0.01}
    X = csr_array((rows.values, rows.slots.astype(np.int32), rows.indptr.astype(np.int32)))
    model = SGDClassifier(loss="log_loss", shuffle=False, penalty=penalty, **how)
    model.partial_fit(X.toarray() if dense else X, rows.targets, classes=[0, 1])
    setting = SGD(penalty=penalty, decay=1.0 if dense else 0.01, **how)
    scores, weights, intercept = setting.run(rows, rows.targets, logistic=True)
    assert np.allclose(weights, model.coef_[0], rtol=1e-9)
    assert np.allclose(intercept, model.intercept_, rtol=1e-9)
    head = setting.run(rows.first(100), rows.targets[:100], logistic=True)
    x = rows.values[rows.indptr[100] : rows.indptr[101]]
    at = rows.slots[rows.indptr[100] : rows.indptr[101]]
    assert math.isclose(scores[100], head[1][at] @ x + head[2], rel_tol=1e-9)


def test_losses_are_progressive_means() -> None:
    rows = random_rows("regression")
    found = measured(rows, rows.targets + 2.0, "peer", "", 3, 0.5)
    assert math.isclose(found.loss, 2.0)
    assert found.curve is not None
    assert (found.curve[0][0], found.curve[-1][0]) == (60, 120)
    rows = random_rows()
    assert math.isclose(losses(rows, np.zeros(120)).mean(), math.log(2))
    assert measured(rows, 100 * (2 * rows.targets - 1), "", "", 0, 0).accuracy == 1.0
    rows = random_rows("classes")
    assert math.isclose(losses(rows, np.full((120, 3), 1 / 3)).mean(), math.log(3))


@pytest.mark.parametrize("task", ["binary", "regression", "classes"])
def test_every_peer_runs_its_grid(task: str, tmp_path: Path) -> None:
    pytest.importorskip("vowpalwabbit")
    rows, results = random_rows(task), {}
    run_peers("some", rows, results, list(PEERS), tmp_path / "peers.json")
    constant = np.log(3) if task == "classes" else np.log(2)
    constant = rows.targets[50:].std() if task == "regression" else constant
    for system in PEERS:
        listed = [one for one in results["some"] if one.system == system]
        assert len({one.setting for one in listed}) == len(listed)
        assert best(listed).loss < constant, system
    again = read_results(tmp_path / "peers.json")["some"]
    assert [one.loss for one in again] == [one.loss for one in results["some"]]
    assert sum(one.curve is not None for one in again) == len(PEERS)


def test_a_set_that_is_missing_says_which_file(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--data", str(folder), "--rows", "60", "--only", "elec2", "--only", "amazon"]
    assert bench_quality.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    [missing] = [line for line in lines if line.startswith("| amazon | missing")]
    assert "amazon_access.csv.gz" in missing
    monkeypatch.delenv("STREAM_DATA", raising=False)
    with pytest.raises(SystemExit):
        bench_quality.main([])
    assert "set STREAM_DATA or give --data" in capsys.readouterr().err


def test_the_sets_are_those_documented(shared_data: Path) -> None:
    missing = [name for name in ("elec2", "criteo") if not any(shared_data.glob(f"{name}*"))]
    if missing:
        servers.unavailable(f"data sets: {', '.join(missing)}")
    assert (len(load("elec2", shared_data)), len(load("criteo", shared_data))) == (45312, 8000)
    rows = load("elec2", shared_data).first(300)
    served = bench_quality.ours(rows)[0]
    assert served.loss < math.log(2)
    assert served.active is not None
    assert rows.slots.min() == FIRST


def test_the_page_has_every_set_and_both_pictures(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for sets in GROUPS.values():
        for name in sets:
            assert f"\n| {name} | " in text, name
    for picture in ("quality_events", "quality_sparsity"):
        assert f"](plots/{picture}.png)" in text
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    bench_quality.write_page(page, ["new"])
    assert page.read_text(encoding="utf-8").endswith("## Measured\n\nnew\n")


def test_pictures_are_drawn_from_what_was_kept(tmp_path: Path) -> None:
    curve = [[10, 0.7], [100, 0.6], [1000, 0.5]]
    peers = {name: [Result(system, "", 0.5, 0.7, 30, 1.0, curve) for system in PEERS]
             for name in SETS}  # fmt: skip
    levels = [
        Result("level", f"{worth}", 0.5 + worth, None, int(1 / worth), 0.0) for worth in (0.01, 0.1)
    ]
    our = {name: [Result("served", "", 0.4, 0.8, 9, 1.0, curve), *levels] for name in SETS}
    write_results(tmp_path / "ours.json", our)
    our = read_results(tmp_path / "ours.json")
    for draw in (plot_quality.draw_events, plot_quality.draw_sparsity):
        assert draw(peers, our, tmp_path).stat().st_size < 100_000
