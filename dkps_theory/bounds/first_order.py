r"""The first-order bound of the aligned error (DK-M9), for e = 1: deterministic, in terms of norms of the noise.

Setting. Y = c H mu = U S V' of rank at most d (n x N, N = m p), sigma = sqrt(lambda_d) its d-th singular value, F =
c H E, Y^ = Y + F, with Y^_d = U^ S^ V^' its d leading singular parts; P = VV', P^ = V^V^', Q = UU', Q^ = U^U^'. Then
Psi = Y V and Psi^ = Y^ V^ up to orthogonal maps. Let V^'V = A C B' be a singular value decomposition (C the cosines of
the principal angles, s their sines) and W = A B'. Everything starts from

    Y^ V^ W - Y V = F V + Y^ (V^ W - V) = F V + U^ T - G,      T = S^ (W - V^'V),   G = (I - Q^) Y^ V,               (1)

because the part of Y^ outside V^ is (I - Q^) Y^. T and G have orthogonal ranges, so ||Y^ V^ W - Y V|| <= ||F V|| +
sqrt(||T||^2 + ||G||^2) in the Frobenius and in the spectral norm, and a row moves by at most max_i ||e_i'F V|| plus the
spectral remainder.

T. Let Z = U^'F (I - P). As Y (I - P) = 0, S^ V^'(I - P) = U^'Y^ (I - P) = Z. The left side has the singular vectors of
the angles: V^'(I - P) = A s (..)', and W - V^'V = A (1 - C) B' = A s (s / (1 + C)) B', so in both norms

    ||T|| <= ||Z|| h / (1 + sqrt(1 - h^2)),      h = min(1, ||Z||_2 / s_d) >= max s,                                 (2)

for any s_d <= sigma^_d. As sigma^_d >= sigma_d(U'Y^ V) = sigma_d(S + U'F V), s_d = sigma - ||U'F V||_2 will do. Where
eps = ||F||_2 < sigma / 2, max s is also at most sin(arcsin(2 eps / sigma) / 2), the sharp bound in terms of eps alone
(claim CL-WEDIN/sharp); h is the less of the two.

G, first form. G = U^~ S^~ V^~'V (what lies beyond d), so ||G|| <= sigma^_(d+1) ||s|| with sigma^_(d+1) <= ||F||_2 and
||s|| <= ||Z|| / s_d. With ||Z||_2 <= ||F||_2 = eps and s_d = sigma - eps this is DK-M9 as first stated,

    ||Y^ V^ W - Y V||_F <= ||F V||_F + eps sqrt(d) a sqrt(1 + (1 + sqrt(1 - a^2))^(-2)),                             (3)

with a = min(1, eps/(sigma - eps)). No condition on eps is needed: where eps >= sigma / 2, a = 1. At most min(d, N - d)
angles are not 0.

G, second form. Let D = (I - Q^) Y V = (I - Q^) U S. From B^ U = U S^2 + (Y F' + F Y' + F F') U and (I - Q^) B^ = B^~
(I - Q^), with B^~ the part of B^ beyond d, and for any number tau (the terms in tau cancel on both sides),

    D (I + V'F'U S^-1) - (B^~ - tau) D S^-2 = -(I - Q^) {F V + (F F' - tau H) U S^-1},     G = D + (I - Q^) F V.

So with theta = ||U'F V||_2 / sigma + max(eps^2 - tau, tau) / sigma^2 < 1, tau >= 0,

    ||D|| <= {||F V|| + ||(F F' - tau H) U|| / sigma} / (1 - theta),
    ||G|| <= ||(F F' - tau H) U|| / sigma + theta ||D||.                                                             (4)

Here lies the gain where N is much larger than n: F F' is then close to a multiple tau of H, which moves eigenvalues but
no eigenvectors, and eps^2 / sigma in (3) is replaced by the deviation of F F' from tau H.

Z once more. ||U^'F (I - P)|| <= ||U'F|| + eps ||(I - Q^) U|| and (I - Q^) U = D S^-1, so ||Z|| <= ||U'F|| + eps ||D|| /
sigma; this helps where n is much larger than N.

Where d >= n - 1 and sigma^_d > 0, U^ spans all that is centred, and D = G = 0.
"""

from __future__ import annotations

import dataclasses
import math

from dkps_theory._validate import finite, require, whole_number


@dataclasses.dataclass(frozen=True)
class NoiseNorms:
    """Norms of the noise that DK-M9 needs, or upper bounds that hold at once; F = c H E, Y = c H mu = U S V'.

    Attributes
    ----------
    first_order, first_order_spectral
        ||F V||_F and ||F V||_2.
    spectral
        eps = ||F||_2.
    core
        ||U'F V||_2.
    left, left_spectral
        ||U'F||_F and ||U'F||_2.
    outside
        ||F (I - P)||_F; ||F||_F will do.
    shift
        tau, from 0 to eps^2, or less where the bounds below allow it.
    shifted, shifted_spectral
        ||(F F' - tau H) U||_F and ||(F F' - tau H) U||_2; with tau = 0, eps ||U'F|| bounds them.
    """

    first_order: float
    first_order_spectral: float
    spectral: float
    core: float
    left: float
    left_spectral: float
    outside: float
    shift: float
    shifted: float
    shifted_spectral: float

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = float(finite(field.name, getattr(self, field.name)))
            require(value >= 0, f"{field.name}: got {value:g}; it must be at least 0")


