"""Layout, symbols, thread state and function entry on the running interpreter."""

import ctypes
import gc
import signal
import sys
import threading
import time

import pytest

from platforms import pages
from platforms.cpython import layout as layouts
from platforms.cpython import collector, observe, symbols, threads, verify, verify_objects
from platforms.cpython.layout import layout


@pytest.fixture
def wrong(monkeypatch):
    """Verify with one field changed."""

    def verify_with(**change):
        fields = layouts.Layout(**{**vars(layout()), **change})
        monkeypatch.setattr(verify, "layout", lambda: fields)
        return verify.refusal()

    return verify_with


# ---- the layout


def test_the_layout_checks_out():
    assert verify.refusal() == ""


def test_the_layout_is_constant_and_unique():
    assert layout() is layout()
    with pytest.raises(AttributeError):
        layout().float_value = 0
    with pytest.raises(AttributeError):
        del layout().float_value


@pytest.mark.parametrize("version", layouts.VERSIONS)
def test_every_version_has_every_name(version):
    names = [line.split()[0] for line in layouts._TABLE.splitlines()[2:] if line]
    column = layouts.column(version)
    assert list(column) == names == list(dict.fromkeys(names))
    assert column["call_convention"] == ("callable_first" if version == (3, 13) else "null_first")
    assert column["frame_specials_slots"] == 9


def test_an_unknown_version_has_no_layout():
    with pytest.raises(LookupError):
        layouts.column((3, 14))


# Changing one of these moves a check's own footing, e.g. where frames are found at all.
OFFSETS = sorted(
    name
    for name, value in vars(layout()).items()
    if type(value) is int and name not in verify._NOT_FIELDS | verify._DERIVED
)


@pytest.mark.parametrize("name", [name for name in OFFSETS if not name.startswith("frame_specials")])
def test_a_moved_field_is_noticed(wrong, name):
    """The verification is not vacuous: each field moved by a little is found out."""
    size = 1 if name.endswith(("_bit", "_bias", "_typecode", "_tracing", "is_entry", "owner")) else 4
    for step in (size, -size) if getattr(layout(), name) >= size else (size,):
        assert wrong(**{name: getattr(layout(), name) + step}) != "", step


def test_the_reason_names_the_field(wrong):
    assert "layout: float_value does not check out" in wrong(float_value=layout().float_value + 8)
    assert "immortal_refcounts" in wrong(immortal_refcounts=not layout().immortal_refcounts)


def test_the_number_of_special_slots_is_verified(wrong):
    assert wrong(frame_specials_slots=10)


def test_a_field_without_a_check_is_refused(wrong):
    assert wrong(brand_new_field=8) == "layout: not verified: brand_new_field"


def test_arrays_need_no_check_where_there_is_no_array_module(monkeypatch):
    monkeypatch.setitem(sys.modules, "array", None)
    assert verify.refusal() == ""


def test_small_ints():
    fields = layout()
    for number in range(-5, 257):
        assert fields.small_int_base + number * fields.small_int_stride == id(number)


def test_verifying_again_and_again_leaks_nothing():
    def state():
        return sys.getrecursionlimit(), len(gc.get_objects())

    for _ in range(3):
        verify.refusal()
    gc.collect()
    before = state()
    for _ in range(5):
        assert verify.refusal() == ""
    gc.collect()
    after = state()
    assert after[0] == before[0] and after[1] - before[1] < 40


def test_unreadable_memory_is_not_touched():
    page = pages.reserve(pages.PAGE)
    with observe.Peeker() as peeker:
        assert peeker.copy(page, 8) is None
        assert peeker.number(0) is None
        assert peeker.number(2**64 - 8) is None
        pages.protect(page, pages.PAGE, pages.READ)
        assert peeker.copy(page, 8) == bytes(8)
        assert peeker.copy(page + pages.PAGE - 4, 8) in (None, peeker.copy(page + pages.PAGE - 4, 8))
    pages.release(page, pages.PAGE)


