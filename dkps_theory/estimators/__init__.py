"""From responses to perspectives in one call, places for new models, and both as a scikit-learn estimator."""

from dkps_theory.estimators.perspective import Perspectives, perspectives
from dkps_theory.estimators.placement import place
from dkps_theory.estimators.sklearn import DKPS

__all__ = ["DKPS", "Perspectives", "perspectives", "place"]
