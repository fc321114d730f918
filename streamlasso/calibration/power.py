"""A correction with two parameters, learned by an online Newton step of bounded memory."""

import math

from streamlasso.checks import real

__all__ = ["LIKELIHOODS", "PowerLaw"]

# Probabilities beyond carry no more information, and log p stays finite.
EDGE = 1e-6

# κ ≤ 0 would turn the order of the events around, which is never a matter of calibration.
LEAST_KAPPA = 0.05

# Prior standard deviations of log γ and κ around the identity: a factor e, and half a power.
SPREAD_LOG_GAMMA, SPREAD_KAPPA = 1.0, 0.5

# One event multiplies the probability (the odds) at its own place by e at most.
LONGEST_STEP = 1.0

# The Poisson law may not take the probability of the other class below this share of the model's.
LEAST_SHARE = 0.1

LIKELIHOODS = ("poisson", "logistic")


class PowerLaw:
    """τ = γ·p^κ, on the odds or on the probability, starting at the identity γ = κ = 1.

    The linear predictor is η = log γ + κ·u, and θ = (log γ, κ) is learned from (p, y):

    * ``"poisson"``: u = log p, τ = e^η = γ·p^κ, as in the paper, made for rare positives. Near
      p = 1 it must be cut off: at 1 − (1−p)/10, so that the other class keeps a tenth of its
      probability at least.
    * ``"logistic"``: u = log(p/(1−p)), τ = 1/(1+e^(−η)): the odds are γ·odds^κ. Where positives
      are rare this is the law above, where they are frequent the same law for the negatives, so
      take it there. Leaving out negatives at random is undone exactly, by γ = the share kept and
      κ = 1. (A logistic regression on log p itself could not be the identity.)

    Learning: with the loss l(η) = e^η − yη or log(1+e^η) − yη, curvature h = l″ and importance w,
    each event minimises

        Σ_s f^(t−s)·w_s·l_s(η_s) + ½(θ−θ₀)ᵀP₀(θ−θ₀),  f = 2^(−1/half_life), θ₀ = (0, 1)

    where past losses are replaced by their parabolas: A = Σ f^(t−s) w h x xᵀ, x = (1, u), and b in
    the same way, so that θ − θ₀ = (P₀+A)⁻¹b. The event's own loss is kept exact: η solves the
    scalar equation η + s·w·l′(η) = η_before with s = xᵀ(P₀+A)⁻¹x, and its parabola is taken there.
    That is a Kalman filter whose observation is linearised where the filter ends up. A plain
    Newton step takes the curvature where it starts: one positive at p = 10⁻⁶ would throw κ to −2.
    Nor may a single event move its own η by more than 1: outliers are common, drifts repeat.

    The prior P₀ is not forgotten, so that parameters on which the stream is silent return to the
    identity instead of drifting, and the memory is five numbers. A model that is calibrated
    already pays about ½·log(events) per parameter in total log loss until it forgets,
    and about 0.7/half_life per event once it forgets.

    Parameters
    ----------
    likelihood
        ``"poisson"`` or ``"logistic"``.
    half_life
        Events after which an event counts half; infinite for a stream without drift.

    Examples
    --------
    >>> law = PowerLaw()
    >>> law.transform(0.3)
    0.3
    >>> for i in range(1000):
    ...     law.learn(0.5, float(i % 10 == 0))
    >>> round(law.transform(0.5), 1)
    0.1

    References
    ----------
    H. B. McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013, section 7.1.
    J. Platt, "Probabilistic outputs for support vector machines", 1999 (the law on the odds).
    B. Bell, F. Cathey, "The iterated Kalman filter update as a Gauss-Newton method", IEEE
    Transactions on Automatic Control 38, 1993.
    """

    def __init__(self, likelihood: str = "poisson", half_life: float = 10_000.0) -> None:
        if likelihood not in LIKELIHOODS:
            raise ValueError(f"likelihood = {likelihood!r} must be one of {', '.join(LIKELIHOODS)}")
        if not real("half_life", half_life, "math.inf forgets nothing") > 0:
            raise ValueError(f"half_life = {half_life!r} must be > 0 events, or math.inf")
        self.likelihood = likelihood
        self.half_life = half_life
        self._keep = 2.0 ** (-1.0 / half_life)
        self._a = (0.0, 0.0, 0.0)  # A: its (log γ, log γ), (log γ, κ) and (κ, κ) entries
        self._b = (0.0, 0.0)
        self._theta = (0.0, 1.0)

    @property
    def gamma(self) -> float:
        """The factor γ; 1 before the first event."""
        return math.exp(self._theta[0])

    @property
    def kappa(self) -> float:
        """The exponent κ, kept above 0; 1 before the first event."""
        return max(self._theta[1], LEAST_KAPPA)

    def transform(self, p: float) -> float:
        """The corrected probability."""
        log_gamma, kappa = self._theta[0], self.kappa
        if log_gamma == 0.0 and kappa == 1.0:
            return p
        p = min(max(p, EDGE), 1.0 - EDGE)
        eta = log_gamma + kappa * self._feature(p)
        if self.likelihood == "logistic":
            return min(max(_sigmoid(eta), EDGE), 1.0 - EDGE)
        return max(min(math.exp(min(eta, 0.0)), 1.0 - LEAST_SHARE * (1.0 - p)), EDGE)

    def learn(self, p: float, target: float, importance: float = 1.0) -> None:
        """Learn from a prediction p, made before its outcome 0 or 1 was known."""
        if not importance > 0:
            return
        u = self._feature(min(max(p, EDGE), 1.0 - EDGE))
        keep = self._keep
        a00, a01, a11 = (keep * entry for entry in self._a)
        b0, b1 = (keep * entry for entry in self._b)
        # P = P₀ + A, and (s₀, s₁) = P⁻¹x
        p00, p01, p11 = a00 + SPREAD_LOG_GAMMA**-2, a01, a11 + SPREAD_KAPPA**-2
        determinant = p00 * p11 - p01 * p01
        s0, s1 = (p11 - p01 * u) / determinant, (p00 * u - p01) / determinant
        # η before the event: u + xᵀP⁻¹b, since xᵀθ₀ = u
        before = u + s0 * b0 + s1 * b1
        eta = self._solve(before, (s0 + s1 * u) * importance, target)
        h = importance * self._mean(eta)[1]
        pull = (eta - before) / (s0 + s1 * u)  # −w·l′(η), unless the step was cut short
        # b gains x·(h·xᵀ(θ−θ₀) − w·l′)
        gain = h * (eta - u) + pull
        self._a = (a00 + h, a01 + h * u, a11 + h * u * u)
        self._b = (b0 + gain, b1 + gain * u)
        self._theta = (
            (p11 * b0 - p01 * b1) / determinant + s0 * pull,
            1.0 + (p00 * b1 - p01 * b0) / determinant + s1 * pull,
        )

    def _feature(self, p: float) -> float:
        return math.log(p / (1.0 - p)) if self.likelihood == "logistic" else math.log(p)

    def _mean(self, eta: float) -> tuple[float, float]:
        """Mean and curvature; the loss's slope is mean − target."""
        if self.likelihood == "logistic":
            mean = _sigmoid(eta)
            return mean, mean * (1.0 - mean)
        mean = math.exp(min(eta, 50.0))
        return mean, mean

    def _solve(self, before: float, scale: float, target: float) -> float:
        """The root of η + scale·(mean(η) − target) = before, which grows in η."""
        # The root lies between the start and an explicit step.
        step = scale * (target - self._mean(before)[0])
        step = min(max(step, -LONGEST_STEP), LONGEST_STEP)
        low, high = min(before, before + step), max(before, before + step)
        eta = before
        for _ in range(60):
            mean, curvature = self._mean(eta)
            error = eta - before + scale * (mean - target)
            if error > 0:
                high = eta
            else:
                low = eta
            newton = eta - error / (1.0 + scale * curvature)
            following = min(max(newton, low), high)
            if abs(following - eta) <= 1e-12 * (1.0 + abs(eta)):
                return following
            eta = following
        return eta


def _sigmoid(eta: float) -> float:
    if eta >= 0:
        return 1.0 / (1.0 + math.exp(-eta))
    return math.exp(eta) / (1.0 + math.exp(eta))
