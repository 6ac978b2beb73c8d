import builtins
import faulthandler
import gc
import sys
import time

sys.audit("event")
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event) if event.startswith(("signal", "os.fork", "sys.excepthook")) else None)


def work():
    s = 0
    for i in range(400_000):
        s += i
    return s


for _ in range(8):
    work()
# A step of loading the compiler may be under way (README): it is over soon.
end = time.process_time() + 10
while True:
    callbacks, interval = len(gc.callbacks), sys.getswitchinterval()
    if (callbacks, interval) == (0, 0.005) or time.process_time() > end:
        break
    work()
print(seen, callbacks, sys.gettrace(), sys.getprofile(), interval, sys.getrecursionlimit())
print(faulthandler.is_enabled(), builtins.__import__, sys.breakpointhook is sys.__breakpointhook__, sys.excepthook is sys.__excepthook__)
print(sorted(name for name in sys.modules if name.split(".")[0] in ("asm", "regalloc", "platforms")), len(sys.path_hooks), len(sys.meta_path))
