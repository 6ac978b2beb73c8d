"""Templates that read and write containers, and iterate over them."""

from fuzz.faults.planting import Fault, rewriting, together

FAULTS = [
    Fault("list-index-one-beyond-the-end", "templates", "jit",
          together(rewriting("jit.templates.items",
           "emit_index", ("asm.cmp(rdx, size)\n    asm.jae(exit)", "asm.cmp(rdx, size)\n    asm.ja(exit)")),
                   rewriting("jit.templates.hoisted", "_checked_place",
                             ("asm.cmp(rdx, size)\n    asm.jae(exit)", "asm.cmp(rdx, size)\n    asm.ja(exit)"))),
          "A variable subscript equal to the length is let through.", """
def item(items, index):
    return items[index]

def main():
    items = [1, 2, 3]
    items.pop()
    return item(items, 0), item(items, -1), attempt(item, items, 2)
"""),
    Fault("negative-store-index-not-added", "templates", "jit",
          rewriting("jit.templates.stores", "checked_index", ("asm.add(rdx, mem64(base, size_offset))", "pass")),
          "Where a new object is stored at a negative variable index, the length is not added.", """
def store(items, index, value):
    items[index] = value
    return items

def main():
    return store([1, 2, 3], 1, 5), store([1, 2, 3], -1, 10**6)
"""),
    Fault("float-item-not-checked", "templates", "jit",
          rewriting("jit.templates.boxing", "emit_unbox_float", ("asm.jne(mismatch)", "pass")),
          "What is read from a container of floats is taken for a float.", """
def total(items):
    result = 0.0
    for item in items:
        result = result + item
    return result

def main():
    return total([1.5, 2.5]), total([1.5, 2])
"""),
    Fault("too-large-int-unboxed", "templates", "jit",
          rewriting("jit.machine.boxes", "_unbox_int", ("asm.cmp(rdi, 8)", "asm.cmp(rdi, 16)")),
          "Ints from 2**63 to 2**64 are taken for machine ints.", """
def half(a):
    return a >> 1

def main():
    return half(5), half(2**63 + 5)
"""),
    Fault("zip-ends-late", "templates", "jit",
          rewriting("jit.templates.iterating", "range_beyond_64_bits",
                    ("if part is not parts[-1][1]:\n            asm.jae(ended)",
                     "if part is not parts[-1][1]:\n            pass")),
          "A loop over zip() ends with its last part, not with its shortest.", """
def products(left, right):
    result = []
    for a, b in zip(left, right):
        result.append(a * b)
    return result

def main():
    short = [1, 2, 3]
    short.pop()
    return products([1, 2], [3, 4]), products(short, [4, 5, 6])
"""),
    Fault("downward-range-includes-its-end", "templates", "jit",
          rewriting("jit.bytecodes.control", "for_range", ('else ">"', 'else ">="')),
          "A range with a negative constant step goes on to its end, which does not belong to it.", """
def items(start, stop):
    found = []
    for number in range(start, stop, -1):
        found.append(number)
    return found

def main():
    return items(3, 0), items(0, 3)
"""),
    Fault("byte-store-not-checked", "templates", "jit",
          together(rewriting("jit.templates.stores", "store_byte_out_of_range", ("asm.ja(exit)", "pass")),
                   rewriting("jit.templates.hoisted", "store_byte_out_of_range", ("asm.ja(exit)", "pass"))),
          "A number beyond 255 is cut off where it is stored in a bytearray.", """
def store(data, index, value):
    data[index] = value
    return data

def main():
    return store(bytearray(3), 1, 7), attempt(store, bytearray(3), 1, 256)
"""),
    Fault("room-of-a-popped-list-kept", "containers", "jit",
          rewriting("jit.templates.calls", "pop_from_empty_list", ("asm.jl(shrink)", "pass")),
          "A list that is emptied from its end keeps all its memory.", """
import sys

def emptied(count):
    items, sizes = [], []
    for number in range(count):
        items.append(number)
    while len(items) > 1:
        items.pop()
        sizes.append(sys.getsizeof(items))
    return sizes

def main():
    return [emptied(count) for count in (0, 1, 10, 100, 100)]
"""),
]
