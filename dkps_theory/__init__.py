"""Statistical theory and simulation of data kernel perspective space (DKPS) and of synthetic data.

Importing this package imports neither JAX nor NumPy and changes no setting of theirs. Rooms (``dk.geometry``) and the
public names (``dk.perspectives``) are loaded when first used, and with them JAX in double precision.

Examples
--------
>>> import dkps_theory as dk
>>> dk.Convention("m").scale(4)
0.25
"""

from __future__ import annotations

import importlib
from typing import Any

from dkps_theory._version import __version__

_ROOMS = (
    "bounds",
    "conventions",
    "datasets",
    "estimators",
    "geometry",
    "information",
    "monte_carlo",
    "pages",
    "populations",
    "responses",
    "testing",
)

# Which room each public name comes from: all of every room but pages and testing. __init__.pyi says the same to type
# checkers, and a test compares the three.
_NAMES = {
    "_validate": ["InputError"],
    "bounds": [
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
    ],
    "conventions": ["A24", "A25", "DEFAULT", "Convention"],
    "datasets": ["Digits", "digits_population"],
    "estimators": ["DKPS", "Perspectives", "perspectives", "place"],
    "geometry": [
        "AlignmentErrors",
        "ClassicalMDS",
        "Placement",
        "RawStressMDS",
        "align",
        "alignment_errors",
        "classical_mds",
        "classical_mds_of_means",
        "classical_placement",
        "cross_dissimilarities",
        "debiased_squared_dissimilarities",
        "dissimilarities",
        "gower_placement",
        "gram",
        "line_minimisers",
        "orthogonal_alignment",
        "raw_stress",
        "raw_stress_mds",
        "raw_stress_placement",
        "rigid_alignment",
        "smacof",
        "trosset_priebe_placement",
    ],
    "information": [
        "AbsoluteErrors",
        "Bounds",
        "Comparison",
        "Cubature",
        "DiscreteWorld",
        "Enclosure",
        "Interval",
        "JointLaw",
        "LabelInformation",
        "LinearGaussian",
        "LinearGaussianWorld",
        "LogForm",
        "Mixture",
        "MixtureDivergences",
        "MixtureFit",
        "MixtureWorld",
        "ReverseBottleneckWorld",
        "SideBySide",
        "StratifiedEstimate",
        "conditional_mutual_information",
        "cross_entropy_estimate",
        "divergence_estimates",
        "entropy",
        "entropy_bounds",
        "entropy_cubature",
        "entropy_estimate",
        "fit_mixture",
        "gaussian_conditional_mutual_information",
        "gaussian_entropy",
        "gaussian_hellinger",
        "gaussian_kl",
        "gaussian_mutual_information",
        "gaussian_renyi",
        "gaussian_total_variation",
        "jensen_shannon_bounds",
        "jensen_shannon_cubature",
        "jensen_shannon_estimate",
        "kl_bounds",
        "kl_cubature",
        "kl_divergence",
        "kl_estimate",
        "kl_product_approximation",
        "kl_variational_approximation",
        "label_information",
        "mutual_information",
        "side_by_side",
        "total_variation",
        "total_variation_bounds",
        "total_variation_cubature",
        "total_variation_estimate",
    ],
    "monte_carlo": [
        "Estimate",
        "Slope",
        "clopper_pearson",
        "log_log_slope",
        "mean_estimate",
        "replicate",
        "replicate_keys",
        "rmse_estimate",
        "study_key",
    ],
    "populations": [
        "AutoregressiveReplicates",
        "Categorical",
        "Design",
        "GaussianMixture",
        "GaussianPerspectives",
        "GroupPerspectives",
        "GrowingDesign",
        "HeavyTailed",
        "IidModels",
        "PerspectiveLaw",
        "Population",
        "RandomEffects",
        "ResponseLaw",
        "SharedPrompts",
        "SpherePerspectives",
        "bernoulli",
        "coincide",
        "configuration_with_spectrum",
        "population_from_configuration",
        "population_from_document",
        "read_population",
        "write_population",
    ],
    "responses": ["ResponseSummary"],
}
_HOME = {name: room for room, names in _NAMES.items() for name in names}

__all__ = ["__version__", *_ROOMS, *_HOME]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    """Load a room or a public name when it is first used (PEP 562)."""
    if name in _ROOMS:
        return importlib.import_module(f"dkps_theory.{name}")
    if name in _HOME:
        value = getattr(importlib.import_module(f"dkps_theory.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'dkps_theory' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)
