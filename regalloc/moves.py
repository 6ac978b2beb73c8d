"""Parallel moves: all sources are read before any destination is written."""


def sequentialise(moves, scratch):
    """Order parallel moves so that they can be done one after the other.

    Args:
        moves: list of (destination, source); places are hashable, destinations distinct.
        scratch: function from a place to a scratch place of its kind, for breaking cycles.

    Returns:
        list of (destination, source): one for each move that changes something, and one more for each cycle. Sources that
        no move overwrites (constants among them) come last, when no scratch place is in use any more.

    Raises:
        ValueError: two moves have one destination.
    """
    pending = {destination: source for destination, source in moves}
    if len(pending) != len(moves):
        raise ValueError("two moves to one place")
    pending = {destination: source for destination, source in pending.items() if destination != source}
    # They wait for nobody: nothing overwrites their sources, and who reads their destinations goes before.
    last = [(destination, source) for destination, source in pending.items() if source not in pending]
    for destination, _ in last:
        del pending[destination]
    readers = {}
    for source in pending.values():
        readers[source] = readers.get(source, 0) + 1
    ready = [destination for destination in pending if destination not in readers]
    ordered = []
    while pending:
        while ready:
            destination = ready.pop()
            source = pending.pop(destination)
            ordered.append((destination, source))
            readers[source] -= 1
            if not readers[source] and source in pending:
                ready.append(source)
        if pending:
            # Only cycles are left: save one member, so that it can be overwritten.
            saved = next(iter(pending))
            place = scratch(saved)
            ordered.append((place, saved))
            readers[place] = 0
            for destination, source in pending.items():
                if source == saved:
                    pending[destination] = place
                    readers[place] += 1
            readers[saved] = 0
            ready.append(saved)
    return ordered + last
