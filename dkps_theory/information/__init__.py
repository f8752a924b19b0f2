"""Information theory of synthetic data, in nats: laws, mixtures and their fits, worlds of the reverse bottleneck."""

from dkps_theory.information.discrete import (
    conditional_mutual_information,
    entropy,
    kl_divergence,
    mutual_information,
    total_variation,
)
from dkps_theory.information.discrete_world import DiscreteWorld
from dkps_theory.information.em import MixtureFit, fit_mixture
from dkps_theory.information.enclosure import Enclosure
from dkps_theory.information.gaussian import (
    gaussian_conditional_mutual_information,
    gaussian_entropy,
    gaussian_hellinger,
    gaussian_kl,
    gaussian_mutual_information,
    gaussian_renyi,
    gaussian_total_variation,
)
from dkps_theory.information.gaussian_world import AbsoluteErrors, LinearGaussianWorld
from dkps_theory.information.joint_law import JointLaw
from dkps_theory.information.linear_gaussian import LinearGaussian
from dkps_theory.information.log_forms import Interval, LogForm
from dkps_theory.information.mixture import Mixture
from dkps_theory.information.mixture_bounds import (
    Bounds,
    entropy_bounds,
    jensen_shannon_bounds,
    kl_bounds,
    kl_product_approximation,
    kl_variational_approximation,
    total_variation_bounds,
)
from dkps_theory.information.mixture_cubature import (
    Cubature,
    entropy_cubature,
    jensen_shannon_cubature,
    kl_cubature,
    total_variation_cubature,
)
from dkps_theory.information.mixture_estimates import (
    MixtureDivergences,
    StratifiedEstimate,
    cross_entropy_estimate,
    divergence_estimates,
    entropy_estimate,
    jensen_shannon_estimate,
    kl_estimate,
    total_variation_estimate,
)
from dkps_theory.information.mixture_world import LabelInformation, MixtureWorld, label_information
from dkps_theory.information.reverse_bottleneck import Comparison, ReverseBottleneckWorld, SideBySide, side_by_side

__all__ = [
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
]
