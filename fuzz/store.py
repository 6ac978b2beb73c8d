"""Corpus and findings, in one SQLite file.

Every write is a transaction of its own, so that a process killed at any moment loses nothing it had finished, and several may write
at once. It is not waited for until the disk has it (thousands of small writes would take minutes), so a power cut may lose some. A file is
looked at before anything is written to it: one that is damaged, or somebody else's, is left as it is.
"""

import json
import os
import pathlib
import sqlite3
import time
from collections import namedtuple

#: What SQLite files of ours carry in their header, and the version of the tables.
APPLICATION, SCHEMA = 0x70757265, 1
_TABLES = """
CREATE TABLE finding (number INTEGER PRIMARY KEY, target TEXT, signature TEXT, detail TEXT, cased TEXT, recipe TEXT, seed TEXT,
    versions TEXT, state TEXT DEFAULT 'new', count INTEGER DEFAULT 1, first REAL, last REAL, UNIQUE (target, signature));
CREATE TABLE corpus (number INTEGER PRIMARY KEY, target TEXT, recipe TEXT);
CREATE TABLE feature (target TEXT, name TEXT, entry INTEGER, count INTEGER DEFAULT 1, PRIMARY KEY (target, name));
CREATE TABLE run (number INTEGER PRIMARY KEY, target TEXT, seed TEXT, seconds REAL, programs INTEGER, ended REAL);
"""

Finding = namedtuple("Finding", "number target signature detail case recipe seed versions state count")
Entry = namedtuple("Entry", "recipe features")
RunRecord = namedtuple("RunRecord", "target seed seconds programs ended")
_FINDING = "SELECT number, target, signature, detail, cased, recipe, seed, versions, state, count FROM finding"


class StoreError(Exception):
    """The file cannot be used; the text is one line that says why."""


def default_path():
    """The file in the user's cache folder."""
    folder = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(folder) / "purejit" / "fuzz.sqlite"


