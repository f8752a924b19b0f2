"""Response populations: laws of embedded answers that know their own moments and draw means of r answers exactly."""

from dkps_theory.populations.autoregressive import AutoregressiveReplicates
from dkps_theory.populations.base import Population, ResponseLaw
from dkps_theory.populations.categorical import Categorical, bernoulli
from dkps_theory.populations.designs import (
    Design,
    coincide,
    configuration_with_spectrum,
    population_from_configuration,
)
from dkps_theory.populations.families import (
    GaussianPerspectives,
    GroupPerspectives,
    GrowingDesign,
    IidModels,
    PerspectiveLaw,
    SpherePerspectives,
)
from dkps_theory.populations.files import population_from_document, read_population, write_population
from dkps_theory.populations.gaussian_mixture import GaussianMixture
from dkps_theory.populations.misbehaving import HeavyTailed, RandomEffects, SharedPrompts

__all__ = [
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
]
