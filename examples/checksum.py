"""CRC-32 of a file in pure Python, checked against zlib: python examples/checksum.py [FILE]"""

import zlib

from common.program import parser, report_time

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


def main():
    options = parser(__doc__)
    options.add_argument("file", metavar="FILE", nargs="?")
    chosen = options.parse_args()
    content = bytes(range(256)) * 500
    if chosen.file is not None:
        try:
            with open(chosen.file, "rb") as file:
                content = file.read()
        except OSError as problem:
            options.error(str(problem))
    table = make_table()
    result = crc32(content, table)
    print(f"{result:08x}", "as zlib says" if result == zlib.crc32(content) else "WRONG")
    if chosen.time:
        report_time(lambda: crc32(content, table))


if __name__ == "__main__":
    main()
