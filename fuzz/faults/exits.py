"""Side exits: the state in which the interpreter goes on."""

from fuzz.faults.planting import Fault, rewriting

FAULTS = [
    Fault("exit-exchanges-two-locals", "exits", "jit",
          rewriting("jit.descriptors", "DescriptorWriter.entries",
                    ("zip(leaving.locals, leaving.bound)", "zip(leaving.locals[:-2] + leaving.locals[:-3:-1], leaving.bound)")),
          "At an exit the function's last two locals change places.", """
def run(count, number):
    low = 1
    high = 2
    while count > 0:
        low = low + 1
        high = high + number
        count = count - 1
    return low, high

def main():
    return run(3, 5), run(3, 2**62)
"""),
    Fault("exit-resumes-behind-the-instruction", "exits", "jit",
          rewriting("jit.builder", "Builder.mismatch_exit",
                    ("found.site = site", "found.site, found.resume = site, self.instruction.following")),
          "Where an item has another type than guessed, the interpreter goes on behind the instruction that reads it.", """
def pick(items, count):
    found = None
    for index in range(count):
        found = items[index]
    return found

def main():
    return pick([1, 2, 3], 3), attempt(pick, [1, 2, "three"], 3)
"""),
    Fault("range-rebuilt-one-item-short", "exits", "jit",
          rewriting("jit.machine.building", "BuildRoutines.emit_range_iterator", ("asm.add(rax, 1)", "pass")),
          "The range iterator that an exit makes ends one item early.", """
def run(count, number):
    total = 0
    for item in range(count):
        total = total + number * item
    return total

def main():
    return run(10, 3), run(10, 2**61)
"""),
    Fault("exception-line-of-the-block", "exits", "jit",
          rewriting("jit.builder", "Builder.exit_here", ("made.executing = self.instruction.executing",
                                                         "made.executing = self.instructions[self.block.index].executing")),
          "An exception is shown, and its handler is looked for, at the first instruction of the basic block.", """
def look(text, first, second):
    found = text.index(first)
    again = text.index(second)
    return found, again

def main():
    return look("abc", "a", "c"), attempt(look, "abc", "a", "d")
"""),
    Fault("inlined-exit-resumes-behind-the-call", "inlining", "jit",
          rewriting("jit.decode", "Instruction.standing_for",
                    ("inner.argument, self.offset,", "inner.argument, self.following,")),
          "What fails in a callee that was walked in the place of its call goes on behind the call, which then never happens.",
          """
def double(number):
    return number + number

def run(count, number):
    for _ in range(count):
        number = double(number)
    return number

def main():
    return run(3, 1), attempt(run, 3, 2**61)
"""),
]
