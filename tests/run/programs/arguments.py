import sys
print(sys.argv[1:], __name__, __spec__, __package__, __cached__, type(__loader__).__name__, sorted(globals()))
print(sys._getframe().f_back, list(sys.modules["__main__"].__dict__)[:7], sys.modules["__main__"].__dict__ is globals())
print(len(sys.path), sys.path[0].endswith("programs"))
