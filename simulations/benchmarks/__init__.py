"""Benchmarks: ``python -m simulations.benchmarks [--json FILE]`` prints ratios measured side by side in one run."""
