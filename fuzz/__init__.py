"""Tests by chance: makes programs and code objects, runs each several ways, compares everything that Python promises."""
