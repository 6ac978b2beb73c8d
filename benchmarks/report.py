"""What the benchmarks share: tables, the machine they ran on, and sections of docs/BENCHMARKS.md."""

import math
import os
import platform
import sys
import sysconfig

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

import platforms

DOCUMENT = os.path.join(ROOT, "docs", "BENCHMARKS.md")
HEADING = "# Benchmarks\n\nEach section was written by the command it names; run that to measure on another machine.\n"


def table(headings, rows):
    """Markdown table with aligned columns; the first is set left, the others right."""
    cells = [[str(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    lines = ["| " + " | ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))) + " |" for row in cells]
    rule = "|".join("-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths))
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def verdict(met):
    return "met" if met else "MISSED"


def processor():
    described = platforms.describe()
    return f"{described.get('processor', described['system'])}, {os.cpu_count()} processors"


def interpreter():
    """Version of this interpreter, and what can be told of its build."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    chosen = [option for option in ("--enable-optimizations", "--with-lto") if option in options]
    if chosen:
        traits = ["configured with " + ", ".join(chosen)]
    elif sysconfig.get_config_var("PGO_PROF_USE_FLAG"):
        traits = ["configured without --enable-optimizations"]
    else:  # distributions that profile by rules of their own take the flags out of what they install
        traits = ["distribution build, optimisation not recorded"]
    try:
        with open("/proc/self/maps") as lines:
            traits.append("shared libpython" if "libpython" in lines.read() else "static")
    except OSError:
        pass
    build = f"{', '.join(traits)}; {platform.python_compiler()}"
    return f"{platform.python_implementation()} {platform.python_version()} ({build})"


def load():
    """How busy the machine is, in words."""
    try:
        return f"load average {os.getloadavg()[0]:.1f}"
    except (AttributeError, OSError):
        return "load not known"


def command_line(folder="benchmarks"):
    """The command that is running, a file of that folder, without the paths of this machine."""
    words = [os.path.basename(word) if os.path.isabs(word) else word for word in sys.argv[1:]]
    return " ".join(["python", os.path.join(folder, os.path.basename(sys.argv[0])), *words])


def write_section(name, text, place=DOCUMENT, heading=HEADING):
    """Put text into docs/BENCHMARKS.md, or another document, in place of what that section held; sections of other names stay."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    try:
        with open(place) as file:
            document = file.read()
    except FileNotFoundError:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        document = heading
    section = f"{begin}\n{text.strip()}\n{end}"
    if begin in document:
        before, rest = document.split(begin, 1)
        document = before + section + rest.split(end, 1)[1]
    else:
        document = document.rstrip("\n") + "\n\n" + section + "\n"
    with open(place, "w") as file:
        file.write(document)
