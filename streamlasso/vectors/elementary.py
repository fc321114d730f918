"""The exponential and the logarithm by lane: the same bits in every lane, kernel and machine.

Both are within 1 unit in the last place of the true value (2 at most were allowed; a test measures
it). exp: e^x = 2^k·e^r with k the whole number nearest x/ln 2 and |r| ≤ ½ ln 2, e^r by its Taylor
series to r^13. log: x = 2^k·(1 + f) with √½ ≤ 1 + f < √2 and, with s = f/(2 + f),

    log(1 + f) = f − ½f² + s·(½f² + R(s²)),   R(z) = Σ 2z^i/(2i + 1)

the arrangement of W. J. Cody and W. Waite (Software Manual for the Elementary Functions, 1980) and
of fdlibm's ``e_log.c``, with the plain series in place of fitted coefficients.
"""

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from streamlasso.vectors.arithmetic import fused_step

__all__ = ["exponential", "logarithm"]

MOST = 708.0
"""`exponential` cuts its argument to ± this, where results are normal numbers."""
EXPONENT = tuple(1.0 / math.factorial(i) for i in range(2, 14))
ATANH = tuple(2.0 / (2 * i + 1) for i in range(1, 11))
LN2_HIGH = float.fromhex("0x1.62e42feep-1")  # 20 trailing zeros: k times it is exact
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
MAGIC = 1.5 * 2.0**52  # adding it leaves the nearest whole number in the low bits
MANTISSA = 52
ROOT_HALF_BITS = 0x3FE6A09E667F3BCD
MAGIC_BITS = 0x4338000000000000


class _Lanes:
    """Instructions on vectors of one width; numbers are spread."""

    def __init__(self, builder: Any, kind: Any) -> None:
        self.builder, self.kind = builder, kind
        self.whole = ir.VectorType(ir.IntType(64), kind.count)

    def number(self, value: float) -> Any:
        return ir.Constant(self.kind, [value] * self.kind.count)

    def bits(self, value: int) -> Any:
        return ir.Constant(self.whole, [value] * self.kind.count)

    def fused(self, a: Any, b: Any, c: Any) -> Any:
        return fused_step(self.builder, a, b, c)

    def series(self, z: Any, coefficients: Sequence[float]) -> Any:
        """Σ c_i·z^i, pairs first: half as long a chain as one term after the other."""
        terms = [self.number(c) for c in coefficients]
        while len(terms) > 1:
            pairs = [self.fused(z, b, a) for a, b in zip(terms[::2], terms[1::2], strict=False)]
            terms = pairs + terms[len(terms) - len(terms) % 2 :]
            z = self.builder.fmul(z, z)
        return terms[0]


def _exponential(lanes: _Lanes, x: Any) -> Any:
    build = lanes.builder
    for sign, bound in ((">", MOST), ("<", -MOST)):
        beyond = build.fcmp_ordered(sign, x, lanes.number(bound))
        x = build.select(beyond, lanes.number(bound), x)
    magic = lanes.number(MAGIC)
    shifted = lanes.fused(x, lanes.number(1 / math.log(2)), magic)
    k = build.fsub(shifted, magic)
    r = lanes.fused(k, lanes.number(-LN2_HIGH), x)
    r = lanes.fused(k, lanes.number(-LN2_LOW), r)
    tail = build.fmul(build.fmul(r, r), lanes.series(r, EXPONENT))
    power = build.fadd(lanes.number(1.0), build.fadd(r, tail))
    whole = build.shl(build.bitcast(shifted, lanes.whole), lanes.bits(MANTISSA))
    return build.bitcast(build.add(build.bitcast(power, lanes.whole), whole), lanes.kind)


def _logarithm(lanes: _Lanes, x: Any) -> Any:
    build = lanes.builder
    bits = build.bitcast(x, lanes.whole)
    away = build.sub(bits, lanes.bits(ROOT_HALF_BITS))
    k = build.ashr(away, lanes.bits(MANTISSA))
    one = build.bitcast(build.sub(bits, build.shl(k, lanes.bits(MANTISSA))), lanes.kind)
    whole = build.bitcast(build.add(k, lanes.bits(MAGIC_BITS)), lanes.kind)
    whole = build.fsub(whole, lanes.number(MAGIC))
    f = build.fsub(one, lanes.number(1.0))
    s = build.fdiv(f, build.fadd(f, lanes.number(2.0)))
    z = build.fmul(s, s)
    half = build.fmul(lanes.number(0.5), build.fmul(f, f))
    rest = build.fmul(z, lanes.series(z, ATANH))
    low = build.fmul(whole, lanes.number(LN2_LOW))
    inner = lanes.fused(s, build.fadd(half, rest), low)
    inner = build.fsub(build.fsub(half, inner), f)
    return build.fsub(build.fmul(whole, lanes.number(LN2_HIGH)), inner)


@intrinsic
def exponential(typing_context: Any, vector: Any) -> Any:
    """e^x by lane, of x cut to ±`MOST`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _exponential(_Lanes(builder, arguments[0].type), arguments[0])

    return vector(vector), generate


@intrinsic
def logarithm(typing_context: Any, vector: Any) -> Any:
    """log x by lane, of normal numbers above 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _logarithm(_Lanes(builder, arguments[0].type), arguments[0])

    return vector(vector), generate
