import sys


def f(n):
    s = 0
    for i in range(n):
        s += i
    return s


def hot():
    return [f(5000) for _ in range(400)][-1]


hot()
events = []


def tracer(frame, event, argument):
    events.append((event, frame.f_code.co_name, frame.f_lineno))
    return tracer


sys.settrace(tracer)
f(3)
sys.settrace(None)
print(events, hot())
calls = []
sys.setprofile(lambda frame, event, argument: calls.append((event, frame.f_code.co_name)))
f(3)
sys.setprofile(None)
print(calls)
