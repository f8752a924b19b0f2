"""What the numbers were made on: results are bit-identical for one fingerprint, and equal to a tolerance elsewhere."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dkps_theory._version import __version__

_PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "equinox", "xarray", "zarr")


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python and of what the numbers depend on."""
    found = {"dkps-theory": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def processor() -> str:
    """Return the model of the CPU, as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def platform_fingerprint() -> dict[str, str]:
    """Return the system, the processor and the device that JAX computes on."""
    import jax  # noqa: PLC0415  (command modules stay light)

    device = jax.devices()[0]
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "backend": device.platform,
        "device": device.device_kind,
        "flags": os.environ.get("XLA_FLAGS", ""),
    }
