import atexit
import sys
import threading
import weakref


class Thing:
    def __del__(self):
        print("gone", flush=True)


thing = Thing()
weakref.finalize(thing, print, "finalized")
atexit.register(print, "first registered")
atexit.register(divmod, 1, 0)
threading.Thread(target=lambda: print("in a thread")).start()
sys.exit(5)
