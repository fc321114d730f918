"""Files of every format: what is scanned is what the format makes of each line by itself."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving import settings_for
from test_rows import reader_of, told

from streamlasso_service.config import FileConfig
from streamlasso_service.file_source import FileSource
from streamlasso_service.rows import Rows

rng = random.Random(5)
VOWPAL = [
    f"{rng.choice((1, -1))} {rng.choice(('', '2 ', '0.5 '))}t{i}|a x:{rng.random():.3f} "
    f"y=c{rng.randrange(9)} |b z{rng.randrange(50)}"
    for i in range(200)
] + ["1 | a a", "no label | b", "| c d:2", "1 |n:2 e:-0.5\tf", "1 2 3 | base"]
SVMLIGHT = [
    f"{rng.choice((1, 0))} {rng.randrange(1, 9)}:{rng.random():.4f} {rng.randrange(9, 99)}:1"
    for _ in range(200)
] + ["# all of it", "1 qid:3 5:1 # a comment", "1 3:1 3:2", "1 x:y", "  0 7:1e400", "1"]
CSV = [
    "id,target,importance,shop,price,when",
    *(
        f"{i},{rng.choice((1, 0))},{rng.choice((1, 2, ''))},s{rng.randrange(9)},{rng.random()},"
        for i in range(200)
    ),
    '7,1,1,"a, b",2,',
    "8,1,1,\"s1\",3,", "9,1,1,s2,word,", "10,1", "11,0,,NA,,", '12,1,1,"x""y",1,',
]  # fmt: skip
FILES = {"a.vw": VOWPAL, "a.svm": SVMLIGHT, "a.csv": CSV}
FEATURES: list[dict[str, Any]] = [{}, {"ignore": ["when"], "categorical": ["pri*"]}]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("features", FEATURES, ids=["auto", "patterns"])
def test_scanned_rows_are_those_of_the_lines_one_by_one(
    tmp_path: Path, name: str, features: dict[str, Any]
) -> None:
    path = tmp_path / name
    path.write_text("\n".join(FILES[name]) + "\n", encoding="utf-8")
    settings = settings_for(tmp_path / "s", path, model={"rule": "ftrl"}, features=features)
    fast, slow = reader_of(settings), reader_of(settings)
    source = FileSource(FileConfig(paths=[str(path)]))
    source.start({})
    scanned = 0
    while not source.finished:
        for block in source.poll(0, 64).blocks:
            one, other = fast[0].read(block), slow[0]._each(block)
            results = [
                told(decoded, decoded.learn(learner, encoder))
                for decoded, (_, learner, encoder) in ((one, fast), (other, slow))
            ]
            assert results[0] == results[1]
            scanned += isinstance(one, Rows)
    assert bool(scanned) is (not features or name == "a.csv")
    assert fast[1].index.entries() == slow[1].index.entries()
    assert np.array_equal(fast[1].state, slow[1].state)
