"""Children forked while other threads compile run compiled code themselves, and come to an end."""

import os
import signal
import threading
import time
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
CODE = "def f{0}(x):\n    t = 0\n    for i in range(x):\n        t += i * {0}\n    return t\n"
ended = []


def make_functions():
    number = 0
    while not ended:
        number += 1
        names = {}
        exec(CODE.format(number), names)
        for _ in range(30):
            names[f"f{number}"](100)


def child():
    signal.alarm(20)
    names = {}
    exec(CODE.format(7), names)
    for _ in range(300):
        total = names["f7"](100)
    os._exit(0 if total == 7 * 4950 else 3)


threads = [threading.Thread(target=make_functions) for _ in range(2)]
for thread in threads:
    thread.start()
statuses = []
for _ in range(25):
    time.sleep(0.002)
    process = os.fork()
    if process == 0:
        child()
    statuses.append(os.waitpid(process, 0)[1])
ended.append(True)
for thread in threads:
    thread.join()
print(statuses)
