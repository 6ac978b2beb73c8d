"""Levenshtein distance between two words: python examples/edit_distance.py [WORD WORD]"""

from common.program import parser, report_time

from jit import jit


@jit
def distance(a, b):
    """Fewest insertions, deletions and replacements that turn `a` into `b`, both lists of characters' numbers."""
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


def main():
    options = parser(__doc__)
    options.add_argument("words", metavar="WORD", nargs="*")
    chosen = options.parse_args()
    if len(chosen.words) not in (0, 2):
        options.error("give two words, or none for an example")
    words = chosen.words or ["the quick brown fox jumps over", "a lazy dog sleeps under the moon"]
    a, b = ([ord(character) for character in word] for word in words)
    print(distance(a, b))
    if chosen.time:
        report_time(lambda: distance(a, b))


if __name__ == "__main__":
    main()
