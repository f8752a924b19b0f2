"""From responses to perspectives in one call, and the same as a scikit-learn estimator."""

from dkps_theory.estimators.perspective import Perspectives, perspectives
from dkps_theory.estimators.sklearn import DKPS

__all__ = ["DKPS", "Perspectives", "perspectives"]
