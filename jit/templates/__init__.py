"""Machine code for each typed operation; see jit/template.py for how one is declared."""
