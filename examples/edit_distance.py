"""Levenshtein distance between two words: python examples/edit_distance.py WORD WORD"""

import sys

from jit import jit


@jit
def distance(a, b):
    """Fewest insertions, deletions and replacements that turn byte string `a` into `b`."""
    row = list(range(len(b) + 1))
    for i in range(len(a)):
        diagonal = row[0]
        row[0] = i + 1
        for j in range(len(b)):
            cost = 0 if a[i] == b[j] else 1
            best = min(diagonal + cost, row[j] + 1, row[j + 1] + 1)
            diagonal = row[j + 1]
            row[j + 1] = best
    return row[len(b)]


if __name__ == "__main__":
    words = sys.argv[1:3] if len(sys.argv) > 2 else ["the quick brown fox jumps over", "a lazy dog sleeps under the moon"]
    print(distance(words[0].encode(), words[1].encode()))
