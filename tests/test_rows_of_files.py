"""Files of every format, scanned at once or line by line: the same rows, slots, ids, bad ones."""

import random
from pathlib import Path
from typing import Any

import pytest
from serving import settings_for
from test_rows import reader_of, told

from streamlasso_service.file_source import FileSource
from streamlasso_service.records import Block
from streamlasso_service.rows import Rows

WORDS = ["news", "shop", "caf\xe9", "a b", "", "NA", 'say "hi"', "x=y", "\u20ac"]


def number(rng: random.Random) -> str:
    return rng.choice([f"{rng.gauss(0, 1):.3f}", str(rng.randrange(50)), "1e-3", "-0", "+.5"])


def table(rng: random.Random) -> list[str]:
    rows = ["id,target,importance,site,hour,c1"]
    for i in range(300):
        word = rng.choice(WORDS)
        quoted = '"' + word.replace('"', '""') + '"' if '"' in word or rng.random() < 0.2 else word
        cells = [f"k{i}", rng.choice("011"), rng.choice(["", "0", "2.5"]), quoted, number(rng),
                 str(rng.randrange(9))]  # fmt: skip
        rows.append(",".join(cells))
    return [*rows, "short,1", 'k,1,1,"open,1,1', "k,7,1,a,1,1", "k,1,1,a,word,2"]


def vowpal(rng: random.Random) -> list[str]:
    lines = []
    for i in range(300):
        words = [f"w{rng.randrange(40)}" for _ in range(5)]
        values = [f"v{rng.randrange(5)}:{number(rng)}" for _ in range(2)]
        head = rng.choice(["1 ", "-1 ", "", f"1 2 'k{i} ", f"'k{i}"])
        lines.append(f"{head}|s {' '.join(words)} |\xe9:{number(rng)} {' '.join(values)}")
    return [*lines, "1 | a:x", "no bar", "2 |s a", "1 0 |s new1", "1 |s a a new2", "1 2 1 | a"]


def svmlight(rng: random.Random) -> list[str]:
    lines = [
        f"{rng.choice(['+1', '-1'])} qid:3 "
        + " ".join(f"{j}:{number(rng)}" for j in sorted(rng.sample(range(1, 60), 5)))
        + rng.choice(["", " # note"])
        for _ in range(300)
    ]
    return [*lines, "1 1:nan 70:1", "1 1:1 1:2 71:1", "2 1:1", "x 1:1", "1 1"]


FORMATS = {"a.csv": table, "a.vw": vowpal, "a.svm": svmlight}


def blocks(path: Path, settings: Any) -> list[Block]:
    source = FileSource(settings.file, event=settings.event)
    source.start({})
    found = []
    while not source.finished:
        found += source.poll(0.0, 97).blocks
    return found


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "features", [{}, {"categorical": ["c?"], "log1p": ["hour"], "prefix": {"s*": "of "}}], ids=str
)
def test_scanned_files_are_those_line_by_line(
    tmp_path: Path, name: str, features: dict[str, Any]
) -> None:
    path = tmp_path / name
    path.write_text("\n".join(FORMATS[name](random.Random(3))))
    settings = settings_for(tmp_path, path, model={"rule": "ftrl"}, features=features)
    fast, slow = reader_of(settings), reader_of(settings)
    scanned = name == "a.csv" or not features
    for block in blocks(path, settings):
        decoded = [fast[0].read(block), slow[0]._each(block)]
        results = [
            told(one, one.learn(learner, encoder))
            for one, (_, learner, encoder) in zip(decoded, (fast, slow), strict=True)
        ]
        assert results[0] == results[1]
        assert isinstance(decoded[0], Rows) is scanned
    assert fast[1].index.entries() == slow[1].index.entries()
    assert fast[1].state.tobytes() == slow[1].state.tobytes()
