"""From mean embeddings to perspectives: dissimilarities, Gram matrices, classical MDS, alignment and its errors."""

from dkps_theory.geometry.alignment import (
    AlignmentErrors,
    align,
    alignment_errors,
    orthogonal_alignment,
    rigid_alignment,
)
from dkps_theory.geometry.classical_mds import ClassicalMDS, classical_mds, classical_mds_of_means
from dkps_theory.geometry.dissimilarity import debiased_squared_dissimilarities, dissimilarities
from dkps_theory.geometry.gram import gram

__all__ = [
    "AlignmentErrors",
    "ClassicalMDS",
    "align",
    "alignment_errors",
    "classical_mds",
    "classical_mds_of_means",
    "debiased_squared_dissimilarities",
    "dissimilarities",
    "gram",
    "orthogonal_alignment",
    "rigid_alignment",
]
