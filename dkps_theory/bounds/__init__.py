"""Bounds and exact finite-r moments: functions of population scalars only, never of a sample."""

from dkps_theory.bounds.contraction import dobrushin_coefficient, layered_loss, symmetric_channel_contraction
from dkps_theory.bounds.dissimilarity import (
    debiased_variance,
    squared_dissimilarity_mean,
    squared_dissimilarity_variance,
)
from dkps_theory.bounds.first_order import NoiseNorms, dk_m9_remainder, dk_m9_sharp_remainder
from dkps_theory.bounds.generalization import l31_bound, l43_bound, l44_bound, l48_bound, t45_bound, t49_bound
from dkps_theory.bounds.gram import dk_m4_bound, gram_noise_bound
from dkps_theory.bounds.perspective import GOLDEN_RATIO, factor_constant, root_mean_square_noise
from dkps_theory.bounds.published import (
    a24_mean_error_tail,
    a25_gram_tail,
    a25_perspective_bound,
    a25_perspective_constants,
)
from dkps_theory.bounds.radius import CertifiedRadius, certified_radius
from dkps_theory.bounds.tails import cantelli_quantile, chernoff_quantile, hkz_quantile

__all__ = [
    "GOLDEN_RATIO",
    "CertifiedRadius",
    "NoiseNorms",
    "a24_mean_error_tail",
    "a25_gram_tail",
    "a25_perspective_bound",
    "a25_perspective_constants",
    "cantelli_quantile",
    "certified_radius",
    "chernoff_quantile",
    "debiased_variance",
    "dk_m4_bound",
    "dk_m9_remainder",
    "dk_m9_sharp_remainder",
    "dobrushin_coefficient",
    "factor_constant",
    "gram_noise_bound",
    "hkz_quantile",
    "l31_bound",
    "l43_bound",
    "l44_bound",
    "l48_bound",
    "layered_loss",
    "root_mean_square_noise",
    "squared_dissimilarity_mean",
    "squared_dissimilarity_variance",
    "symmetric_channel_contraction",
    "t45_bound",
    "t49_bound",
]
