"""What course work and scripts are made of: numbers, searches, tables, recursion; a part of everyday.py. Each function takes about a millisecond at most."""

import heapq
import random
from collections import deque


def sieve():
    count = 5000
    prime = [True] * (count + 1)
    prime[0] = prime[1] = False
    for i in range(2, int(count ** 0.5) + 1):
        if prime[i]:
            for j in range(i * i, count + 1, i):
                prime[j] = False
    return [i for i, is_prime in enumerate(prime) if is_prime][-1]


def collatz():
    longest = 0
    for start in range(1, 200):
        n, steps = start, 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        longest = max(longest, steps)
    return longest


def breadth_first():
    size = 30
    wall = [[(x * 7 + y * 3) % 5 == 0 for x in range(size)] for y in range(size)]
    waiting, distance = deque([(0, 1)]), {(0, 1): 0}
    while waiting:
        x, y = waiting.popleft()
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            place = x + dx, y + dy
            if 0 <= place[0] < size and 0 <= place[1] < size and not wall[place[1]][place[0]] and place not in distance:
                distance[place] = distance[x, y] + 1
                waiting.append(place)
    return sum(distance.values())


def shortest_paths():
    edges = {i: [((i * 7 + k) % 200, (i * k) % 9 + 1) for k in range(5)] for i in range(200)}
    best, heap = {0: 0}, [(0, 0)]
    while heap:
        so_far, node = heapq.heappop(heap)
        if so_far > best.get(node, 1e9):
            continue
        for other, length in edges[node]:
            if so_far + length < best.get(other, 1e9):
                best[other] = so_far + length
                heapq.heappush(heap, (so_far + length, other))
    return sum(best.values())


def distance_of(left, right):
    previous = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            current.append(min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a != b)))
        previous = current
    return previous[-1]


def edit_distance():
    return distance_of("the quick brown fox jumps", "over the lazy dog again")


def life():
    size = 20
    grid = [[(x * y + x) % 3 == 0 for x in range(size)] for y in range(size)]
    following = [[False] * size for _ in range(size)]
    for y in range(size):
        for x in range(size):
            count = sum(grid[(y + dy) % size][(x + dx) % size] for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy)
            following[y][x] = count == 3 or grid[y][x] and count == 2
    return sum(map(sum, following))


def life_of_sets():
    living = {(x, y) for x in range(12) for y in range(12) if (x * y + x) % 3 == 0}
    counts = {}
    for x, y in living:
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                if dx or dy:
                    counts[x + dx, y + dy] = counts.get((x + dx, y + dy), 0) + 1
    return len({place for place, count in counts.items() if count == 3 or count == 2 and place in living})


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def recursion():
    return fibonacci(14)


def hanoi():
    moves = []

    def move(count, source, target, other):
        if count:
            move(count - 1, source, other, target)
            moves.append((source, target))
            move(count - 1, other, target, source)

    move(8, "a", "b", "c")
    return len(moves)


def sorted_quickly(items):
    if len(items) < 2:
        return items
    pivot = items[0]
    return sorted_quickly([x for x in items[1:] if x < pivot]) + [pivot] + sorted_quickly([x for x in items[1:] if x >= pivot])


def quicksort():
    chance = random.Random(3)
    return sorted_quickly([chance.random() for _ in range(200)])[0]


def merged(items):
    if len(items) < 2:
        return items
    half = len(items) // 2
    left, right, out, i, j = merged(items[:half]), merged(items[half:]), [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            out.append(left[i])
            i += 1
        else:
            out.append(right[j])
            j += 1
    return out + left[i:] + right[j:]


def mergesort():
    return merged([(i * 7919) % 1009 for i in range(200)])[0]


def bubblesort():
    items = [(i * 7919) % 1009 for i in range(60)]
    for i in range(len(items)):
        for j in range(len(items) - 1 - i):
            if items[j] > items[j + 1]:
                items[j], items[j + 1] = items[j + 1], items[j]
    return items[0]


def binary_search():
    items, found = list(range(0, 3000, 3)), 0
    for x in range(0, 3000, 21):
        low, high = 0, len(items)
        while low < high:
            middle = (low + high) // 2
            if items[middle] < x:
                low = middle + 1
            else:
                high = middle
        found += low < len(items) and items[low] == x
    return found


def knapsack():
    room = 100
    weights, values = [(i * 7) % 23 + 1 for i in range(15)], [(i * 11) % 37 for i in range(15)]
    best = [[0] * (room + 1) for _ in range(len(weights) + 1)]
    for i in range(1, len(weights) + 1):
        for left in range(room + 1):
            best[i][left] = best[i - 1][left]
            if weights[i - 1] <= left:
                best[i][left] = max(best[i][left], best[i - 1][left - weights[i - 1]] + values[i - 1])
    return best[-1][-1]


def partitions():
    known = {}

    def ways(n, k):
        if n == 0:
            return 1
        if n < 0 or k == 0:
            return 0
        if (n, k) not in known:
            known[n, k] = ways(n - k, k) + ways(n, k - 1)
        return known[n, k]

    return ways(30, 30)


def queens():
    size, count = 6, 0

    def place(row, columns, rising, falling):
        nonlocal count
        if row == size:
            count += 1
            return
        for column in range(size):
            if column not in columns and row + column not in rising and row - column not in falling:
                place(row + 1, columns | {column}, rising | {row + column}, falling | {row - column})

    place(0, frozenset(), frozenset(), frozenset())
    return count


def disjoint_sets():
    parent = list(range(500))

    def find(x):
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    for i in range(500):
        a, b = find(i), find((i * 7 + 3) % 500)
        if a != b:
            parent[a] = b
    return len({find(i) for i in range(500)})


def matrices():
    size = 12
    left = [[i * j % 7 for j in range(size)] for i in range(size)]
    columns = [list(column) for column in zip(*left)]
    return sum(sum(x * y for x, y in zip(row, column)) for row in left for column in columns)


def mandelbrot():
    inside = 0
    for y in range(8):
        for x in range(12):
            z, c = 0j, complex(x / 6 - 1.5, y / 4 - 1)
            for _ in range(30):
                if abs(z) > 2:
                    break
                z = z * z + c
            else:
                inside += 1
    return inside


def monte_carlo():
    chance, inside = random.Random(4), 0
    for _ in range(1000):
        x, y = chance.random(), chance.random()
        inside += x * x + y * y <= 1
    return inside


def large_numbers():
    a, b = 0, 1
    for _ in range(500):
        a, b = b, a + b
    return a % 1_000_007


PROGRAMS = (sieve, collatz, breadth_first, shortest_paths, edit_distance, life, life_of_sets, recursion, hanoi, quicksort, mergesort, bubblesort, binary_search, knapsack,
            partitions, queens, disjoint_sets, matrices, mandelbrot, monte_carlo, large_numbers)
