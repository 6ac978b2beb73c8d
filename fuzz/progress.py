"""How a run is going: a line that is written over on a terminal, a line now and then elsewhere."""

import sys
import time

#: Seconds between lines where there is no terminal, and between changes where there is one; width of the bar.
QUIET, LIVELY, WIDTH = 10.0, 0.2, 24


class Progress:
    """Shows `fuzz.running.Summary` objects while they grow; a context manager.

    Args:
        seconds: length of the run, or None. stream: where to write.
    """

    def __init__(self, seconds, stream=None):
        self.seconds = seconds
        self.stream = sys.stderr if stream is None else stream
        self.terminal = self.stream.isatty()
        self.started = self.shown = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.terminal:
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def show(self, summary, left):
        """Show how far it has got; `left`: seconds to go, or None."""
        now = time.monotonic()
        if now - self.shown < (LIVELY if self.terminal else QUIET):
            return
        self.shown = now
        text = self.text(summary, left, now - self.started)
        self.stream.write(f"\r{text}\x1b[K" if self.terminal else f"{text}\n")
        self.stream.flush()

    def text(self, summary, left, passed):
        """One line."""
        parts = [f"{summary.programs} programs", f"{summary.programs / passed if passed else 0.0:.0f}/s",
                 f"{len(summary.features)} features", f"{len(summary.findings)} findings"]
        if left is not None and self.seconds:
            done = min(WIDTH, max(0, round(WIDTH * (1 - left / self.seconds))))
            parts.insert(0, f"[{'#' * done}{'.' * (WIDTH - done)}] {max(0.0, left):.0f} s left")
        return "  ".join(parts)
