"""Random tests that state how often they fail a right implementation, and how often they pass a wrong one.

A *sampler* takes a typed key and a size and returns an array (size, ...) of independent draws of one law. The asserts
refuse to run when the size cannot give the promised power, compare on the host in double precision, and change no
setting of JAX.
"""

from dkps_theory.testing._sampling import Outcome, Sampler
from dkps_theory.testing.same_law import assert_same_law
from dkps_theory.testing.unbiased import assert_unbiased

__all__ = ["Outcome", "Sampler", "assert_same_law", "assert_unbiased"]
