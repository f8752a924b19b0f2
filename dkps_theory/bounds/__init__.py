"""Bounds and exact finite-r moments: functions of population scalars only, never of a sample."""

from dkps_theory.bounds.dissimilarity import (
    debiased_variance,
    squared_dissimilarity_mean,
    squared_dissimilarity_variance,
)
from dkps_theory.bounds.perspective import GOLDEN_RATIO, factor_constant, root_mean_square_noise

__all__ = [
    "GOLDEN_RATIO",
    "debiased_variance",
    "factor_constant",
    "root_mean_square_noise",
    "squared_dissimilarity_mean",
    "squared_dissimilarity_variance",
]
