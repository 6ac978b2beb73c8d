import sys


class Odd(Exception):
    def __str__(self):
        return "odd\nlines é"


def hook(kind, value, trace):
    print("hook", kind.__name__, value, trace.tb_lineno, trace.tb_next.tb_frame.f_code.co_name)


def f():
    raise Odd


sys.excepthook = hook
f()