# ---- symbols


def test_symbols():
    function = ctypes.pythonapi.PyThreadState_Get
    assert symbols.address("PyThreadState_Get") == ctypes.cast(function, ctypes.c_void_p).value
    assert observe.read(symbols.address("PyExc_ValueError")) == id(ValueError)
    assert symbols.address("memcpy")
    assert symbols.type_address(int) == id(int) == symbols.address("PyLong_Type")
    assert symbols.optional("Py_NoSuchThing") is None
    with pytest.raises(LookupError):
        symbols.address("Py_NoSuchThing")


# ---- thread state


def load_thread_state():
    """What machine code that uses the source finds."""
    kind, where = threads.thread_state_source()
    if kind == "tls":
        # mov rax, fs:[where]; ret
        code = b"\x64\x48\x8b\x04\x25" + where.to_bytes(4, "little", signed=True) + b"\xc3"
    elif kind == "cell":
        # mov rax, where; mov rax, [rax]; ret
        code = b"\x48\xb8" + where.to_bytes(8, "little") + b"\x48\x8b\x00\xc3"
    else:
        code = b"\x48\xb8" + where.to_bytes(8, "little") + b"\xff\xe0"  # mov rax, where; jmp rax
    return pages.routine(code, ctypes.c_uint64)


def in_threads(function, count=4):
    results, barrier = [], threading.Barrier(count)

    def run():
        barrier.wait()
        results.append(function())

    workers = [threading.Thread(target=run) for _ in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


def test_the_thread_state_source_is_right_in_every_thread():
    load = load_thread_state()
    get = threads.current()
    assert load() == get()

    def both():
        return [(load(), get()) for _ in range(100)]

    for found in in_threads(both):
        assert all(state == expected for state, expected in found)


def test_the_thread_state_is_found_without_a_call():
    expected = {(3, 11): "cell"}.get(layout().version, "tls")
    assert threads.thread_state_source()[0] == expected


def test_a_doubtful_thread_state_source_becomes_a_call(monkeypatch):
    monkeypatch.setattr(threads, "_cells", lambda start, size: [start, start + 8])
    monkeypatch.setattr(threads, "_tls_offsets", lambda: {-8, -16})
    fallback = ("call", symbols.address("PyThreadState_Get"))
    assert threads.thread_state_source.__wrapped__() == fallback
    monkeypatch.setattr(threads, "_cells", lambda start, size: [])
    monkeypatch.setattr(threads, "_tls_offsets", lambda: {-8})
    monkeypatch.setattr(threads, "in_other_thread", lambda function: None)
    assert threads.thread_state_source.__wrapped__() == fallback


def test_no_thread_local_block_means_no_offsets(monkeypatch):
    monkeypatch.setattr(threads, "_module", lambda: (0, 0))
    assert threads._tls_offsets() == set()
    assert threads._tls_size(pages.place(b"not an ELF image")) == 0


def test_in_other_thread(monkeypatch):
    assert threads.in_other_thread(threading.get_ident) != threading.get_ident()

    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads._thread, "start_new_thread", refuse)
    assert threads.in_other_thread(threading.get_ident) is None


def test_thread_fields_in_every_thread():
    fields = layout()

    def find():
        state = threads.current()()
        get_id = symbols.function("PyThreadState_GetID", ctypes.c_uint64, ctypes.c_uint64)
        assert observe.read(state + fields.thread_id) == get_id(state)
        assert observe.read(state + fields.thread_ident) == threading.get_ident()
        assert observe.read(state + fields.thread_interp) == threads.interpreter()
        return get_id(state)

    found = in_threads(find)
    assert len(set(found)) == len(found) == 4


