"""One module per theorem or close family; each has CLAIMS."""

CLAIM_MODULES = tuple(
    f"proofs_checks.claims.{name}"
    for name in (
        "a24_eq1",
        "a24_r1",
        "a24_r2",
        "a24_r3",
        "a24_t1",
        "a24_t1_rates",
        "a24_l1",
        "a24_c1",
        "a25_def",
        "b26_def",
        "b26_t1",
        "b26_t2",
        "dk_m1",
        "dk_m6",
        "dk_m6_errors",
        "dk_m8",
        "cl_centre",
        "cl_rigid",
        "cl_schoenberg",
    )
)
