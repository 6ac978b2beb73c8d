"""The most valuable load of a knapsack, by dynamic programming: python examples/knapsack.py [CAPACITY]"""

from common.program import number, parser, report_time

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


def main():
    options = parser(__doc__)
    options.add_argument("capacity", metavar="CAPACITY", nargs="?", type=number(0), default=500)
    chosen = options.parse_args()
    weights = [3 + i * 7 % 23 for i in range(60)]
    values = [1.5 + i * 13 % 31 * 0.75 for i in range(60)]
    print(f"{best_load(weights, values, chosen.capacity):.2f}")
    if chosen.time:
        report_time(lambda: best_load(weights, values, chosen.capacity))


if __name__ == "__main__":
    main()
