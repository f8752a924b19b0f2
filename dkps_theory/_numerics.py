"""The numerical setting of a command: BLAS on one thread, JAX's compiled code kept between runs.

The library itself changes neither; command bodies and worker processes call :func:`numerics` before they make numbers.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path

#: Names a folder for compiled code, or ``off``. Without it JAX's own JAX_COMPILATION_CACHE_DIR decides, and without
#: that the user's cache folder.
CACHE_VARIABLE = "DKPS_THEORY_CACHE_DIR"

_THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS")


def cache_folder() -> Path | None:
    """Return the folder for compiled code, made if need be; None when it is switched off or cannot be written."""
    chosen = os.environ.get(CACHE_VARIABLE) or os.environ.get("JAX_COMPILATION_CACHE_DIR")
    if chosen == "off":
        return None
    if chosen is None:
        import platformdirs

        folder = Path(platformdirs.user_cache_dir("dkps-theory")) / "compiled"
    else:
        folder = Path(chosen).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def has_started() -> bool:
    """Whether JAX has started, so that flags have no effect any more; the package's numerical modules start it."""
    if "jax" not in sys.modules:
        return False
    from jax._src import xla_bridge  # no public function tells it without starting JAX

    return xla_bridge.backends_are_initialized()


def _compile_quickly() -> None:
    """Ask XLA for its first level of optimisation on a CPU, unless the user asked for another.

    Compiling a sampler takes a third of the time then, and running it about the same. A JAX that has started already
    keeps what it has; on a GPU XLA's own default stays.
    """
    if has_started():
        return  # the flag would say what is not so, here and to worker processes
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_backend_optimization_level" not in flags and importlib.util.find_spec("jax_plugins") is None:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_backend_optimization_level=1".strip()


def numerics() -> Path | None:
    """Pin BLAS to one thread and switch JAX's persistent compilation cache on; return its folder, or None without one.

    Results are bit-identical on one platform only if sums are taken in one order, hence one thread. The environment is
    set too, so that spawned workers start the same way (they call this function again). Calling it twice does no harm.
    """
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = "1"
    _compile_quickly()

    import jax
    import scipy.linalg  # noqa: F401  (its BLAS, which JAX calls too, must be loaded before it can be limited)
    import threadpoolctl

    threadpoolctl.threadpool_limits(limits=1)
    folder = cache_folder()
    jax.config.update("jax_enable_compilation_cache", folder is not None)
    if folder is not None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        # Most programs here compile in under JAX's default threshold of one second, and there are many of them.
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return folder
