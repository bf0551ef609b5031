"""Mutants of every layout through the program: read, or refused in one line; never a crash or hang.

usage: run_mutants.py PROGRAM SERVER FOLDER COUNT [FIRST]
SERVER is fork_server.c as a shared library: it runs the program's main() once for each mutant.
FOLDER takes some files of each worker, and each mutant that did wrong. The layouts take turns;
one mutant in 100 is read as a run reads it, by a config and MPI, one in 1,000 on two ranks.
"""
import collections
import multiprocessing
import os
import resource
import select
import signal
import subprocess
import sys
import time

import mutants
import seeds

WORKERS = int(os.environ.get("SCS_WORKERS", os.cpu_count()))
TIMEOUT = 120  # seconds; the reader's own limit is 2 s of processor time for a small file
CONFIG = """data: {{inputs: [{0}], condition: flag_category, control: "True", matrix: {1}}}
"""
MATRICES = ("X", "X", "raw", "layers/counts")
HANG = -100
# Mutants that did wrong once, and are run each time, with their layout and turn: 81054 leaves HDF5 without memory.
REMEMBERED = {81054: ("old_categories", 5789)}
ALLOWED = {0, 65}


class Server:
    """The program, loaded once; each run is a child of its own."""

    def __init__(self, program, library, stem):
        self.words = [program, library]
        self.out, self.errors = stem + ".out", stem + ".err"
        self.process = None

    def start(self):
        program, library = self.words
        before = os.environ.get("SCS_PRELOAD", "")
        environment = dict(os.environ, LD_PRELOAD=f"{before}:{library}" if before else library)
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
            start_new_session=True)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def run(self, words):
        """@return exit code, or -signal, or HANG"""
        if not self.process:
            self.start()
        self.process.stdin.write("\t".join([self.out, self.errors] + words).encode() + b"\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], TIMEOUT)[0]:
            self.stop()
            return HANG
        return os.waitstatus_to_exitcode(int(self.process.stdout.readline()))

    def printed(self):
        with open(self.out, "rb") as out, open(self.errors, "rb") as errors:
            return out.read(), errors.read()


def run_alone(words):
    """(exit code, standard output, error lines) of a command"""
    try:
        done = subprocess.run(words, capture_output=True, timeout=TIMEOUT, check=False,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return HANG, b"", b""
    return done.returncode, done.stdout, done.stderr


def judge(path, code, out, said):
    """What is wrong, or None."""
    if code == HANG:
        return "hangs"
    if code not in ALLOWED:
        return f"exit code {code}"
    errors = [line for line in said.split(b"\n") if line.startswith(b"scscreen: error")]
    if (code != 0) != (len(errors) == 1):
        return f"exit code {code} with {len(errors)} error lines"
    if errors and path.encode() not in errors[0]:
        return "the error line does not name the file"
    if any(c < 32 and c not in b"\t\n" for c in out + said):
        return "control characters are printed"
    return None


class Worker:
    def __init__(self, program, library, folder, index):
        self.program, self.folder = program, folder
        self.path = os.path.join(folder, f"mutant_{index}.h5ad")
        self.config = os.path.join(folder, f"mutant_{index}.yaml")
        self.server = Server(program, library, os.path.join(folder, f"mutant_{index}"))

    def read(self, turn, verb):
        """@return exit code, standard output, error lines"""
        matrix = MATRICES[turn % len(MATRICES)]
        if verb == "check" and turn % 100 == 50:
            with open(self.config, "w") as file:
                file.write(CONFIG.format(self.path, matrix))
            ranks = ["mpirun", "-n", "2"] if turn % 1000 == 50 else []
            return run_alone(ranks + [self.program, verb, self.config, "-q"])
        words = [verb, self.path] + (["--set", f"data.matrix={matrix}"] if verb == "check" else [])
        return (self.server.run(words),) + self.server.printed()

    def run(self, number, table):
        """(what is wrong or None, exit code, seconds)"""
        name, turn = REMEMBERED.get(number, (list(table)[number % len(table)], number // len(table)))
        seed, verb = table[name]
        with open(self.path, "wb") as file:
            file.write(mutants.mutant(seed, number))
        start = time.monotonic()
        code, out, said = self.read(turn, verb)
        problem = judge(self.path, code, out, said)
        if problem:
            kept = os.path.join(self.folder, f"wrong_{number}.h5ad")
            os.replace(self.path, kept)
            problem = f"mutant {number} ({name}): {problem}; kept as {kept}"
        return problem, code, time.monotonic() - start


def work(worker, table, numbers, results):
    for number in numbers:
        try:
            results.put((number,) + worker.run(number, table))
        except Exception as problem:  # noqa: BLE001 - a mutant that was not run did not pass
            results.put((number, f"mutant {number} was not run: {problem!r}", None, 0.0))
    if worker.server.process:
        worker.server.stop()
    results.put(None)


def collect(results, count):
    codes, slowest, wrong, running = collections.Counter(), (0.0, -1), 0, WORKERS
    while running:
        got = results.get(timeout=2 * TIMEOUT)
        if got is None:
            running -= 1
            continue
        number, problem, code, seconds = got
        codes[code] += 1
        slowest = max(slowest, (seconds, number))
        if problem:
            wrong += 1
            print("FAILED", problem, flush=True)
        if sum(codes.values()) % 10000 == 0:
            print(f"{sum(codes.values())} of {count}: {dict(codes)}", flush=True)
    return codes, slowest, wrong


def main():
    program, library = (os.path.abspath(word) for word in sys.argv[1:3])
    folder, count = os.path.abspath(sys.argv[3]), int(sys.argv[4])
    first = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    table = {n: (mutants.Seed(data), verb) for n, (data, verb) in seeds.layouts().items()}
    numbers = list(range(first, first + count))
    numbers += [n for n in REMEMBERED if n not in numbers]
    count = len(numbers)
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(
        Worker(program, library, folder, i), table,
        numbers[i::WORKERS], results)) for i in range(WORKERS)]
    for worker in workers:
        worker.start()
    codes, slowest, wrong = collect(results, count)
    for worker in workers:
        worker.join()
    done = sum(codes.values())
    print(f"{done} mutants of {len(table)} layouts: {codes[0]} read, {codes[65]} refused; "
          f"slowest {slowest[0]:.1f} s (mutant {slowest[1]})")
    print(f"{done - wrong} passed, {wrong + count - done} failed")
    return 1 if wrong or done != count else 0


if __name__ == "__main__":
    sys.exit(main())
