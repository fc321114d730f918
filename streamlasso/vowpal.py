"""Reading the weights of a VowpalWabbit model from the text that ``--invert_hash`` writes.

The text is a header (``Version …``, ``bits:18``, ``options: …``), a line ``:0`` or ``:1`` (with or
without the state to resume from: then lines ``key value``), and one line for each weight::

    namespace^feature:hash:weight [adaptive state …]

A name has no colon on its right that is not one of these two, so lines are read from the right.
``--readable_model`` writes the same without names, and hashes cannot be turned back into names.
"""

import re
from pathlib import Path

from streamlasso.index import Name

__all__ = ["read_vowpal"]

# VowpalWabbit's name of the constant feature: 11650396 before the mask of ``bits``.
CONSTANT, CONSTANT_HASH = "Constant", 11650396

NUMBER = r"-?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)"
NAMED = re.compile(rf"(?P<name>.*):(?P<hash>\d+):(?P<weight>{NUMBER})(?: {NUMBER})*", re.ASCII)
HASHED = re.compile(rf"(?P<hash>\d+):(?P<weight>{NUMBER})(?: {NUMBER})*", re.ASCII)

# Reductions with several weights for each feature, one for each of their inner models.
SEVERAL = re.compile(
    r"--(oaa|ect|csoaa\S*|wap\S*|log_multi|plt|recall_tree|multilabel_oaa|nn|boosting|bs|bootstrap"
    r"|cb\S*|cbify|cats\S*|lrq\S*|rank|new_mf|lda|stagewise_poly|autolink|search\S*|ksvm|svrg"
    r"|automl|baseline|marginal|gdmf|kernel_svm|OjaNewton|interact|active_cover)\b"
)


def read_vowpal(path: Path, *, strip: bool) -> tuple[dict[Name, float], float]:
    """Weights and intercept of a model written by ``vw --invert_hash``.

    score = intercept + Σ weight·value is VowpalWabbit's raw prediction, before its link and before
    it is clipped to the range of the labels seen. With ``--l1`` or ``--l2`` a running model keeps
    its shrinkage aside: every weight, the constant too, counts as l2_state·S(weight, l1_state).
    """
    header, lines = _sections(path)
    options = header.get("options", "")
    several = SEVERAL.search(options)
    if several:
        raise ValueError(
            f"{str(path)!r} was trained with {several[0]}, which has more than one weight for a "
            "feature; a source must be a plain linear model"
        )
    gravity, contraction = float(header.get("l1_state", 0)), float(header.get("l2_state", 1))
    constant_hash = CONSTANT_HASH & ((1 << int(header.get("bits", 18))) - 1)
    weights: dict[Name, float] = {}
    intercept = 0.0
    for line in lines:
        match = NAMED.fullmatch(line)
        if not match or not match["name"]:
            raise _unreadable(path, line)
        stored = float(match["weight"])
        # weight = l2_state·S(stored, l1_state)
        weight = contraction * (stored - max(-gravity, min(gravity, stored)))
        if int(match["hash"]) == constant_hash and "--noconstant" not in options.split():
            if match["name"] != CONSTANT:
                raise ValueError(
                    f"{str(path)!r}: {match['name']!r} shares the weight of the constant, so the "
                    "two cannot be told apart; train with more bits (-b)"
                )
            intercept = weight
            continue
        name = _stripped(match["name"]) if strip else match["name"]
        if name in weights:
            raise ValueError(
                f"{str(path)!r} has the feature {name!r} in two namespaces; use namespaces='keep'"
            )
        weights[name] = weight
    return weights, intercept


def _sections(path: Path) -> tuple[dict[str, str], list[str]]:
    """The header's and the state's entries, and the lines of weights."""
    raw = path.read_bytes()
    if not raw.startswith(b"Version ") or b"\0" in raw:
        raise ValueError(
            f"{str(path)!r} is no text of VowpalWabbit (no first line 'Version …', or binary); "
            "write one with: vw -d data -i model -t --invert_hash model.txt"
        )
    lines = raw.decode("utf-8", "surrogateescape").rstrip("\n").split("\n")
    try:
        start = next(i for i, line in enumerate(lines) if line in (":0", ":1"))
    except StopIteration:
        raise ValueError(
            f"{str(path)!r} has no line ':0' or ':1' before its weights; the file is cut short"
        ) from None
    header = dict(line.split(":", 1) for line in lines[:start] if ":" in line)
    body = start + 1
    if lines[start] == ":1":
        while body < len(lines) and not (
            NAMED.fullmatch(lines[body]) or HASHED.fullmatch(lines[body])
        ):
            key, _, value = lines[body].rpartition(" ")
            header[key] = value
            body += 1
    return header, lines[body:]


def _unreadable(path: Path, line: str) -> ValueError:
    if HASHED.fullmatch(line) or line.startswith(":"):
        return ValueError(
            f"{str(path)!r} holds a hash without a name: {line!r}; write the model with "
            "--invert_hash model.txt (not --readable_model), over data in which every feature "
            "occurs: vw -d data -i model -t --invert_hash model.txt"
        )
    return ValueError(f"{str(path)!r}: {line!r} is not name:hash:weight")


def _stripped(name: str) -> str:
    """The name without its namespace; of an interaction, each part without its own."""
    return "*".join(part.partition("^")[2] or part for part in name.split("*"))
