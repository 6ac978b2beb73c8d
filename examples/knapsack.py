"""The most valuable load of a knapsack, by dynamic programming: python examples/knapsack.py [CAPACITY]"""

import sys

from jit import jit


@jit
def best_load(weights, values, capacity):
    best = [0.0] * (capacity + 1)
    for i in range(len(weights)):
        weight = weights[i]
        value = values[i]
        for room in range(capacity, weight - 1, -1):
            candidate = best[room - weight] + value
            if candidate > best[room]:
                best[room] = candidate
    return best[capacity]


if __name__ == "__main__":
    capacity = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    weights = [3 + i * 7 % 23 for i in range(60)]
    values = [1.5 + i * 13 % 31 * 0.75 for i in range(60)]
    print(f"{best_load(weights, values, capacity):.2f}")
