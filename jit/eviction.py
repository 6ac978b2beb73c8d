"""A bound on the memory that compiled functions take: the code used least makes room for new code.

Versions that no call enters any more are kept, because they may still be running, and so is what dead functions that called each other have left. When memory has doubled, and at the limit, the
stacks are looked through (platforms/cpython/stacks.py), and what nobody will return to is given back. If that is not
enough, the functions that were called least since the last time are handed to the interpreter, until they are hot again.
"""

import os
from bisect import bisect_right

from jit.compiler import CODES
from jit.entries import ENTRIES
from jit.machine import arena, records
from jit.switches import complain
from platforms.cpython import entry, stacks

#: Bytes of machine code and its data, both together; the arena has room for a little more of either.
LIMIT = 30 << 20
#: Below this nothing is looked for.
FIRST_SWEEP = 256 << 10
#: What is left after an eviction, as a share of the limit.
KEPT = 0.7


def limit_from_environment():
    """JIT_CODE_LIMIT, in bytes; never more than LIMIT."""
    text = os.environ.get("JIT_CODE_LIMIT", "")
    if not text:
        return LIMIT
    if not text.isascii() or not text.isdigit() or text == "0":
        complain(f"JIT_CODE_LIMIT={text!r} is not a number of bytes; it is taken for {LIMIT}")
        return LIMIT
    return min(LIMIT, int(text))


class Eviction:
    """The part of Compiler that keeps memory bounded.

    Attributes:
        code_limit: bytes. sweep_at: bytes in use at which it is looked for what can go. evicted: functions handed back so far.
    """

    def __init__(self):
        self.code_limit = limit_from_environment()
        self.sweep_at = min(FIRST_SWEEP, self.code_limit)
        self.evicted = 0

    def make_room(self):
        """Before something is compiled: give memory back if there is much in use. The lock is held."""
        used = arena().used_bytes
        if used < self.sweep_at:
            return
        try:
            dropped = self.sweep()
            # What dies here may run anybody's finalisers, and these find everything in order.
            del dropped
            if arena().used_bytes > self.code_limit * KEPT and used >= self.code_limit:
                self.evict(arena().used_bytes - int(self.code_limit * KEPT))
                dropped = self.sweep()
                del dropped
        except stacks.Unknown:
            pass
        self.sweep_at = min(self.code_limit, max(FIRST_SWEEP, 2 * arena().used_bytes))
        if arena().used_bytes >= self.sweep_at:  # it is all in use; not at every compilation from now on
            self.sweep_at = arena().used_bytes + FIRST_SWEEP // 4

    def sweep(self):
        """Take from the records what no call enters any more and no stack leads into; returns it, for the caller to drop."""
        held = blocks_held()
        self.generators.sweep(lambda items: any(blocks_of(item) & held for item in items))
        dropped = self.break_cycles(held)
        for record in list(self.all_records()):
            for kept in (record.retired, record.old_entries):
                gone = [item for item in kept if not blocks_of(item) & held]
                kept[:] = [item for item in kept if blocks_of(item) & held]
                dropped += gone
            for kinds, cell in list(record.cells.items()):
                if cell.code not in record.versions:
                    dropped.append(record.cells.pop(kinds))  # callers that jump through it hold it
        return dropped

    def break_cycles(self, held):
        """Functions that call each other hold each other's versions, also when all of them have died; returns what held these."""
        waiting = [code for record in self.all_records()
                   for code in (*record.versions, *record.retired, *record.entered_codes(), *(cell.code for cell in record.cells.values()))]
        waiting += [code for wrapper in ENTRIES.all() for code in wrapper.versions]
        waiting += [code for code in CODES.all() if blocks_of(code) & held]  # which may call what they hold
        reached = set()
        while waiting:
            code = waiting.pop()
            if code not in reached:
                reached.add(code)
                waiting += [cell.code for cell in code.callees]
        dropped = []
        for code in CODES.all():
            if code not in reached:
                dropped.append(code.callees)
                code.callees = []
        return dropped

    def evict(self, wanted):
        """Retire the versions of the functions used least, until so many bytes are to come free."""
        for _, record in sorted(self.uses(), key=lambda found: found[0]):
            if wanted <= 0:
                break
            function = record.function()
            if function is None or not record.versions or record.in_progress:
                continue
            wanted -= sum(code.size + code.data_size for code in record.versions)
            self.evicted += 1
            for code in list(record.versions):
                self.discard(record, code)
            if record.automatic:
                entry.restore(function)
                record.asleep = True
                if record.entry is not None:  # else it was called by compiled code only
                    record.old_entries.append(record.entry)
                record.entry = None
            else:
                self.install(record, function)

    def uses(self):
        """(calls since this was asked last, record) of each record with versions; what others call is used as much as they are."""
        known = list(self.all_records())
        owners = {code: record for record in known for code in record.versions}
        found = {}
        for record in known:
            calls = sum(records.read_version(code.version_record).calls for code in record.versions)
            found[record], record.calls_seen = max(0, calls - record.calls_seen), calls
        waiting = [record for record in found if found[record]]
        while waiting:
            record = waiting.pop()
            for cell in (cell for code in record.versions for cell in code.callees):
                callee = owners.get(cell.code)
                if callee is not None and found[callee] < found[record]:
                    found[callee] = found[record]
                    waiting.append(callee)
        return [(count, record) for record, count in found.items() if record.versions]

    def wake(self, record, function):
        """A function that was evicted is hot again: let its next call come to the compiler."""
        record.asleep = False
        entry.redirect(function, self.first.address)


def blocks_of(item):
    """First addresses of the arena's blocks that belong to a Code or an Entry."""
    return {item.block, item.data} if hasattr(item, "version_record") else {item.address}


def blocks_held():
    """First addresses of the arena's blocks that a stack leads into; raises stacks.Unknown."""
    blocks = arena().blocks()
    low, high = arena().start, arena().start + arena().size
    starts = [start for start, _ in blocks]
    held = set()
    for word in stacks.pointers_into(low, high):
        place = bisect_right(starts, word) - 1
        # The end counts: a call may be the last instruction.
        if place >= 0 and word <= blocks[place][0] + blocks[place][1]:
            held.add(blocks[place][0])
    return held
