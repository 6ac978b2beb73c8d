import os
import time
import warnings

warnings.simplefilter("error")


def busy(seconds):
    end = time.perf_counter() + seconds
    count = 0
    while time.perf_counter() < end:
        count += 1
    return count


for _ in range(5):
    busy(0.02)
    child = os.fork()
    if not child:
        busy(0.03)
        os._exit(0)
    print(os.waitpid(child, 0)[1])
