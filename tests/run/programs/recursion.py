import sys


def depth(n):
    try:
        return depth(n + 1)
    except RecursionError:
        return n


print(depth(0), depth(0))
sys.setrecursionlimit(300)
print(depth(0))


def endless():
    endless()


endless()
