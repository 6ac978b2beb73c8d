import threading


def total(n):
    s = 0
    for i in range(n):
        s += i & 7
    return s


results = []
threads = [threading.Thread(target=lambda: results.append(total(300_000))) for _ in range(6)]
for thread in threads:
    thread.start()
print(threading.active_count() <= 7)
for thread in threads:
    thread.join()
print(results, threading.enumerate() == [threading.main_thread()])
