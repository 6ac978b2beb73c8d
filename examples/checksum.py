"""CRC-32 of a file in pure Python, checked against zlib: python examples/checksum.py [FILE]"""

import sys
import zlib

from jit import jit


@jit
def make_table():
    table = []
    for n in range(256):
        c = n
        for _ in range(8):
            c = 0xEDB88320 ^ c >> 1 if c & 1 else c >> 1
        table.append(c)
    return table


@jit
def crc32(data, table):
    c = 0xFFFFFFFF
    for byte in data:
        c = table[(c ^ byte) & 255] ^ c >> 8
    return c ^ 0xFFFFFFFF


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with open(sys.argv[1], "rb") as file:
            content = file.read()
    else:
        content = bytes(range(256)) * 500
    result = crc32(content, make_table())
    print(f"{result:08x}", "as zlib says" if result == zlib.crc32(content) else "WRONG")
