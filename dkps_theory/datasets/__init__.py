"""Populations fitted to real data that every installation has."""

from dkps_theory.datasets.digits import Digits, digits_population

__all__ = ["Digits", "digits_population"]