def dk_m9_remainder(*, spectral: float, sigma: float, d: int) -> tuple[float, float]:
    """Return DK-M9's remainder as first stated, in the Frobenius norm and for a row.

    eps sqrt(d) a sqrt(1 + (1 + sqrt(1 - a^2))^(-2)) with eps = ``spectral`` and a = min(1, eps / (sigma - eps)), and
    the same without sqrt(d). Added to c||HEV||_F and to max_i c||e_i'HEV|| it bounds the aligned error.

    Parameters
    ----------
    spectral
        c||HE||, the spectral norm of the noise, or a bound of it.
    sigma
        sqrt(lambda_d), at least 0.
    d
        Perspective dimension, at least rank(B).

    Raises
    ------
    InputError
        When a number is out of its range.

    Examples
    --------
    >>> tuple(round(part, 5) for part in dk_m9_remainder(spectral=0.1, sigma=1.0, d=4))
    (0.02486, 0.01243)
    """
    eps, gap = float(finite("spectral", spectral)), float(finite("sigma", sigma))
    require(min(eps, gap) >= 0, f"spectral, sigma: got {eps:g} and {gap:g}; both must be at least 0")
    a = _ratio(eps, gap - eps)
    one = eps * math.hypot(a, _half_angle(a))
    return math.sqrt(whole_number("d (perspective dimension)", d, 1)) * one, one


def dk_m9_sharp_remainder(
    norms: NoiseNorms, *, singular_values: tuple[float, ...], n: int, width: int
) -> tuple[float, float]:
    """Return the sharpest remainder of DK-M9 that the derivation gives, in the Frobenius norm and for a row.

    Parameters
    ----------
    norms
        Norms of the noise or bounds of them.
    singular_values
        The d largest of c H mu, largest first; sigma is the last.
    n, width
        Models, and m p.

    Raises
    ------
    InputError
        When there is no singular value, one is negative, or n or the width is not a whole number of at least 1.

    Examples
    --------
    >>> norms = NoiseNorms(0.05, 0.04, 0.1, 0.02, 0.06, 0.05, 0.2, 0.0, 0.006, 0.005)
    >>> remainder = dk_m9_sharp_remainder(norms, singular_values=(2.0, 1.0), n=6, width=5)
    >>> tuple(round(part, 5) for part in remainder)
    (0.00692, 0.00578)
    """
    d, n, width = len(singular_values), whole_number("n (models)", n, 1), whole_number("width", width, 1)
    values = finite("singular_values", singular_values)
    require(d > 0 and values.min(initial=0.0) >= 0, "singular_values: at least one, and each at least 0")
    sigma, eps = float(values[-1]), norms.spectral
    floor = sigma - min(norms.core, eps)  # of sigma^_d
    angles = math.sqrt(max(0, min(d, width - d)))
    spans = d >= n - 1 and floor > 0
    displaced, displaced_spectral, theta = _displaced(norms, sigma)
    if spans:
        displaced = displaced_spectral = 0.0
    z2 = min(eps, norms.left_spectral + _share(_times(eps, displaced_spectral), sigma))
    zf = min(angles * z2, norms.outside, norms.left + _share(_times(eps, displaced), sigma))
    h = min(_ratio(z2, floor), _sine(eps, sigma))
    tf, t2 = zf * _half_angle(h), z2 * _half_angle(h)
    if floor > 0:
        # T = Z Z' S^^(-1) A (1 + C)^(-1) A' W, and sigma^_k >= sigma_k - ||U'F V|| for every k.
        inverse = math.sqrt(sum((value - sigma + floor) ** -2 for value in values.tolist()))
        tf = min(tf, z2**2 * inverse / (1 + math.sqrt(1 - h**2)))
    if spans:
        return tf, t2
    gf = min(eps * min(angles * h, _share(zf, floor)), _share(norms.shifted, sigma) + _times(theta, displaced))
    g2 = min(eps * h, _share(norms.shifted_spectral, sigma) + _times(theta, displaced_spectral))
    return math.hypot(tf, gf), math.hypot(t2, g2)


def _displaced(norms: NoiseNorms, sigma: float) -> tuple[float, float, float]:
    """Return the bounds (4) of ||D||_F and ||D||_2, and theta; infinite where theta is not below 1."""
    if sigma == 0:
        return math.inf, math.inf, math.inf
    eps2 = norms.spectral**2
    theta = norms.core / sigma + max(eps2 - norms.shift, norms.shift) / sigma**2
    if theta >= 1:
        return math.inf, math.inf, theta
    bounds = ((norms.first_order, norms.shifted), (norms.first_order_spectral, norms.shifted_spectral))
    frobenius, spectral = ((first + shifted / sigma) / (1 - theta) for first, shifted in bounds)
    return frobenius, spectral, theta


def _share(part: float, whole: float) -> float:
    """Return part / whole, infinite where the whole is not above 0."""
    return part / whole if whole > 0 else math.inf


def _times(factor: float, size: float) -> float:
    """Return factor * size, infinite where the size is: 0 times a bound that says nothing is no bound."""
    return math.inf if math.isinf(size) else factor * size


def _ratio(part: float, whole: float) -> float:
    """Return min(1, part / whole), 1 where the whole is not above 0."""
    return min(1.0, part / whole) if whole > 0 else 1.0


def _sine(eps: float, sigma: float) -> float:
    """Largest sine of an angle that noise of norm eps turns V by: sin 2 theta <= 2 eps / sigma for eps < sigma / 2."""
    return math.sin(math.asin(2 * eps / sigma) / 2) if 2 * eps < sigma else 1.0


def _half_angle(sine: float) -> float:
    """Tangent of half the angle: sine / (1 + cosine)."""
    return sine / (1 + math.sqrt(1 - sine**2))
