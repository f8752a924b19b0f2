"""Simulation studies of DKPS: a study is data, its results are a Zarr store, its report is a page."""
