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
    "G25-L31/signed": ("g25_bounds", "test_search_finds_a_signed_loss_above_the_bound_of_lemma_3_1"),
    "G25-L31/mixed": ("g25_bounds", "test_search_finds_prompts_whose_averaged_laws_are_nearer_than_what_was_learned"),
    "G25-D41": ("g25_information", "test_d41_two_laws_that_are_no_shifts_of_each_other"),
    "G25-DI/of-the-model": ("g25_information", "test_di_one_law_of_answers_with_two_gains"),
    "G25-DI/novelty": ("g25_information", "test_di_gain_that_is_no_news_about_the_anchor"),
    "G25-DI/continuous": ("g25_continuous", "test_search_finds_answers_with_a_negative_information_gain"),
    "G25-BSYN/joint": (
        "g25_information",
        "test_bsyn_worlds_in_which_it_is_less_and_more_than_what_w_knows_of_both_factors",
    ),
    "G25-BSYN/dependent": (
        "g25_information",
        "test_bsyn_worlds_in_which_it_is_less_and_more_than_what_w_knows_of_both_factors",
    ),
    "G25-L43": ("g25_information", "test_l43_worlds_on_bits_that_need_a_delta_without_noise"),
    "G25-L43/zero": ("g25_information", "test_l43_worlds_on_bits_that_need_a_delta_without_noise"),
    "G25-L43/noise-alone": ("g25_information", "test_l43_functions_of_three_letters_need_more_delta_than_any_of_two"),
    "G25-L43/continuous": ("g25_continuous", "test_search_finds_factors_in_whose_unit_the_right_side_is_too_small"),
    "G25-L43/continuous-same-unit": (
        "g25_continuous",
        "test_search_finds_noise_at_which_the_right_side_is_too_small_in_the_unit_of_the_answers",
    ),
    "G25-L44/averaged-proxy": (
        "g25_bounds",
        "test_search_finds_a_gap_above_the_bound_with_the_proxy_of_the_averaged_loss",
    ),
    "G25-L44/absolute": ("g25_bounds", "test_search_finds_an_absolute_gap_above_the_layered_bound"),
    "G25-L44/lipschitz": ("g25_bounds", "test_search_finds_layers_that_shrink_distances_and_not_the_gap"),
    "G25-L44/marginal": ("g25_bounds", "test_search_finds_points_that_are_no_draws_of_their_averaged_law"),
    "G25-L44/trained-layers": (
        "g25_bounds",
        "test_search_finds_trained_layers_that_hide_the_sample_and_not_the_gap",
    ),
    "G25-L44/same-noise": ("g25_bounds", "test_search_finds_noise_of_the_training_that_the_bound_does_not_cover"),
    "G25-T45/no-delta": ("g25_bounds", "test_search_finds_worlds_that_need_a_delta"),
    "G25-T45/noisy-factor": ("g25_bounds", "test_search_finds_noisy_factors_that_no_delta_of_the_prompt_covers"),
    "G25-T45/absolute": ("g25_bounds", "test_search_finds_absolute_errors_above_the_bound"),
    "G25-T45/marginal": ("g25_bounds", "test_search_finds_averaged_laws_whose_variations_are_too_small"),
    "G25-L48/absolute": ("g25_bounds", "test_search_finds_an_absolute_anchor_error_above_the_bound"),
    "G25-T45/order": ("g25_bounds", "test_search_finds_bounds_in_either_order_whatever_the_order_of_the_errors"),
    "G25-Q1": ("g25_information", "test_more_gain_with_a_larger_and_with_a_smaller_risk"),
    "G25-Q1/never-helps": ("g25_information", "test_more_gain_with_a_larger_and_with_a_smaller_risk"),
    "G25-Q1/right-side": ("g25_information", "test_more_gain_with_a_larger_right_side"),
    "G25-Q1/continuous": (
        "g25_continuous",
        "test_search_finds_gains_of_information_that_loosen_the_bound_and_raise_the_error",
    ),
    "G25-Q1/continuous-error": (
        "g25_continuous",
        "test_search_finds_gains_of_information_that_loosen_the_bound_and_raise_the_error",
    ),
    "G25-GGMI/sizes": ("g25_information", "test_ggmi_positive_with_the_larger_term_at_other_sizes"),
    "G25-GGMI/whole-bound": ("g25_information", "test_ggmi_positive_with_variation_above_the_whole_other_bound"),
    "G25-GGMI/error": ("g25_information", "test_ggmi_of_either_sign_with_the_other_order_of_risks"),
    "G25-F5": ("g25_f5", "test_search_finds_a_world_in_which_no_place_is_left_out"),
    "G25-F5/data": ("g25_f5", "test_search_finds_a_world_in_which_no_place_is_left_out"),
    "G25-F5/every-generator": ("g25_f5", "test_search_finds_generators_that_cover_and_stay_inside"),
    "G25-F5/level-known": ("g25_f5", "test_search_finds_no_draw_that_is_missed_unless_moments_are_estimated"),
    "G25-KLGAP": ("g25_f7", "test_search_finds_laws_whose_number_from_themselves_is_not_small"),
    "G25-KLGAP/moved": ("g25_f7", "test_search_finds_moves_that_do_not_raise_the_number"),
    **dict.fromkeys(
        ("G25-F7K/published-exact", "G25-F7K/corrected", "G25-F7K/corrected-8"),
        ("g25_f7", "test_search_finds_a_number_whose_rise_raises_the_gap_though_it_was_said_to_fall"),
    ),
    "G25-T49": ("g25_information", "test_t49_worlds_on_bits_in_which_it_fails"),
    "G25-T49/noisy-prompt": ("g25_information", "test_t49_worlds_on_bits_in_which_it_fails"),
    "G25-T49/alpha": ("g25_information", "test_t49_world_without_alpha"),
    "G25-T49/more-gain": ("g25_information", "test_more_gain_with_less_ggmi"),
    "G25-T49/continuous": ("g25_continuous", "test_search_finds_worlds_in_which_t49_fails_term_by_term"),
    "G25-T49/continuous-no-curation": ("g25_continuous", "test_search_finds_worlds_in_which_t49_fails_term_by_term"),
    "G25-T49/continuous-alpha": ("g25_continuous", "test_search_finds_a_unit_in_which_alpha_changes_its_sign"),
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
