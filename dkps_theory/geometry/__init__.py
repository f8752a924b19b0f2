"""From mean embeddings to perspectives: dissimilarities, Gram matrices, classical MDS, alignment and its errors."""

from dkps_theory.geometry.alignment import (
    AlignmentErrors,
    align,
    alignment_errors,
    orthogonal_alignment,
    rigid_alignment,
)
from dkps_theory.geometry.classical_mds import ClassicalMDS, classical_mds, classical_mds_of_means
from dkps_theory.geometry.dissimilarity import (
    cross_dissimilarities,
    debiased_squared_dissimilarities,
    dissimilarities,
)
from dkps_theory.geometry.gram import gram
from dkps_theory.geometry.one_point_stress import raw_stress_placement
from dkps_theory.geometry.out_of_sample import (
    Placement,
    classical_placement,
    gower_placement,
    trosset_priebe_placement,
)
from dkps_theory.geometry.raw_stress import RawStressMDS, raw_stress, raw_stress_mds, smacof
from dkps_theory.geometry.unidimensional import line_minimisers

__all__ = [
    "AlignmentErrors",
    "ClassicalMDS",
    "Placement",
    "RawStressMDS",
    "align",
    "alignment_errors",
    "classical_mds",
    "classical_mds_of_means",
    "classical_placement",
    "cross_dissimilarities",
    "debiased_squared_dissimilarities",
    "dissimilarities",
    "gower_placement",
    "gram",
    "line_minimisers",
    "orthogonal_alignment",
    "raw_stress",
    "raw_stress_mds",
    "raw_stress_placement",
    "rigid_alignment",
    "smacof",
    "trosset_priebe_placement",
]
