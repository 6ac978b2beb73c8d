"""A description of the host for people (`python -m jit info`) and bug reports."""

import os
import sys


def describe() -> dict:
    """Plain data: strings, numbers, lists and dictionaries."""
    import platform
    import sysconfig

    from platforms import support

    result = {
        "supported": support().ok,
        "reason": support().reason,
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}",
        "executable": sys.executable,
        "compiler": platform.python_compiler(),
        "build": _build(sysconfig.get_config_vars()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    if support().ok:
        result |= _host()
    return result


def _build(variables: dict) -> dict:
    flags = " ".join(str(variables.get(name) or "") for name in ("CONFIG_ARGS", "PY_CORE_CFLAGS", "DEF_MAKE_ALL_RULE"))
    optimized = any(sign in flags for sign in ("--enable-optimizations", "-fprofile-use", "build_all_use_profile"))
    return {
        "profile_guided": True if optimized else "not recorded",
        "link_time_optimized": True if "-flto" in flags or "--with-lto" in flags else "not recorded",
        "debug": bool(variables.get("Py_DEBUG")),
        "free_threaded": bool(variables.get("Py_GIL_DISABLED")),
    }


def _host() -> dict:
    from platforms import abi, cpu, pages
    from platforms.cpython import layout, symbols, threads

    kind, where = threads.thread_state_source()
    return {
        "library": os.fsdecode(symbols.module()[0]),
        "processor": cpu.brand(),
        "features": sorted(cpu.features()),
        "calling_convention": abi.host().name,
        "page_size": pages.PAGE,
        "page_policy": "code pages are read-execute, or read-write while written; never both",
        "thread_state": f"{kind} {where:#x}",
        "verified": sorted(name for name, value in vars(layout.layout()).items() if isinstance(value, int)),
    }
