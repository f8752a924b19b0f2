"""Response populations: laws of embedded answers that know their own moments and draw means of r answers exactly."""

from dkps_theory.populations.base import Population
from dkps_theory.populations.categorical import Categorical, bernoulli
from dkps_theory.populations.designs import (
    Design,
    coincide,
    configuration_with_spectrum,
    population_from_configuration,
)
from dkps_theory.populations.files import population_from_document, read_population, write_population
from dkps_theory.populations.gaussian_mixture import GaussianMixture

__all__ = [
    "Categorical",
    "Design",
    "GaussianMixture",
    "Population",
    "bernoulli",
    "coincide",
    "configuration_with_spectrum",
    "population_from_configuration",
    "population_from_document",
    "read_population",
    "write_population",
]