class Store:
    """An open file, also as a context manager.

    Args:
        path: of the file; made if it does not exist or is empty.

    Raises:
        StoreError: it is damaged, is no file of ours, comes from a later version, or cannot be read or written.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not self.path.exists() or self.path.stat().st_size == 0
            if not fresh:
                self.examine()
            self.connection = sqlite3.connect(self.path, timeout=30.0, isolation_level=None)
            self.connection.execute("PRAGMA synchronous = OFF")
            if fresh:
                self.create()
        except OSError as problem:
            raise StoreError(f"{self.path}: {problem.strerror or problem}") from None
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path}: {problem}") from None

    def examine(self):
        """Look at an existing file without writing to it."""
        with open(self.path, "rb") as file:
            if file.read(16) != b"SQLite format 3\0":
                raise StoreError(f"{self.path} is no database of purejit; it is left as it is")
        # A journal is left by a process that was killed, or is being written: only who may write can take it back.
        mode = "rw" if os.path.exists(f"{self.path}-journal") else "ro"
        try:
            connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=30.0)
            try:
                application = connection.execute("PRAGMA application_id").fetchone()[0]
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                sound = connection.execute("PRAGMA quick_check").fetchone()[0]
            finally:
                connection.close()
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path} is damaged ({problem}); it is left as it is") from None
        if application != APPLICATION:
            raise StoreError(f"{self.path} is no database of purejit; it is left as it is")
        if version != SCHEMA:
            raise StoreError(f"{self.path} was made by another version of purejit (tables {version}, not {SCHEMA})")
        if sound != "ok":
            raise StoreError(f"{self.path} is damaged ({sound}); it is left as it is")

    def create(self):
        """Make the tables; another process may be doing the same."""
        run = self.connection.execute
        run("BEGIN EXCLUSIVE")
        try:
            if run("PRAGMA user_version").fetchone()[0] == 0:
                for statement in filter(str.strip, _TABLES.split(";")):
                    run(statement)
                run(f"PRAGMA application_id = {APPLICATION}")
                run(f"PRAGMA user_version = {SCHEMA}")
            run("COMMIT")
        except BaseException:
            run("ROLLBACK")
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.connection.close()

    def write(self, work):
        """Run ``work(execute)`` as one transaction; returns its result."""
        run = self.connection.execute
        try:
            run("BEGIN IMMEDIATE")
            try:
                result = work(run)
                run("COMMIT")
            except BaseException:
                run("ROLLBACK")
                raise
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path}: {problem}") from None
        return result

    def read(self, text, *values):
        """All rows of a query."""
        try:
            return self.connection.execute(text, values).fetchall()
        except sqlite3.Error as problem:
            raise StoreError(f"{self.path}: {problem}") from None

    # -- findings ----------------------------------------------------------------------------------------

    def add_finding(self, target, signature, detail, case, recipe, seed, versions):
        """Note a finding; one signature of a target is one finding, of which the smallest case is kept.

        Returns:
            (its number, whether it is new).
        """
        text, now = json.dumps(case), time.time()
        values = (detail, text, json.dumps(recipe), str(seed), versions)

        def work(run):
            known = run("SELECT number, cased FROM finding WHERE target = ? AND signature = ?", (target, signature)).fetchone()
            if known is None:
                made = run("INSERT INTO finding (detail, cased, recipe, seed, versions, target, signature, first, last) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, target, signature, now, now))
                return made.lastrowid, True
            number, old = known
            run("UPDATE finding SET count = count + 1, last = ? WHERE number = ?", (now, number))
            if len(text) < len(old):
                run("UPDATE finding SET detail = ?, cased = ?, recipe = ?, seed = ?, versions = ? WHERE number = ?", (*values, number))
            return number, False

        return self.write(work)

    def findings(self, state=None, target=None):
        """List of Finding, by number."""
        rows = self.read(f"{_FINDING} WHERE (? IS NULL OR state = ?) AND (? IS NULL OR target = ?) ORDER BY number", state, state, target, target)
        return [Finding(*row[:4], json.loads(row[4]), json.loads(row[5]), *row[6:]) for row in rows]

    def finding(self, number):
        """The Finding of this number, or None."""
        return next((found for found in self.findings() if found.number == number), None)

    def set_state(self, number, state):
        """Set a finding's state: "new", "known", "fixed"."""
        self.write(lambda run: run("UPDATE finding SET state = ? WHERE number = ?", (state, number)))

    # -- corpus and runs ---------------------------------------------------------------------------------

    def add_corpus(self, target, recipe, features):
        """Keep a recipe if it reaches what no other of the target does; returns whether it was kept."""
        def work(run):
            known = {name for name, in run("SELECT name FROM feature WHERE target = ?", (target,))}
            fresh = [name for name in features if name not in known]
            for name in features:
                if name in known:
                    run("UPDATE feature SET count = count + 1 WHERE target = ? AND name = ?", (target, name))
            if not fresh:
                return False
            entry = run("INSERT INTO corpus (target, recipe) VALUES (?, ?)", (target, json.dumps(recipe))).lastrowid
            for name in fresh:
                run("INSERT INTO feature (target, name, entry) VALUES (?, ?, ?)", (target, name, entry))
            return True

        return self.write(work)

    def corpus(self, target):
        """List of Entry: recipes, each with the features it was the first to reach."""
        rows = self.read("SELECT corpus.recipe, feature.name, corpus.number FROM corpus JOIN feature ON feature.entry = corpus.number "
                         "WHERE corpus.target = ? ORDER BY corpus.number, feature.name", target)
        entries = {}
        for recipe, name, number in rows:
            entries.setdefault(number, Entry(json.loads(recipe), [])).features.append(name)
        return list(entries.values())

    def features(self, target):
        """Feature -> how many kept cases reach it."""
        return dict(self.read("SELECT name, count FROM feature WHERE target = ?", target))

    def add_run(self, target, seed, seconds, programs):
        """Note that a run has ended."""
        self.write(lambda run: run("INSERT INTO run (target, seed, seconds, programs, ended) VALUES (?, ?, ?, ?, ?)",
                                   (target, str(seed), seconds, programs, time.time())))

    def runs(self):
        """List of RunRecord, the oldest first."""
        return [RunRecord(*row) for row in self.read("SELECT target, seed, seconds, programs, ended FROM run ORDER BY number")]
