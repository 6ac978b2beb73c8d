"""Pages, the free list and the arena."""

import ctypes
import errno
import mmap
import os
import random
import subprocess
import sys
import threading
import weakref

import pytest

import platforms
from platforms import memory, pages
from platforms.freelist import FreeList
from platforms.memory import CodeArena

RETURN_7 = bytes.fromhex("B8 07 00 00 00 C3")  # mov eax, 7; ret
RETURN_8 = bytes.fromhex("B8 08 00 00 00 C3")


def call(address):
    return ctypes.PYFUNCTYPE(ctypes.c_int)(address)()


@pytest.fixture
def arena():
    arena = CodeArena(1 << 20)
    yield arena
    arena.close()


def writable_and_executable():
    with open("/proc/self/maps") as maps:
        # Shared ones ("rwxs") belong to other tests of this process; ours are always private.
        return [line for line in maps if line.split()[1] == "rwxp"]


# ---- the free list


def test_best_fit_takes_the_smallest_block_that_is_large_enough():
    blocks = FreeList(0x1000, 0x1000, 16)
    large, keep_1, small, keep_2 = (blocks.allocate(size) for size in (256, 16, 64, 16))
    blocks.free(large)
    blocks.free(small)
    assert blocks.allocate(50) == small
    assert blocks.allocate(50) == large


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_neighbouring_free_blocks_merge_in_any_order(order):
    blocks = FreeList(0, 96, 16)
    addresses = [blocks.allocate(32) for _ in range(3)]
    for position in order:
        blocks.free(addresses[position])
    assert blocks.free_blocks() == [(0, 96)]
    assert blocks.used_bytes == 0


