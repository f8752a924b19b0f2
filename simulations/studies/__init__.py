"""The studies that come with the package, one file each, found through the entry-point group dkps_theory.studies."""
