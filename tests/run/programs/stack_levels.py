import logging
import sys
import warnings

logging.basicConfig(format="%(funcName)s %(lineno)d %(message)s", stream=sys.stdout)


def leaf(i):
    if i % 50_000 == 0:
        logging.warning("leaf %d", i)
        warnings.warn(f"level 2, {i}", stacklevel=2)
        print(sys._getframe(1).f_code.co_name, sorted(sys._getframe(1).f_locals))
    return i


def loop(n):
    s = 0
    for i in range(n):
        s += leaf(i)
    return s


print(loop(200_001))
warnings.warn("of the module", stacklevel=5)
