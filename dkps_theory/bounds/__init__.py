"""Bounds and exact finite-r moments: functions of population scalars only, never of a sample."""

from dkps_theory.bounds.dissimilarity import (
    debiased_variance,
    squared_dissimilarity_mean,
    squared_dissimilarity_variance,
)
from dkps_theory.bounds.perspective import GOLDEN_RATIO, factor_constant, root_mean_square_noise
from dkps_theory.bounds.published import (
    a24_mean_error_tail,
    a25_gram_tail,
    a25_perspective_bound,
    a25_perspective_constants,
)

__all__ = [
    "GOLDEN_RATIO",
    "a24_mean_error_tail",
    "a25_gram_tail",
    "a25_perspective_bound",
    "a25_perspective_constants",
    "debiased_variance",
    "factor_constant",
    "root_mean_square_noise",
    "squared_dissimilarity_mean",
    "squared_dissimilarity_variance",
]
