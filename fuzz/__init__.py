"""Tests by chance: makes programs and code objects, runs each several ways, compares everything that Python promises."""

import os

# Before the compiler is imported: what would not be faster is compiled all the same, and the compiler checks itself.
os.environ.setdefault("JIT_EAGER", "1")
os.environ.setdefault("JIT_CHECK", "1")
