"""DKPS as a scikit-learn estimator: a drop-in first step for classifiers and regressions on models."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from dkps_theory._keys import IMPLEMENTATION
from dkps_theory._types import Key
from dkps_theory._validate import InputError, require, shown, whole_number
from dkps_theory.conventions import Convention
from dkps_theory.estimators.perspective import perspectives
from dkps_theory.estimators.placement import placement_of_means
from dkps_theory.geometry import Placement
from dkps_theory.geometry.classical_mds import checked_dimension
from dkps_theory.geometry.out_of_sample import RULES
from dkps_theory.responses import ResponseSummary

#: Means closer than this share of the largest entry belong to the same model, summed in another order. Rounding of a
#: sum of r terms is at most r 2^-53 of their size, below 1e-9 up to millions of responses; means of other responses
#: differ by about sd / sqrt(r), which would take r near 10^18 to come this close.
_SAME_MODEL = 1e-9


class DKPS(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Perspectives of generative models, estimated from their embedded responses.

    A sample is a model: ``X`` holds the responses of n models, and the result has n rows. ``fit`` embeds its models all
    together. ``transform`` returns those places again, and places models that ``fit`` has not seen among them.

    Parameters
    ----------
    n_components : int, default=2
        Perspective dimension d, 1 <= d < n.
    normalisation : {"sqrt-m", "m", "none"}, default="sqrt-m"
        The factor c(m) of the dissimilarity c ||X_i - X_i'||_F^e: m^(-1/2), 1/m or 1.
    exponent : float, default=1.0
        The exponent e > 0; the sources print 1 and 0.5.
    scaling : {"classical", "raw-stress"}, default="classical"
        Classical MDS, or the configuration of least raw stress, which is searched for from random starts.
    out_of_sample : {"gower", "trosset-priebe"}, default="gower"
        The rule that places new models after classical scaling. Gower's projects them onto the frame's axes; Trosset
        and Priebe's also keeps their distance from its centroid, and so pushes outwards what the axes cannot show,
        noise included. After raw stress, new models are placed one by one at their least raw stress.
    n_starts : int, default=20
        Random starts of raw stress, in ``fit`` and for each new model.
    random_state : int, numpy.random.RandomState or None, default=None
        Decides the random starts of raw stress; nothing else is random. None takes fresh entropy at every ``fit``.

    Attributes
    ----------
    embedding_ : ndarray of shape (n, d)
        Psi^, centred, up to an orthogonal motion.
    dissimilarity_matrix_ : ndarray of shape (n, n)
        D.
    debiased_squared_dissimilarities_ : ndarray of shape (n, n) or None
        The unbiased estimate of Delta^2; None where there is none (exponent other than 1, or a single response).
    eigenvalues_ : ndarray of shape (n,)
        Those of the Gram matrix B^, descending.
    eigengap_, rank_, negative_ : float, int, float
        lambda_d - lambda_{d+1}; the number of positive eigenvalues; the share of the negative ones.
    mean_embeddings_ : ndarray of shape (n, m, p)
        X, the mean of each model's responses to each query.
    raw_stress_ : dkps_theory.geometry.RawStressMDS or None
        What the minimisation says about itself; None after classical scaling.
    converged_ : bool
        Whether the embedding is a minimum of its criterion. Where it is not, ``fit`` also warns.
    convention_ : dkps_theory.Convention
        The normalisation and the exponent.
    models_, queries_ : tuple of str
        Names, in the order of the axes.

    Examples
    --------
    >>> import numpy as np
    >>> responses = np.array([0.0, 1.0, 3.0]).reshape(3, 1, 1, 1)  # three models, one query, one answer, p = 1
    >>> DKPS(n_components=1).fit_transform(responses).round(3).ravel().tolist()
    [-1.333, -0.333, 1.667]
    """

    def __init__(
        self,
        n_components: int = 2,
        normalisation: str = "sqrt-m",
        exponent: float = 1.0,
        *,
        scaling: str = "classical",
        out_of_sample: str = "gower",
        n_starts: int = 20,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.normalisation = normalisation
        self.exponent = exponent
        self.scaling = scaling
        self.out_of_sample = out_of_sample
        self.n_starts = n_starts
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> DKPS:
        """Estimate the perspectives of the models in ``X``.

        Parameters
        ----------
        X
            An array (n, m, r, p), a masked array of that shape, a mapping from model names to (m, r, p), a long table
            (model, query, replicate, e0, ...), or a :class:`dkps_theory.ResponseSummary`.
        y
            Ignored.

        Returns
        -------
        DKPS
            Itself.

        Raises
        ------
        InputError
            A ValueError with one line, for responses that cannot be read or parameters out of range.

        Examples
        --------
        >>> DKPS(n_components=1).fit(np.array([0.0, 1.0, 3.0]).reshape(3, 1, 1, 1)).rank_
        1
        """
        summary = ResponseSummary.from_any(X)
        n = summary.means.shape[0]
        require(n >= 2, f"responses: got 1 sample, n = {n} model; perspectives compare at least two")
        d = checked_dimension(self.n_components, n, "n_components")
        convention = Convention(self.normalisation, self.exponent)
        self._check_options()
        seed = _seed(self.random_state)
        estimate = perspectives(summary, d, convention, scaling=self.scaling, key=_key(seed, 0), starts=self.n_starts)
        self._seed = seed
        self.convention_ = convention
        self.embedding_ = np.array(estimate.configuration)
        self.dissimilarity_matrix_ = np.array(estimate.dissimilarities)
        debiased = estimate.debiased_squared
        self.debiased_squared_dissimilarities_ = None if debiased is None else np.array(debiased)
        self.eigenvalues_ = np.array(estimate.eigenvalues)
        self.eigengap_ = float(estimate.eigengap)
        self.rank_ = int(estimate.rank)
        self.negative_ = float(estimate.negative)
        self.mean_embeddings_ = np.array(summary.means)
        self.models_ = estimate.models
        self.queries_ = estimate.queries
        self.raw_stress_ = estimate.raw_stress
        self.converged_ = bool(estimate.converged)
        if not self.converged_:
            warnings.warn("raw stress has not converged; try more n_starts", ConvergenceWarning, stacklevel=2)
        return self

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Estimate the perspectives of the models in ``X`` and return them, (n, d)."""
        return self.fit(X, y, **fit_params).embedding_

    def transform(self, X: Any) -> np.ndarray:
        """Return the perspectives of the models in ``X``, (q, d), in the order in which ``X`` has them.

        Models that ``fit`` has seen, recognised by their mean embeddings, have their rows of ``embedding_``. Each other
        one is placed by itself, in the same axes; the embedding does not move.

        Raises
        ------
        InputError
            For responses that cannot be read, other queries or embeddings than those of ``fit`` by their number, or an
            unknown ``out_of_sample``.

        Examples
        --------
        >>> estimator = DKPS(n_components=1).fit(np.array([0.0, 1.0, 3.0]).reshape(3, 1, 1, 1))
        >>> estimator.transform(np.array([3.0, 4.0]).reshape(2, 1, 1, 1)).round(3).tolist()  # seen, not seen
        [[1.667], [2.667]]
        """
        check_is_fitted(self)
        means = self._means(X)
        fitted = self.mean_embeddings_
        slack = _SAME_MODEL * np.abs(fitted).max()
        distances = np.stack([np.abs(fitted - mean[None]).max(axis=(1, 2)) for mean in means])
        result = self.embedding_[distances.argmin(axis=1)]
        is_new = distances.min(axis=1) > slack
        if is_new.any():
            placed = self._place(means[is_new])
            failed = int((~np.asarray(placed.converged)).sum())
            if failed:
                message = f"{failed} of {is_new.sum()} placements have not converged; try more n_starts"
                warnings.warn(message, ConvergenceWarning, stacklevel=2)
            result[is_new] = np.asarray(placed.configuration)
        return result

    def place(self, X: Any) -> Placement:
        """Place every model in ``X`` as if ``fit`` had not seen it, and say how well that went.

        The result also has the squared length that the embedding cannot show, convergence and ties.

        Examples
        --------
        >>> estimator = DKPS(n_components=1).fit(np.array([[0.0, 0.0], [2.0, 0.0]]).reshape(2, 1, 1, 2))
        >>> estimator.place(np.array([1.0, 5.0]).reshape(1, 1, 1, 2)).off_span.round(6).tolist()
        [25.0]
        """
        check_is_fitted(self)
        return self._place(self._means(X))

    def _means(self, X: Any) -> np.ndarray:
        means = np.asarray(ResponseSummary.from_any(X).means)
        wanted = self.mean_embeddings_.shape[1:]
        if means.shape[1:] != wanted:
            raise InputError(f"responses: got (m, p) = {means.shape[1:]}; fit had {wanted}")
        return means

    def _place(self, means: np.ndarray) -> Placement:
        self._check_options()
        return placement_of_means(
            self.embedding_,
            self.dissimilarity_matrix_,
            self.mean_embeddings_,
            means,
            self.convention_,
            self.out_of_sample,
            by_raw_stress=self.raw_stress_ is not None,
            # The same starts at every call: transform is a function of its input.
            key=_key(self._seed, 1),
            starts=self.n_starts,
        )

    def _check_options(self) -> None:
        """Refuse what the chosen scaling would not look at, too."""
        if self.out_of_sample not in RULES:
            raise InputError(f"out_of_sample: got {shown(self.out_of_sample)}; it must be one of {', '.join(RULES)}")
        whole_number("n_starts", self.n_starts, 1)

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]

    def __sklearn_tags__(self) -> Tags:
        """Say that samples are models with (m, r, p) numbers each, and that mappings are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.dict = True
        return tags


def _seed(random_state: object) -> int:
    """Return the seed that a random_state stands for, by scikit-learn's conventions, from 0 to 2^32 - 1."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**32, dtype=np.uint32))
    return whole_number("random_state", random_state, 0, 2**32 - 1)


def _key(seed: int, purpose: int) -> Key:
    """Return the key of ``fit`` (0) or of placements (1)."""
    return jax.random.fold_in(jax.random.key(seed, impl=IMPLEMENTATION), purpose)
