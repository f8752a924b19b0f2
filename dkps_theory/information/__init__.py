"""Information quantities of laws that are known exactly, in nats."""

from dkps_theory.information.discrete import (
    conditional_mutual_information,
    entropy,
    kl_divergence,
    mutual_information,
    total_variation,
)

__all__ = [
    "conditional_mutual_information",
    "entropy",
    "kl_divergence",
    "mutual_information",
    "total_variation",
]
