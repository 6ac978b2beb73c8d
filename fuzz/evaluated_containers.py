"""The operations of the reference evaluator that build, fill, unpack and match containers."""

from functools import cache

from fuzz.evaluator import NotEvaluated, operation


@operation("BUILD_TUPLE")
def build_tuple(frame, instruction):
    frame.push(tuple(frame.pop_many(instruction.argument)))


@operation("BUILD_LIST")
def build_list(frame, instruction):
    frame.push(frame.pop_many(instruction.argument))


@operation("BUILD_SET")
def build_set(frame, instruction):
    frame.push(set(frame.pop_many(instruction.argument)))


@operation("BUILD_MAP")
def build_map(frame, instruction):
    items = frame.pop_many(2 * instruction.argument)
    frame.push(dict(zip(items[::2], items[1::2])))


@operation("BUILD_CONST_KEY_MAP")
def build_const_key_map(frame, instruction):
    keys = frame.pop()
    frame.push(dict(zip(keys, frame.pop_many(instruction.argument))))


@operation("BUILD_SLICE")
def build_slice(frame, instruction):
    frame.push(slice(*frame.pop_many(3 if instruction.argument == 3 else 2)))


@operation("LIST_APPEND")
def list_append(frame, instruction):
    value = frame.pop()
    frame.container(instruction.argument, list).append(value)


@operation("SET_ADD")
def set_add(frame, instruction):
    value = frame.pop()
    frame.container(instruction.argument, set).add(value)


@operation("MAP_ADD")
def map_add(frame, instruction):
    key, value = frame.pop_many(2)
    frame.container(instruction.argument, dict)[key] = value


@operation("LIST_EXTEND")
def list_extend(frame, instruction):
    """Like the two below, with Python's own error for what cannot be unpacked."""
    items = frame.pop()
    frame.container(instruction.argument, list).extend([*items])


@operation("SET_UPDATE")
def set_update(frame, instruction):
    items = frame.pop()
    frame.container(instruction.argument, set).update(items)


@operation("DICT_UPDATE")
def dict_update(frame, instruction):
    mapping = frame.pop()
    frame.container(instruction.argument, dict).update({**mapping})


@cache
def unpacker(before, after):
    """A function that unpacks into `before` targets, and if `after` is not None, a starred one and `after` more."""
    names = [f"t{number}" for number in range(before + (0 if after is None else 1 + after))]
    if after is not None:
        names[before] = "*" + names[before]
    namespace = {}
    targets = f"[{', '.join(names)}]"
    exec(f"def unpack(x):\n    {targets} = x\n    return {targets.replace('*', '')}", namespace)
    return namespace["unpack"]


def unpack(frame, before, after):
    if before + (after or 0) > frame.code.co_stacksize:
        raise NotEvaluated("more operands than fit on the stack")
    frame.push(*reversed(unpacker(before, after)(frame.pop())))


@operation("UNPACK_SEQUENCE")
def unpack_sequence(frame, instruction):
    unpack(frame, instruction.argument, None)


@operation("UNPACK_EX")
def unpack_ex(frame, instruction):
    unpack(frame, instruction.argument & 255, instruction.argument >> 8)


# -- match statements -----------------------------------------------------------------------------------

MISSING = object()


@operation("GET_LEN")
def get_len(frame, instruction):
    frame.push(len(frame.peek(1)))


@operation("MATCH_SEQUENCE")
def match_sequence(frame, instruction):
    match frame.peek(1):
        case [*_]:
            frame.push(True)
        case _:
            frame.push(False)


@operation("MATCH_MAPPING")
def match_mapping(frame, instruction):
    match frame.peek(1):
        case {}:
            frame.push(True)
        case _:
            frame.push(False)


@operation("MATCH_KEYS")
def match_keys(frame, instruction):
    """The values of some keys, or None if one is missing. Not by a match statement, which would ask for the length, too."""
    subject, keys = frame.peek(2), frame.peek(1)
    if type(keys) is not tuple:
        raise NotEvaluated("keys that are no tuple")
    frame.push(values_of(subject, keys))


def values_of(subject, keys):
    if not keys:
        return ()
    get, seen, values = subject.get, set(), []
    for key in keys:
        if key in seen:
            raise ValueError(f"mapping pattern checks duplicate key ({key!r})")
        seen.add(key)
        value = get(key, MISSING)
        if value is MISSING:
            return None
        values.append(value)
    return tuple(values)


@cache
def class_matcher(count, names):
    """A function that matches against a class with `count` positional patterns and the attributes `names`."""
    targets = [f"t{number}" for number in range(count + len(names))]
    patterns = targets[:count] + [f"{name}={target}" for name, target in zip(names, targets[count:])]
    result = "".join(target + ", " for target in targets)
    namespace = {}
    exec(f"def matched(subject, kind):\n match subject:\n  case kind({', '.join(patterns)}): return ({result})", namespace)
    return namespace["matched"]


@operation("MATCH_CLASS")
def match_class(frame, instruction):
    subject, kind, names = frame.pop_many(3)
    sound = type(names) is tuple and all(type(name) is str for name in names)
    if not sound or instruction.argument > frame.code.co_stacksize:
        raise NotEvaluated("a class pattern that none can be")
    try:
        matcher = class_matcher(instruction.argument, names)
    except SyntaxError:
        raise NotEvaluated("a class pattern that Python refuses") from None
    frame.push(matcher(subject, kind))
