"""The bound of the aligned error through Gram matrices (DK-M4), for e = 1.

Derivation. Lemma 5.4 of Tu et al. (2016, TBSSR16): for n x d matrices A and C, C of rank d with least singular value
sigma_d, min_W ||A W - C||_F^2 <= ||AA' - CC'||_F^2 / (2 (sqrt 2 - 1) sigma_d^2). Take A = Psi^ and C = Psi: AA' =
B^_(d), the best rank-d part of B^, and CC' = B when rank(B) <= d. With Y = c H mu and F = c H E, B^ - B = Y F' + F Y' +
F F', so ||B^ - B||_F <= 2 sqrt(lambda_1) ||F||_F + ||F||_F^2. Finally ||B^_(d) - B||_F <= k ||B^ - B||_F, with k = 1
where d >= rank(B^) and k = (1 + sqrt 5)/2 elsewhere, by the truncation lemma of dkps_theory.bounds.perspective.

DK-M8 is never worse: k ||F||_F against at least k 2.19 sqrt(lambda_1 / lambda_d) ||F||_F.
"""

from __future__ import annotations

import math

from dkps_theory._validate import finite, require


def gram_noise_bound(*, noise: float, lambda_1: float) -> float:
    """Return 2 sqrt(lambda_1) noise + noise^2, which bounds ||B^ - B||_F for noise = c||HE||_F.

    Parameters
    ----------
    noise
        c||HE||_F or a bound of it, at least 0.
    lambda_1
        Largest eigenvalue of B, at least 0.

    Raises
    ------
    InputError
        When one of them is negative or not finite.

    Examples
    --------
    >>> gram_noise_bound(noise=0.5, lambda_1=4.0)
    2.25
    """
    size, top = _at_least_zero("noise", noise), _at_least_zero("lambda_1", lambda_1)
    return 2 * math.sqrt(top) * size + size**2


def dk_m4_bound(*, noise: float, lambda_1: float, lambda_d: float, k: float) -> float:
    """Return DK-M4's bound of min_W ||Psi^ W - Psi||_F, rank(B) <= d.

    Parameters
    ----------
    noise
        c||HE||_F or a bound of it.
    lambda_1, lambda_d
        Eigenvalues of B, lambda_1 >= lambda_d > 0.
    k
        :func:`~dkps_theory.bounds.factor_constant`: 1 where d >= rank(B^), else the golden ratio.

    Raises
    ------
    InputError
        When a number is out of its range.

    Examples
    --------
    >>> round(dk_m4_bound(noise=0.1, lambda_1=4.0, lambda_d=1.0, k=1.0), 6)
    0.45046
    """
    first, last = _at_least_zero("lambda_1", lambda_1), _at_least_zero("lambda_d", lambda_d)
    require(0 < last <= first, f"lambda_d: got {last:g} with lambda_1 = {first:g}; it must be above 0 and at most that")
    constant = float(finite("k", k))
    require(constant >= 1, f"k: got {constant:g}; it must be 1 or the golden ratio")
    return constant * gram_noise_bound(noise=noise, lambda_1=first) / math.sqrt(2 * (math.sqrt(2) - 1) * last)


def _at_least_zero(name: str, value: float) -> float:
    number = float(finite(name, value))
    require(number >= 0, f"{name}: got {number:g}; it must be at least 0")
    return number
