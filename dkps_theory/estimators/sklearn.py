"""DKPS as a scikit-learn estimator: a drop-in first step for classifiers and regressions on models."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from dkps_theory._validate import InputError, require
from dkps_theory.conventions import Convention
from dkps_theory.estimators.perspective import perspectives
from dkps_theory.geometry.classical_mds import checked_dimension
from dkps_theory.responses import ResponseSummary

#: Means closer than this share of the largest entry belong to the same model, summed in another order. Rounding of a
#: sum of r terms is at most r 2^-53 of their size, below 1e-9 up to millions of responses; means of other responses
#: differ by about sd / sqrt(r), which would take r near 10^18 to come this close.
_SAME_MODEL = 1e-9


class DKPS(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Perspectives of generative models, estimated from their embedded responses by classical MDS.

    A sample is a model: ``X`` holds the responses of n models, and the result has n rows. Like every method that works
    on all pairs of samples (MDS, t-SNE), it embeds the models that it is fitted on, all of them together.

    Parameters
    ----------
    n_components : int, default=2
        Perspective dimension d, 1 <= d < n.
    normalisation : {"sqrt-m", "m", "none"}, default="sqrt-m"
        The factor c(m) of the dissimilarity c ||X_i - X_i'||_F^e: m^(-1/2), 1/m or 1.
    exponent : float, default=1.0
        The exponent e > 0; the sources print 1 and 0.5.

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
    models_, queries_ : tuple of str
        Names, in the order of the axes.

    Examples
    --------
    >>> import numpy as np
    >>> responses = np.array([0.0, 1.0, 3.0]).reshape(3, 1, 1, 1)  # three models, one query, one answer, p = 1
    >>> DKPS(n_components=1).fit_transform(responses).round(3).ravel().tolist()
    [-1.333, -0.333, 1.667]
    """

    def __init__(self, n_components: int = 2, normalisation: str = "sqrt-m", exponent: float = 1.0) -> None:
        self.n_components = n_components
        self.normalisation = normalisation
        self.exponent = exponent

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
        estimate = perspectives(summary, d, Convention(self.normalisation, self.exponent))
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
        return self

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Estimate the perspectives of the models in ``X`` and return them, (n, d)."""
        return self.fit(X, y, **fit_params).embedding_

    def transform(self, X: Any) -> np.ndarray:
        """Return the perspectives of models that ``fit`` has seen, in the order in which ``X`` has them.

        Models are recognised by their mean embeddings, so a Pipeline can predict for the models it was fitted on, or
        for some of them.

        Raises
        ------
        InputError
            For a model that ``fit`` has not seen: its responses belong into the ``fit``, with those of the others.

        Examples
        --------
        >>> responses = np.array([0.0, 1.0, 3.0]).reshape(3, 1, 1, 1)
        >>> DKPS(n_components=1).fit(responses).transform(responses[2:]).round(3).tolist()
        [[1.667]]
        """
        check_is_fitted(self)
        summary = ResponseSummary.from_any(X)
        fitted = self.mean_embeddings_
        means = np.asarray(summary.means)
        if means.shape[1:] != fitted.shape[1:]:
            raise InputError(f"responses: got (m, p) = {means.shape[1:]}; fit had {fitted.shape[1:]}")
        slack = _SAME_MODEL * np.abs(fitted).max()
        rows = []
        for name, mean in zip(summary.models, means, strict=True):
            distances = np.abs(fitted - mean[None]).max(axis=(1, 2))
            nearest = int(distances.argmin())
            if distances[nearest] > slack:
                raise InputError(f"responses: model {name!r} is not one that fit has seen; fit on all models together")
            rows.append(nearest)
        return self.embedding_[rows]

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]

    def __sklearn_tags__(self) -> Tags:
        """Say that samples are models with (m, r, p) numbers each, and that mappings are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.dict = True
        return tags
