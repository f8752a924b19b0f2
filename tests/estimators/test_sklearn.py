"""DKPS as scikit-learn sees it: clone, parameters, Pipeline, every kind of input, and its own estimator checks."""

from __future__ import annotations

import dataclasses
import pickle
import warnings
from functools import partial

import jax
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import check_is_fitted, validate_data

from dkps_theory._validate import InputError
from dkps_theory.conventions import A24, Convention
from dkps_theory.datasets import digits_population
from dkps_theory.estimators import DKPS, perspectives, place
from dkps_theory.geometry import raw_stress
from dkps_theory.populations import GaussianMixture
from dkps_theory.responses import ResponseSummary

RNG = np.random.default_rng(9)
LABELS = np.repeat([0, 1], 4)
# Two groups of four models that answer m = 3 queries r = 5 times, p = 2; the groups differ in one query.
RESPONSES = RNG.normal(size=(8, 3, 5, 2)) + 4.0 * LABELS[:, None, None, None] * np.eye(3)[0][None, :, None, None]


def test_fit_gives_what_perspectives_gives():
    fitted = DKPS(n_components=3, normalisation="m").fit(RESPONSES, LABELS)
    expected = perspectives(RESPONSES, 3, A24)
    np.testing.assert_array_equal(fitted.embedding_, expected.configuration)
    np.testing.assert_array_equal(fitted.dissimilarity_matrix_, expected.dissimilarities)
    np.testing.assert_array_equal(fitted.debiased_squared_dissimilarities_, expected.debiased_squared)
    np.testing.assert_array_equal(fitted.eigenvalues_, expected.eigenvalues)
    assert fitted.eigengap_ == float(expected.eigengap)
    assert fitted.rank_ == 6
    assert fitted.negative_ < 1e-12
    assert type(fitted.embedding_) is np.ndarray
    np.testing.assert_array_equal(fitted.get_feature_names_out(), ["dkps0", "dkps1", "dkps2"])


def test_parameters_clone_and_pickle():
    estimator = DKPS(n_components=3, normalisation="none", exponent=0.5, out_of_sample="trosset-priebe")
    assert estimator.get_params() == {
        "n_components": 3,
        "normalisation": "none",
        "exponent": 0.5,
        "scaling": "classical",
        "out_of_sample": "trosset-priebe",
        "n_starts": 20,
        "random_state": None,
    }
    copy = clone(estimator.set_params(n_components=1))
    assert copy.get_params() == estimator.get_params()
    fitted = pickle.loads(pickle.dumps(copy.fit(RESPONSES)))
    np.testing.assert_array_equal(fitted.embedding_, perspectives(RESPONSES, 1, Convention("none", 0.5)).configuration)
    assert fitted.debiased_squared_dissimilarities_ is None


def test_each_kind_of_input():
    i, j, k = np.nonzero(np.ones((8, 3, 5), dtype=bool))
    table = {"model": i, "query": j, "replicate": k, "e0": RESPONSES[i, j, k, 0], "e1": RESPONSES[i, j, k, 1]}
    base = DKPS().fit_transform(RESPONSES)
    mapping = {f"model {i}": block for i, block in enumerate(RESPONSES)}
    for given in (mapping, table, np.ma.MaskedArray(RESPONSES, mask=False), ResponseSummary.from_array(RESPONSES)):
        np.testing.assert_array_equal(DKPS().fit_transform(given), base)
    assert DKPS().fit(mapping).models_[3] == "model 3"


def test_a_pipeline_embeds_then_classifies_the_models_it_was_fitted_on():
    pipeline = make_pipeline(FunctionTransformer(np.tanh), DKPS(n_components=2), LogisticRegression())
    pipeline.fit(RESPONSES, LABELS)
    np.testing.assert_array_equal(pipeline.predict(RESPONSES), LABELS)
    np.testing.assert_array_equal(pipeline.predict(RESPONSES[5:2:-1]), LABELS[5:2:-1])
    assert clone(pipeline).set_params(dkps__n_components=1).fit(RESPONSES, LABELS).score(RESPONSES, LABELS) == 1.0
    embedding = make_pipeline(FunctionTransformer(np.tanh), DKPS()).fit_transform(RESPONSES)
    assert LogisticRegression().fit(embedding, LABELS).score(embedding, LABELS) == 1.0


