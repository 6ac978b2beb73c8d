import inspect
import traceback


def deep(n):
    return 1 // n if n == 0 else deep(n - 1)


def caught():
    try:
        deep(5)
    except ZeroDivisionError:
        traceback.print_exc()
    traceback.print_stack()
    print([frame.function for frame in inspect.stack()])


for _ in range(3):
    caught()
try:
    deep(2)
except ZeroDivisionError as problem:
    raise RuntimeError("second") from problem
