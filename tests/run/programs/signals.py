import os
import signal
import sys
import time


def handler(number, frame):
    global seen
    seen += 1
    if seen == 20:
        raise TimeoutError(frame.f_code.co_name)
    signal.setitimer(signal.ITIMER_REAL, 0.01)  # once each, or a slow machine has handlers interrupted by handlers


def loop():
    count = 0
    while True:
        count += 1


seen = 0
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.01)
try:
    loop()
except TimeoutError as problem:
    print(seen, problem, problem.__traceback__.tb_next.tb_next.tb_frame.f_code.co_name, problem.__context__)
signal.setitimer(signal.ITIMER_REAL, 0)
print(signal.getitimer(signal.ITIMER_PROF), signal.getitimer(signal.ITIMER_VIRTUAL), signal.pthread_sigmask(signal.SIG_BLOCK, []))
print([signal.getsignal(number) for number in (signal.SIGPROF, signal.SIGURG, signal.SIGVTALRM)])
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(9))
start = time.monotonic()
os.kill(os.getpid(), signal.SIGUSR1)