@pytest.mark.parametrize("out_of_sample", ["gower", "trosset-priebe"])
@pytest.mark.parametrize("exponent", [1.0, 0.5])
def test_transform_returns_the_rows_of_fit_and_places_the_others(out_of_sample, exponent):
    fitted = DKPS(exponent=exponent, out_of_sample=out_of_sample).fit(RESPONSES[:6])
    np.testing.assert_array_equal(fitted.transform(RESPONSES[[5, 1]]), fitted.embedding_[[5, 1]])
    # The same responses in another order have the same means, up to rounding.
    np.testing.assert_array_equal(fitted.transform(RESPONSES[:6, :, ::-1]), fitted.embedding_)
    mixed = fitted.transform(RESPONSES[[7, 2, 6]])
    np.testing.assert_array_equal(mixed[1], fitted.embedding_[2])
    estimate = perspectives(RESPONSES[:6], 2, Convention("sqrt-m", exponent))
    expected = place(estimate, RESPONSES[[7, 6]], out_of_sample)
    np.testing.assert_allclose(mixed[[0, 2]], expected.configuration, atol=1e-13)
    np.testing.assert_allclose(fitted.transform(RESPONSES[6:7])[0], mixed[2], atol=1e-13)
    np.testing.assert_allclose(fitted.place(RESPONSES[[7, 6]]).off_span, expected.off_span, rtol=1e-12)
    assert bool((expected.off_span > 0).all())


def test_raw_stress_embeds_places_and_pickles():
    fitted = DKPS(scaling="raw-stress", n_starts=4, random_state=3).fit(RESPONSES[:6])
    assert fitted.converged_
    assert fitted.raw_stress_ is not None
    np.testing.assert_array_equal(fitted.embedding_, fitted.raw_stress_.configuration)
    classical = DKPS().fit(RESPONSES[:6])
    assert float(fitted.raw_stress_.stress) < float(raw_stress(classical.embedding_, classical.dissimilarity_matrix_))
    assert classical.raw_stress_ is None

    placed = fitted.transform(RESPONSES)
    np.testing.assert_array_equal(placed[:6], fitted.embedding_)
    found = fitted.place(RESPONSES[6:])
    assert bool(found.converged.all())
    np.testing.assert_array_equal(placed[6:], found.configuration)
    assert found.configuration.shape == (2, 2)
    # The same state, the same result; a RandomState is drawn from, and None takes fresh entropy.
    again = clone(fitted).fit(RESPONSES[:6])
    np.testing.assert_array_equal(again.transform(RESPONSES), placed)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(RESPONSES), placed)
    state = np.random.RandomState(0)
    for random_state in (state, None):
        other = clone(fitted).set_params(random_state=random_state).fit(RESPONSES[:6])
        assert float(other.raw_stress_.stress) == pytest.approx(float(fitted.raw_stress_.stress))
    assert state.get_state()[2] != np.random.RandomState(0).get_state()[2]


def test_a_pipeline_predicts_for_models_that_fit_has_not_seen():
    population = GaussianMixture(
        weights=np.full((20, 3, 2), 0.5),
        component_means=2.0 * np.repeat([0.0, 1.0], 10)[:, None, None, None] + RNG.normal(size=(1, 3, 2, 2)),
        component_covariances=np.ones((20, 3, 2)),
        covariance_type="spherical",
    )
    responses, labels = np.asarray(population.sample(jax.random.key(0), 8)), np.repeat([0, 1], 10)
    seen = np.arange(20) % 2 == 0
    for rule in ("gower", "trosset-priebe"):
        pipeline = make_pipeline(DKPS(n_components=2, out_of_sample=rule), KNeighborsClassifier(3))
        pipeline.fit(responses[seen], labels[seen])
        np.testing.assert_array_equal(pipeline.predict(responses[~seen]), labels[~seen])
        np.testing.assert_array_equal(pipeline.predict(responses), labels)


