namespace = {}
exec("def f(n):\n    return sum(i for i in range(n))\nx = f(10)", namespace)
print(namespace["x"], eval("f(5)", namespace), sorted(set(namespace) - {"__builtins__"}))
code = compile("a = [i * 2 for i in range(3)]\nraise KeyError(a)", "<made>", "exec")


def local():
    hidden = 3
    exec("hidden = 4")
    print(hidden, sorted(locals()), eval("hidden + 1"))


for _ in range(300):
    eval("1 + 1")
local()
exec(code)
