import os
import signal
import threading


def loop():
    count = 0
    for i in range(10 ** 12):
        count += i


threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
loop()