def test_a_pipeline_predicts_how_generators_of_digits_were_trained():
    digits = digits_population(30, p=6, components=1)
    responses = np.asarray(digits.population.sample(jax.random.key(1), 20))
    mostly = digits.shares.argmax(axis=1)
    seen = np.arange(30) < 20
    pipeline = make_pipeline(DKPS(n_components=2), KNeighborsClassifier(3)).fit(responses[seen], mostly[seen])
    assert pipeline.score(responses[~seen], mostly[~seen]) >= 0.8
    # The shares are nearly linear in the true perspectives, so a line predicts those of generators not seen.
    regression = make_pipeline(DKPS(n_components=2), LinearRegression()).fit(responses[seen], digits.shares[seen])
    assert regression.score(responses[~seen], digits.shares[~seen]) > 0.9


def test_what_does_not_converge_is_said(monkeypatch):
    fitted = DKPS(scaling="raw-stress", n_starts=4, random_state=3).fit(RESPONSES[:6])
    failed = fitted.place(RESPONSES[6:])
    failed = dataclasses.replace(failed, converged=~failed.converged)
    monkeypatch.setattr(DKPS, "_place", lambda self, means: failed)
    with pytest.warns(ConvergenceWarning, match="2 of 2 placements have not converged"):
        fitted.transform(RESPONSES[6:])


def test_transform_refuses_what_cannot_be_placed():
    fitted = DKPS().fit(RESPONSES)
    with pytest.raises(InputError, match=r"responses: got \(m, p\) = \(2, 2\); fit had \(3, 2\)"):
        fitted.transform(RESPONSES[:, :2])
    with pytest.raises(InputError, match="not finite"):
        fitted.transform(RESPONSES * np.nan)
    with pytest.raises(InputError, match="out_of_sample: got 'nystrom'; it must be one of gower, trosset-priebe"):
        clone(fitted).fit(RESPONSES).set_params(out_of_sample="nystrom").transform(RESPONSES + 1.0)
    for call in (DKPS().transform, DKPS().place):
        with pytest.raises(NotFittedError):
            call(RESPONSES)


@pytest.mark.parametrize(
    ("estimator", "responses", "message"),
    [
        (DKPS(n_components=0), RESPONSES, "n_components: got 0; it must be a whole number of at least 1"),
        (DKPS(n_components=8), RESPONSES, "n_components: got 8 for n = 8 models; it must be below n"),
        (DKPS(normalisation="sqrt"), RESPONSES, "normalisation: got 'sqrt'; it must be one of sqrt-m, m, none"),
        (DKPS(scaling="metric"), RESPONSES, "scaling: got 'metric'; it must be one of classical, raw-stress"),
        (
            DKPS().set_params(out_of_sample=None),
            RESPONSES,
            "out_of_sample: got None; it must be one of gower, trosset-priebe",
        ),
        (DKPS(n_starts=0), RESPONSES, "n_starts: got 0; it must be a whole number of at least 1"),
        (DKPS(random_state=-1), RESPONSES, "random_state: got -1; it must be a whole number from 0"),
        (DKPS().set_params(random_state="now"), RESPONSES, "random_state: got 'now'; it must be a whole number from 0"),
        (DKPS(exponent=-1.0), RESPONSES, "exponent: got -1.0; it must be a positive number"),
        (DKPS(), RESPONSES[0], r"responses: got 3 axes \(3, 5, 2\); it must have 4, \(n, m, r, p\)"),
        (DKPS(), RESPONSES[:1], "perspectives compare at least two"),
        (DKPS(), RESPONSES * np.nan, "30 values not finite"),
    ],
)
def test_bad_input_is_one_clear_line(estimator, responses, message):
    with pytest.raises(ValueError, match=message) as caught:
        estimator.fit(responses)
    assert "\n" not in str(caught.value)


# scikit-learn's checks. They fit tables (n, p); DKPS takes responses (n, m, r, p) and says so by its tags, whereupon
# the generator runs the first check only. They are run in full twice here: on DKPS with that tag turned back, which
# shows what holds for any input, and on a twin that reads a table as m = 1 query with r = 1 response, which shows that
# nothing but the axes stands in the way.