# uint32 wait_until_set(byte, attempts)
WAIT_UNTIL_SET = bytes.fromhex(
    "0F B6 07"  # again: movzx eax, byte [rdi]
    "85 C0"  # test eax, eax
    "75 07"  # jnz done
    "F3 90"  # pause
    "48 FF CE"  # dec rsi
    "75 F2"  # jnz again
    "C3"  # done: ret
)


def wait_until_set(address):
    """The low byte at an address once it is not zero; the GIL is held meanwhile."""
    return pages.routine(WAIT_UNTIL_SET, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint64)(address, 30_000_000)


def eval_breaker_address():
    kind, where, _ = threads.eval_breaker()
    return where if kind == "absolute" else threads.current()() + where


def test_a_waiting_thread_sets_the_eval_breaker_and_the_drop_request():
    words = [eval_breaker_address()]
    if layout().interp_gil_drop_request is not None:
        words.append(threads.interpreter() + layout().interp_gil_drop_request)
    stop = False

    def work():
        while not stop:
            pass

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert [wait_until_set(word) for word in words] == [1] * len(words)
    finally:
        sys.setswitchinterval(interval)
        stop = True
        worker.join()


def test_a_signal_sets_the_eval_breaker():
    """The C handler runs while machine code spins with the GIL held."""
    seen = []
    previous = signal.signal(signal.SIGALRM, lambda *_: seen.append(True))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        assert wait_until_set(eval_breaker_address())
        time.sleep(0.001)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert seen == [True]


def traced_value():
    check = threads.tracing_check()
    if check[0] == "cframe":
        return observe.read(observe.read(threads.current()() + check[1]) + check[2], 1)
    if check[0] == "thread_version":
        return observe.read(threads.current()() + check[1]) & check[2]
    assert check[2] == observe.read(check[1])
    return check[2]


@pytest.mark.parametrize("install", [sys.settrace, sys.setprofile])
def test_tracing_changes_what_the_tracing_check_reads(install):
    if sys.gettrace() or sys.getprofile():
        pytest.skip("somebody is tracing")
    before = traced_value()
    install(lambda *_: None)
    during = traced_value()
    install(None)
    assert during != before
    if layout().version == (3, 11):
        assert traced_value() == before == 0


def test_stack_limits():
    limits = threads.stack_limits()
    assert limits.pop("thread_id") == layout().thread_id
    assert set(limits) == {"pthread_self", "pthread_getattr_np", "pthread_attr_getstack", "pthread_attr_destroy", "getpid", "syscall"}
    this = ctypes.PYFUNCTYPE(ctypes.c_uint64)(limits["pthread_self"])
    assert this() == threading.get_ident()


def test_what_other_threads_do_meanwhile_is_no_mistake(monkeypatch):
    """Each look at memory lets the program go on, which may change dictionaries a hundred thousand times: some versions are counted for all."""
    def busy_read(address, size=8):
        found = read(address, size)
        mapping = {}
        for number in range(100_000):
            mapping[0] = number
        return found

    read = verify_objects.read
    monkeypatch.setattr(verify_objects, "read", busy_read)
    observe.let_go()
    with observe.Peeker() as peeker:
        found = {name: (found, expected) for name, found, expected in verify_objects._dictionaries(layout(), peeker)}
        found.update({name: (found, expected) for name, found, expected in verify_objects._others(layout(), peeker)})
    assert len(found) > 30
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}


def test_where_objects_made_are_counted_is_known_by_reading():
    """The number is written before the whole layout is verified: not where anything else lies."""
    assert collector.is_known()
    found = [offset for offset in range(-96, 97, 4) if collector.is_counted_at(collector.counter() + offset)]
    assert found == [0]


def test_verifying_does_not_switch_the_collector_off(monkeypatch):
    monkeypatch.setattr(gc, "disable", lambda: pytest.fail("gc.disable"))
    made = collector.made()
    assert verify.refusal() == ""
    assert collector.made() >= 0 and gc.isenabled()
    assert collector.made() < made + 5_000
