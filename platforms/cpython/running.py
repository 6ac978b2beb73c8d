"""Conditions on the running interpreter that the build does not decide."""

import ctypes

from platforms.cpython import symbols, threads


def refusal() -> str:
    """Why this interpreter, though its build is known, is not supported; or ""."""
    missing = [name for name in _REQUIRED if symbols.optional(name) is None]
    if missing:
        return f"the interpreter does not export {', '.join(missing)}"
    if symbols.optional("_PyOptimizer_NewUOpOptimizer") is not None:
        return "a build with CPython's own experimental just-in-time compiler"
    interpreter = threads.interpreter()
    if symbols.function("PyInterpreterState_Main", ctypes.c_uint64)() != interpreter:
        return "not the main interpreter"
    hook = symbols.function("_PyInterpreterState_GetEvalFrameFunc", ctypes.c_uint64, ctypes.c_uint64)
    if hook(interpreter) != symbols.address("_PyEval_EvalFrameDefault"):
        return "another tool evaluates frames (PEP 523)"
    return ""


_REQUIRED = (
    "_PyEval_EvalFrameDefault",
    "_PyInterpreterState_GetEvalFrameFunc",
    "_PyRuntime",
    "_Py_Dealloc",
    "PyInterpreterState_Get",
    "PyInterpreterState_Main",
    "PyThreadState_Get",
    "PyThreadState_GetID",
    "PyThreadState_SetAsyncExc",
    "Py_AddPendingCall",
)