class SaysTables(DKPS, auto_wrap_output_keys=None):
    """DKPS, except that it claims to take tables."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


class ReadsTables(SaysTables, auto_wrap_output_keys=None):
    """DKPS of a table (n, p): one query, one response."""

    def fit(self, X, y=None):
        return super().fit(validate_data(self, X)[:, None, None, :], y)

    def transform(self, X):
        check_is_fitted(self)
        return super().transform(validate_data(self, X, reset=False)[:, None, None, :])


FOUR_AXES = "it fits a table (n, p), and responses have four axes (n, m, r, p)"
OTHER_MESSAGE = "it wants another message for a table than the one about its axes"
ENVIRONMENT = "scikit-learn skips it unless SCIPY_ARRAY_API is set before SciPy is imported"
FAIL_ON_TABLES = {
    "check_fit_score_takes_y": FOUR_AXES,
    "check_estimators_overwrite_params": FOUR_AXES,
    "check_dont_overwrite_parameters": FOUR_AXES,
    "check_estimators_fit_returns_self": FOUR_AXES,
    "check_readonly_memmap_input": FOUR_AXES,
    "check_n_features_in_after_fitting": FOUR_AXES,
    "check_positive_only_tag_during_fit": FOUR_AXES,
    "check_estimators_dtypes": FOUR_AXES,
    "check_dtype_object": FOUR_AXES,
    "check_estimators_empty_data_messages": OTHER_MESSAGE,
    "check_pipeline_consistency": FOUR_AXES,
    "check_estimators_nan_inf": OTHER_MESSAGE,
    "check_estimators_pickle": FOUR_AXES,
    "check_array_api_input": ENVIRONMENT,
    "check_f_contiguous_array_estimator": FOUR_AXES,
    "check_transformer_data_not_an_array": FOUR_AXES,
    "check_transformer_general": FOUR_AXES,
    "check_transformer_preserve_dtypes": FOUR_AXES,
    "check_methods_sample_order_invariance": FOUR_AXES,
    "check_methods_subset_invariance": FOUR_AXES,
    "check_fit2d_1sample": OTHER_MESSAGE,
    "check_fit2d_1feature": OTHER_MESSAGE,
    "check_dict_unchanged": FOUR_AXES,
    "check_fit_idempotent": FOUR_AXES,
    "check_fit_check_is_fitted": FOUR_AXES,
    "check_n_features_in": FOUR_AXES,
    "check_fit2d_predict1d": FOUR_AXES,
}
FAIL_ON_RESHAPED_TABLES = {"check_array_api_input": ENVIRONMENT}
PASS_ON_ANYTHING = {
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_estimators_unfitted",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_complex_data",
    "check_estimator_sparse_tag",
    "check_estimator_sparse_array",
    "check_estimator_sparse_matrix",
    "check_transformers_unfitted",
    "check_transformer_n_iter",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_fit1d",
}


def outcomes(estimator):
    """Run every check that scikit-learn generates; return the names that passed and those that did not."""
    passed, failed = set(), set()
    for instance, check in estimator_checks_generator(estimator):
        inner = check
        while isinstance(inner, partial):
            inner = inner.func
        try:
            check(instance)
        except Exception:  # noqa: BLE001  (which checks raise, whatever they raise, is what is being found out)
            failed.add(inner.__name__)
        else:
            passed.add(inner.__name__)
    return passed - failed, failed


def test_the_tags_say_that_tables_are_not_its_input():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        checks = list(estimator_checks_generator(DKPS()))
    assert len(checks) == 1
    assert "Can't test estimator DKPS which requires input" in str(caught[0].message)


@pytest.mark.usefixtures("unannotated")
def test_scikit_learn_checks_that_any_input_allows_pass_and_the_others_are_named():
    passed, failed = outcomes(SaysTables(n_components=1))
    assert failed == set(FAIL_ON_TABLES)
    assert passed == PASS_ON_ANYTHING


@pytest.mark.usefixtures("unannotated")
def test_scikit_learn_checks_pass_once_a_table_is_read_as_one_query():
    passed, failed = outcomes(ReadsTables(n_components=1))
    assert failed == set(FAIL_ON_RESHAPED_TABLES)
    assert passed == PASS_ON_ANYTHING | set(FAIL_ON_TABLES) - failed
