"""Target "jit": the interpreter against compiled code, in all its ways, and against the reference evaluator."""

import gc
import signal
import time
import warnings

from fuzz import probes, ways
from fuzz.choices import Choices
from fuzz.generators import programs
from fuzz.loading import Prepared, Unusable
from fuzz.program import Program
from fuzz.reducing import smaller_programs
from fuzz.targets import BaseTarget, Difference, Verdict

#: How often each way is taken, in 100 programs; the rest is "compiled" alone.
WEIGHTS = ((61, "compiled"), (14, "forced"), (10, "starved"), (2, "shuffled"), (9, "evaluated"), (2, "traced"), (2, "threaded"))
#: The way of a program that is to be called in a manner of its own.
MANNERS = {"threads": "threaded", "traced": "traced"}
#: Processor seconds a case may take, and the share of it that the interpreter's side may: shifts by 2**30 take seconds either way.
WORK_LIMIT, INTERPRETED_SHARE = 8.0, 0.1


class Overtime(BaseException):
    """A case has used more processor time than it may."""


class Target(BaseTarget):
    """Cases are programs (`Program.as_case`) with "way" and "register" beside."""

    name = "jit"

    def __init__(self, options=None):
        super().__init__(options)
        ways.available()

    def case(self, choices: Choices):
        way = choices.weighted(*WEIGHTS)
        register = choices.below(13)
        program = programs.any_program(choices)
        way = MANNERS.get(program.manner, way)
        return {**program.as_case(), "way": way, "register": register}

    def run(self, case):
        program, way = self.program(case), case["way"]
        with probes.reaching() as reached, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", message="purejit")
            try:
                comparison = ways.Comparison(Prepared(program), reached, case["register"])
                difference = self.limited(ways.WAYS[way], comparison)
            except Unusable as problem:
                return Verdict(skipped=str(problem))
        return Verdict(difference, frozenset(reached.features | comparison.features))

    @staticmethod
    def limited(way, comparison):
        """Run within the work limit, without garbage collections in the middle of counting."""
        def stop(*_):
            raise Overtime

        old = signal.signal(signal.SIGPROF, stop)
        signal.setitimer(signal.ITIMER_PROF, WORK_LIMIT)
        gc.disable()
        started = time.process_time()
        try:
            return way(comparison)
        except Overtime:
            if comparison.interpreted > INTERPRETED_SHARE * WORK_LIMIT:
                raise Unusable("the interpreter takes too long") from None
            return Difference(f"{way.__name__}: takes too long", f"more than {WORK_LIMIT} s of processor time")
        except (RecursionError, MemoryError) as problem:
            # While arguments were made or outcomes described; what the program itself raises is an outcome.
            raise Unusable(repr(problem)) from None
        except Unusable:
            raise
        except Exception as problem:
            where = problem.__traceback__
            while where.tb_next is not None:
                where = where.tb_next
            code = where.tb_frame.f_code
            return Difference(f"{way.__name__}: {type(problem).__name__} in {code.co_name}",
                              f"{type(problem).__name__}: {problem}\n  at {code.co_filename}:{where.tb_lineno}")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, old)
            gc.enable()
            if time.process_time() - started > WORK_LIMIT / 4:
                gc.collect()

    @staticmethod
    def program(case):
        return Program.from_case({name: item for name, item in case.items() if name not in ("way", "register")})

    def reduce(self, case):
        if case["way"] != "compiled":
            yield {**case, "way": "compiled"}
        for changes in smaller_programs(self.program(case)):
            yield {**case, **changes}

    def text(self, case):
        return f"{self.program(case).text()}# way: {case['way']} (register {case['register']})\n"
