"""Every refuted claim has a search that knows nothing of its stored counterexample and finds one too."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from proofs_checks.claim import Outcome, Setting
from proofs_checks.registry import all_claims

#: Claim -> a test in test_searches_<module>.py, or ("check", name of a check of the claim's own that searches).
_CHECK = ("check", "from-scratch")
SEARCHES = {
    "A24-EQ1/single-valued": _CHECK,
    "A24-R1": _CHECK,
    "A24-R3/any-bounded": _CHECK,
    "A24-T1": _CHECK,
    "A24-T1/rate": ("older", "test_dissimilarities_with_one_class_whose_distances_move_like_a_cube_root"),
    "A24-L1": _CHECK,
    "A24-C1": _CHECK,
    "A24-T3": ("a24", "test_t3_three_models_whose_distances_never_settle"),
    "A24-L2": ("a24", "test_l2_atoms_whose_embedding_hangs_on_which_is_drawn_more_often"),
    "A24-L2/pointwise": ("a24", "test_l2_late_models_that_spoil_the_mean_over_pairs"),
    "A24-T4/uniform": ("a24", "test_t4_and_t5_laws_of_gamma_over_models_that_pass_one_by_one"),
    "A24-T5": ("a24", "test_t5_noise_that_decides_between_two_embeddings_of_the_atoms"),
    "A24-T5/each-model": ("a24", "test_t4_and_t5_laws_of_gamma_over_models_that_pass_one_by_one"),
    "A24-X1/queries": ("a24", "test_x1_designs_where_replicates_help_more_relative_to_delta"),
    "A24-X1/budget": ("a24", "test_x1_designs_where_replicates_help_more_once_the_bias_is_removed"),
    "A24-X2": ("a24", "test_x2_growth_at_which_d_converges_and_the_condition_fails"),
    "A24-X2/heavy": ("a24", "test_x2_rare_jumps_that_are_in_the_mean_square_only"),
    "A24-X3/frobenius": ("a24", "test_x3_growth_of_n_at_which_the_frobenius_norm_stays"),
    "A24-X4": ("a24", "test_x4_lengths_with_a_mean_and_no_variance"),
    "A25-DEF/low-rank": ("older", "test_with_exponent_half_points_have_a_larger_rank_than_their_span"),
    "A25-T1/exponent-1": ("a25", "test_scaling_breaks_theorem_1_for_squared_distances"),
    "A25-C1/exponent-1": ("a25", "test_means_that_grow_break_corollary_1_for_squared_distances"),
    "A25-P1/coincident": ("a25", "test_a_circle_has_models_of_rank_two"),
    "A25-P1/exponent-1": ("a25", "test_a_circle_has_models_of_rank_two"),
    "A25-X1/power": ("a25", "test_the_printed_kappa_is_far_above_the_error_wherever_one_looks"),
    "A25-X2": ("a25", "test_the_law_of_the_error_depends_on_the_number_of_queries"),
    "A25-X4": ("a25", "test_the_printed_bound_fails_at_some_scale"),
    "A25-X4/exponent-1": ("a25", "test_the_printed_bound_fails_at_some_scale"),
    "A25-TAB1": ("a25", "test_no_run_of_table_1_comes_near_its_last_average"),
    "A25-TAB1/rows": ("a25", "test_no_power_law_is_within_a_third_of_the_averages"),
    "A25-TAB2": ("a25", "test_the_unsquared_matrix_has_another_rank"),
    "H25-T1/raw-stress": ("h25", "test_t1_raw_stress_has_triangles_whose_classes_have_different_losses"),
    "H25-T1/no-eigengap": (
        "older",
        "test_no_one_member_has_the_limiting_risks_of_both_labels_where_the_eigengap_is_closed",
    ),
    "H25-T2/joint/as-printed": ("h25", "test_t2_joint_as_printed_steep_rules_see_that_perspectives_do_not_coincide"),
    "H25-T2/joint": ("h25", "test_t2_joint_small_cases_already_show_a_larger_risk_on_estimates"),
    "H25-X1": ("h25", "test_x1_few_queries_bring_the_largest_delta_below_any_bound"),
    "H25-X3": ("h25", "test_x3_at_one_replicate_equal_noise_keeps_the_first_eigenvector_and_unequal_noise_does_not"),
    "H25-X3/unequal": ("h25", "test_x3_unequal_noise_changes_the_nearest_neighbour"),
    "H25-X2": ("h25", "test_x2_nearest_neighbour_has_near_models_with_different_labels"),
    "H25-X2/fisher": ("h25", "test_x2_fisher_has_near_training_sets_with_different_labels"),
    "H25-X4/relative-label": ("h25", "test_x4_worlds_in_which_perspectives_know_more_than_the_model"),
    "H25-X5/estimated": ("h25", "test_x5_equal_means_and_different_noise_differ_in_the_law_of_d"),
    "B26-DEF/single-valued": ("older", "test_models_whose_one_dimensional_perspective_hangs_on_their_order"),
    "B26-T2/no-eigengap": (
        "older",
        "test_models_for_which_small_noise_and_its_opposite_give_different_perspectives",
    ),
    "DK-M2/every-pair": ("dk", "test_every_pair_has_a_gaussian_limit"),
    "DK-M3/coincident-half": ("dk", "test_coincident_models_with_exponent_half_have_a_centred_limit"),
    "DK-M5/closed-gap": ("dk", "test_closed_eigengap_has_a_rate"),
    "DK-M6/one-rule": _CHECK,
    "DK-M6/estimated-frame": _CHECK,
    "DK-M6/many-queries-norm": _CHECK,
    "DK-M7/more-queries": ("dk", "test_more_queries_are_enough"),
    "DK-M7/deflated-unequal": ("dk", "test_lowered_eigenvalues_are_enough_with_unequal_noise"),
    "DK-M7/unknown-gamma-unequal": ("dk", "test_lowered_eigenvalues_are_enough_with_unequal_noise"),
    "DK-M7/exponent-half": ("dk", "test_noise_inflates_with_exponent_half"),
    "DK-M8/one": ("older", "test_models_whose_aligned_error_exceeds_the_noise"),
    "DK-M9/within-2/any-population": ("bounds", "test_some_population_leaves_the_radius_above_the_targets"),
    "DK-M9/within-3/any-population": ("bounds", "test_some_population_leaves_the_radius_above_the_targets"),
    "DK-M9/within-2-of-rank": (
        "bounds",
        "test_some_population_leaves_the_radius_above_twice_the_truth_at_the_rank",
    ),
    "CL-DK/one": ("cl", "test_search_finds_that_davis_kahan_needs_its_two"),
    "CL-ECKART/golden-spectral": ("cl", "test_search_finds_that_the_golden_ratio_is_not_enough_in_spectral_norm"),
    "CL-WEDIN/population": ("cl", "test_search_finds_a_sine_above_noise_over_signal"),
    "CL-CENTRE/spectral": ("older", "test_signs_whose_double_centring_has_a_large_norm"),
    "CL-TV/signed": ("cl", "test_search_finds_a_signed_loss_above_c_times_total_variation"),
    "CL-MAXENT/nonnegative": ("cl", "test_search_finds_a_histogram_of_negative_entropy"),
    "CL-XR/absolute": ("cl", "test_search_finds_an_absolute_gap_above_the_bound_for_the_mean"),
}
CLAIMS = all_claims()


def test_every_refuted_claim_is_searched_for_and_no_other():
    assert set(SEARCHES) == {claim.id for claim in CLAIMS.values() if claim.recorded == "refuted"}


@pytest.mark.parametrize(("claim", "where", "name"), [(claim, *place) for claim, place in SEARCHES.items()])
def test_the_search_is_there(claim, where, name):
    if where == "check":
        check = next(check for check in CLAIMS[claim].checks if check.name == name)
        evidence = check.judge(check.subject, Setting(0, "quick", claim))
        assert (evidence.kind, evidence.outcome) == ("search", Outcome.CONTRADICTS)
    else:
        assert callable(getattr(module_of(where), name))


def module_of(package: str):
    """Import test_searches_<package>.py by its place; the folder of tests is no package."""
    path = Path(__file__).with_name(f"test_searches_{package}.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
