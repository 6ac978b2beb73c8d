"""What purejit knows about CPython: struct layouts, symbols, thread state, function entry."""
