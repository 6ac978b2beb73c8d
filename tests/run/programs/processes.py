import multiprocessing
import os
import sys


def work(x):
    return x * x, __name__


if __name__ == "__main__":
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, pool.map(work, range(4)))
            pool.close()
            pool.join()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        print("child", flush=True)
        os._exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