def test_the_free_list_agrees_with_a_model():
    """Random use: blocks never overlap, stay inside, and all space comes back."""
    chance = random.Random(2)
    blocks, held = FreeList(0x10000, 0x4000, 16), {}
    for _ in range(3000):
        if held and chance.random() < 0.48:
            address = chance.choice(sorted(held))
            blocks.free(address)
            del held[address]
        else:
            size = chance.choice((1, 16, 17, 100, 500, 2000))
            try:
                address = blocks.allocate(size)
            except MemoryError:
                assert max((free for _, free in blocks.free_blocks()), default=0) < size
                continue
            assert address % 16 == 0
            held[address] = -(-size // 16) * 16
        ranges = sorted([*held.items(), *blocks.free_blocks()])
        assert ranges[0][0] == 0x10000
        assert all(start + size == next_start for (start, size), (next_start, _) in zip(ranges, ranges[1:]))
        assert sum(size for _, size in ranges) == 0x4000
        assert blocks.used_bytes == sum(held.values())
    for address in held:
        blocks.free(address)
    assert blocks.free_blocks() == [(0x10000, 0x4000)]


@pytest.mark.parametrize("size", [0, -1])
def test_a_block_has_a_positive_size(size):
    with pytest.raises(ValueError):
        FreeList(0, 64, 16).allocate(size)


# ---- the arena


def test_written_code_runs(arena):
    first, second = arena.allocate_code(len(RETURN_7)), arena.allocate_code(len(RETURN_8))
    arena.write_code(first, RETURN_7)
    arena.write_code(second, RETURN_8)
    assert (call(first), call(second)) == (7, 8)
    assert first % 16 == second % 16 == 0
    arena.write_code(first, RETURN_8)
    assert call(first) == 8


def test_code_may_span_pages(arena):
    address = arena.allocate_code(3 * pages.PAGE)
    code = b"\x90" * (3 * pages.PAGE - len(RETURN_7)) + RETURN_7
    arena.write_code(address, code)
    assert call(address) == 7
    arena.write_code(address + pages.PAGE - 3, RETURN_8)  # across a page boundary
    assert call(address) == 8


def test_no_memory_is_ever_writable_and_executable(arena):
    others = writable_and_executable()  # libffi's, where another test has given a Python function to C
    held = []
    for size in (10, 5000, 100):
        address = arena.allocate_code(size)
        assert writable_and_executable() == others
        arena.write_code(address, RETURN_7)
        assert writable_and_executable() == others
        held.append(address)
    data = arena.allocate_data(100)
    for address in held:
        arena.free_code(address)
    arena.free_data(data)
    assert writable_and_executable() == others
    with pytest.raises(ValueError):
        pages.protect(arena.start, pages.PAGE, pages.WRITE | pages.EXECUTE)


def protection(address):
    with open("/proc/self/maps") as maps:
        for line in maps:
            first, last = (int(number, 16) for number in line.split()[0].split("-"))
            if first <= address < last:
                return line.split()[1]


def test_each_part_has_its_protection(arena):
    code, data = arena.allocate_code(1), arena.allocate_data(1)
    arena.write_code(code, b"\xc3")
    assert protection(code) == "r-xp"
    assert protection(data) == "rw-p"
    assert protection(arena.start + arena.code_size - 1) == "---p"  # never used


def test_freed_code_traps(arena):
    address = arena.allocate_code(20)
    arena.write_code(address, RETURN_7 * 3)
    arena.free_code(address)
    arena.statistics()
    assert ctypes.string_at(address, 32) == b"\xcc" * 32
    assert arena.allocate_code(20) == address


def test_data_is_zero_also_when_used_again(arena):
    address = arena.allocate_data(100)
    assert address % 16 == 0
    assert ctypes.string_at(address, 100) == bytes(100)
    ctypes.memset(address, 0x55, 100)
    arena.free_data(address)
    assert arena.allocate_data(100) == address
    assert ctypes.string_at(address, 100) == bytes(100)


def test_a_full_arena_raises_memory_error(arena):
    for allocate, free in ((arena.allocate_code, arena.free_code), (arena.allocate_data, arena.free_data)):
        address = allocate(arena.code_size)
        with pytest.raises(MemoryError):
            allocate(1)
        if free == arena.free_data:
            free(address)
            assert allocate(16) == address


def test_statistics(arena):
    before = arena.statistics()
    code, data = arena.allocate_code(100), arena.allocate_data(10)
    during = arena.statistics()
    assert during["code_bytes_used"] == 112 and during["data_bytes_used"] == 16
    assert during["code_bytes_free"] + 112 == before["code_bytes_free"] == arena.code_size
    assert during["code_blocks_used"] == during["data_blocks_used"] == 1
    arena.write_code(code, RETURN_7)
    arena.free_code(code), arena.free_data(data)
    assert arena.statistics() == before


@pytest.mark.parametrize("free", ["free_code", "free_data"])
def test_freeing_twice_or_nonsense_is_an_error(arena, free):
    address = arena.allocate_data(1) if free == "free_data" else arena.allocate_code(1)
    getattr(arena, free)(address)
    for wrong in (address, address + 1, 0):
        with pytest.raises(ValueError):
            getattr(arena, free)(wrong)


def test_code_is_written_only_into_the_code_part(arena):
    for address in (arena.start - 1, arena.start + arena.code_size - 2, arena.allocate_data(8)):
        with pytest.raises(ValueError):
            arena.write_code(address, RETURN_7)
    arena.write_code(arena.start, b"")


@pytest.mark.parametrize("sizes", [(1 << 20, 1 << 20), (1 << 20, 0), (1 << 31, None)])
def test_impossible_sizes(sizes):
    with pytest.raises(ValueError):
        CodeArena(*sizes)


def test_an_arena_is_given_back_only_when_told():
    arena = CodeArena(1 << 20)
    start = arena.start
    assert protection(start) is not None
    gone = weakref.ref(arena)
    del arena
    assert gone() is None and protection(start) is not None
    pages.release(start, 1 << 20)
    assert protection(start) is None


def test_a_closed_arena_has_no_room():
    arena = CodeArena(1 << 20)
    arena.close()
    assert protection(arena.start) is None
    with pytest.raises(MemoryError):
        arena.allocate_code(1)
    with pytest.raises(MemoryError):
        arena.allocate_data(1)


def test_nothing_is_freed_while_the_interpreter_shuts_down(arena):
    address = arena.allocate_code(1)
    arena._free(arena._code, address, is_finalizing=lambda: True)
    assert arena.statistics()["code_blocks_used"] == 1


def test_a_failing_system_call_is_reported(arena):
    address = pages.reserve(pages.PAGE)
    pages.release(address, pages.PAGE)
    assert memory._writer()(address, pages.PAGE, address, b"", 0) == -errno.ENOMEM
    arena._write = lambda *_: -errno.ENOMEM
    with pytest.raises(OSError, match="cannot write machine code"):
        arena.write_code(arena.start, RETURN_7)


def test_allocating_inside_an_allocation_is_refused_and_freeing_is_put_off(arena, monkeypatch):
    """As a finalizer does that runs in the middle of one."""
    block = arena.allocate_data(16)
    real, seen = arena._data.allocate, []

    def allocate(size):
        arena.free_data(block)
        seen.append(block in arena._data.used)
        with pytest.raises(MemoryError):
            arena.allocate_data(16)
        return real(size)

    monkeypatch.setattr(arena._data, "allocate", allocate)
    arena.allocate_data(16)
    monkeypatch.undo()
    assert seen == [True]
    assert arena.statistics()["data_blocks_used"] == 1


def test_many_threads(arena):
    errors = []

    def work(seed):
        chance = random.Random(seed)
        try:
            for _ in range(100):
                code = (RETURN_7, RETURN_8)[seed % 2]
                address, data = arena.allocate_code(chance.randrange(6, 200)), arena.allocate_data(64)
                arena.write_code(address, code)
                assert call(address) == 7 + seed % 2
                arena.free_code(address), arena.free_data(data)
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    assert arena.statistics()["code_blocks_used"] == 0


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_parent_and_child_do_not_see_each_others_code_after_a_fork(arena):
    address = arena.allocate_code(16)
    arena.write_code(address, RETURN_7)
    others = writable_and_executable()
    child = os.fork()
    if not child:
        status = call(address) == 7
        arena.write_code(address, RETURN_8)
        other = arena.allocate_code(16)
        arena.write_code(other, RETURN_8)
        os._exit(0 if status and call(address) == call(other) == 8 and writable_and_executable() == others else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert call(address) == 7


# ---- refusals by the system


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_system_that_forbids_executable_memory_is_reported(monkeypatch, number):
    real = pages._mprotect

    def refuse(address, size, protection):
        if protection & pages.EXECUTE:
            ctypes.set_errno(number)
            return -1
        return real(address, size, protection)

    monkeypatch.setattr(pages, "_mprotect", refuse)
    assert pages.probe() == f"no executable memory ({os.strerror(number)})".replace(
        os.strerror(number), f"cannot make memory executable: {os.strerror(number)}"
    )
    assert platforms._refusal() == pages.probe()


def test_no_address_space_is_reported(monkeypatch):
    def refuse(*_):
        ctypes.set_errno(errno.ENOMEM)
        return 2**64 - 1

    monkeypatch.setattr(pages, "_mmap", refuse)
    assert "cannot reserve" in pages.probe()
    with pytest.raises(OSError):
        CodeArena()


def test_wrong_machine_code_is_reported(monkeypatch):
    monkeypatch.setattr(pages, "_ANSWER", RETURN_7)
    assert pages.probe() == "machine code does not run as expected"


def test_a_process_that_renounced_new_executable_memory():
    """prctl(PR_SET_MDWE), which systemd's MemoryDenyWriteExecute= uses on new kernels."""
    program = (
        "import ctypes, platforms\n"
        "if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0): print('unsupported')\n"
        "else: print(platforms.support())\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    if "unsupported" in result.stdout:
        pytest.skip("this kernel has no PR_SET_MDWE")
    assert "ok=False" in result.stdout and "no executable memory" in result.stdout


def test_page_size():
    assert pages.PAGE == mmap.PAGESIZE
