"""Real files and fixtures through dump_h5ad, against what anndata says they hold.

usage: run.py DUMP_H5AD FOLDER
FOLDER takes the fixtures; the real files are in $SCS_SHARED/data, and skipped by name where they are not.
"""
import os
import random
import re
import subprocess
import sys

import expected
import make_fixtures

SHARED = os.environ.get("SCS_SHARED", "../shared")
NEGATIVE = "must not be negative"
ARCHIVE = ["X", "raw", "layers/array", "layers/sparse"]
# Every real file: the matrices that are read, and those that are refused with these words.
REAL = {
    "formats/anndata_archives_v0.11.4_adata.h5ad": ([], {"X": "no expression matrix"}),
    "formats/anndata_archives_v0.5.0_adata.h5ad": (["raw"], {"X": NEGATIVE}),
    "formats/anndata_archives_v0.7.0_adata.h5ad": (ARCHIVE, {}),
    "formats/anndata_archives_v0.7.8_adata.h5ad": (ARCHIVE, {}),
    "formats/cellxgene_nan.h5ad": ([], {"X": NEGATIVE, "raw": "there is no raw"}),
    "formats/scanpy_10x_1.2.0_filtered_gene_bc_matrices_h5.h5": (["X"], {"raw": "one matrix"}),
    "formats/scanpy_10x_1.2.0_multiple_genomes.h5": ([], {"X": "name one"}),
    "formats/scanpy_10x_3.0.0_filtered_feature_bc_matrix.h5": (["X"], {}),
    "formats/scp_ingest_bad.h5": ([], {"X": "truncated"}),
    "formats/scp_ingest_dup_cell.h5ad": (["X"], {}),
    "formats/scp_ingest_dup_feature.h5ad": (["X"], {}),
    "formats/scvi_tools_TM_droplet_mat.h5ad": (["X"], {}),
    "formats/scvi_tools_pbmc_5k_protein_v3.h5ad": (["X"], {}),
    "formats/zellkonverter_example_anndata.h5ad": (["X", "layers/counts"], {}),
    "formats/zellkonverter_krumsiek11_augmented_v0-8.h5ad": ([], {"X": NEGATIVE}),
    "kang_ifnb.h5ad": (["X"], {}),
    "kang_counts.h5ad": (["X"], {}),
    "kang_valid_legacy.h5ad": (["X"], {}),
    "primates_counts.h5ad": (["X"], {}),
}
MUTANTS = 50
LIMIT = int(os.environ.get("SCS_TIMEOUT", 300))  # seconds


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def note(self, what, problem):
        self.passed += problem is None
        self.failed += problem is not None
        if problem is not None:
            print(f"FAILED {what}: {problem}")


def dump(program, path, matrix, parts):
    done = subprocess.run([program, path, matrix, str(parts)], capture_output=True, timeout=LIMIT)
    lines = done.stdout.decode().splitlines()
    return done.returncode, [tuple(line.split("\t")) for line in lines]


def keyed(facts):
    """Facts by what they are about: rows and columns by name. The words of a refusal are ours."""
    table = {}
    for fact in facts:
        key = fact[:2] if fact[0] in ("obs", "row") else fact[:1]
        table[key] = fact[2:3] if fact[2:3] == ("refused",) else fact[len(key):]
    return table


def same(ours, theirs):
    if ours is None or theirs is None:
        return False
    if len(ours) == 2 and len(theirs) == 2 and "." in theirs[1]:  # a row: count and checksum
        a, b = float(ours[1]), float(theirs[1])
        return ours[0] == theirs[0] and abs(a - b) <= 1e-12 * abs(b)
    return ours == theirs


def compare(ours, theirs):
    ours, theirs = keyed(ours), keyed(theirs)
    for key in list(theirs) + [key for key in ours if key not in theirs]:
        if not same(ours.get(key), theirs.get(key)):
            return f"{key}: ours {ours.get(key)}, anndata's {theirs.get(key)}"
    return None


def check_read(program, path, matrix, twin, tally):
    theirs = list(expected.describe(twin, matrix))
    for parts in (1, 3):
        code, ours = dump(program, path, matrix, parts)
        problem = compare(ours, theirs) if code == 0 else f"exit code {code}: {ours[-1:]}"
        tally.note(f"{path} {matrix} in {parts} part(s)", problem)


def check_refused(program, path, matrix, words, tally):
    code, facts = dump(program, path, matrix, 2)
    refusals = [fact[-1] for fact in facts if "refused" in fact[:3]]
    lines = [line for line in refusals if words in line]
    problem = None
    if code not in (0, 64, 65) or (code == 0 and not lines):
        problem = f"exit code {code}, last line {facts[-1:]}"
    elif not lines:
        problem = f"no refusal says \"{words}\": {refusals}"
    elif code != 64 and path not in lines[0]:
        problem = f"does not name the file: {lines[0]}"
    elif any(ord(c) < 32 for c in lines[0]):
        problem = "control characters in the message"
    tally.note(f"{path} {matrix} refused", problem)


def check_mutants(program, source, folder, tally):
    """Bytes changed at random: read or refused, never a crash of the program."""
    with open(source, "rb") as file:
        whole = file.read()
    dice = random.Random(11)
    for i in range(MUTANTS):
        mutant = bytearray(whole)
        for _ in range(dice.choice((1, 3, 20, 100))):
            mutant[dice.randrange(len(mutant))] = dice.randrange(256)
        path = os.path.join(folder, f"mutant_{i}.h5ad")
        with open(path, "wb") as file:
            file.write(mutant)
        code = dump_code(program, path)
        tally.note(path, None if code in (0, 65) else f"exit code {code}")
        if code in (0, 65):
            os.remove(path)


def dump_code(program, path):
    done = subprocess.run([program, path, "X", "2"], capture_output=True, timeout=LIMIT)
    return done.returncode


def check_real(program, tally):
    for name, (read, refused) in REAL.items():
        path = os.path.join(SHARED, "data", name)
        if not os.path.exists(path):
            print(f"SKIPPED: no real data: {path}")
            continue
        for matrix in read:
            check_read(program, path, matrix, path, tally)
        for matrix, words in refused.items():
            check_refused(program, path, matrix, words, tally)
    formats = os.path.join(SHARED, "data", "formats")
    there = {"formats/" + name for name in (os.listdir(formats) if os.path.isdir(formats) else [])}
    unknown = sorted(there - set(REAL))
    tally.note("list of real files", f"files that no test knows: {unknown}" if unknown else None)


def libraries_of(build):
    """The compression libraries that the program was built with."""
    with open(os.path.join(build, "config.h")) as file:
        return set(re.findall(r"#define HAVE_(\w+) 1", file.read())) & set(make_fixtures.PLUGINS)


def main():
    program, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    tally = Tally()
    check_real(program, tally)
    good, bad = make_fixtures.make(folder, libraries_of(os.path.join(os.path.dirname(program), "..", "..")))
    plugins = {os.path.basename(path) for path, _, _ in good} & {f"good_{n}.h5ad" for n in ("csr_zstd", "csr_lz4", "dense_blosc_lz4")}
    for path, matrix, twin in good:
        check_read(program, path, matrix, twin, tally)
    for path, matrix, words in bad:
        check_refused(program, path, matrix, words, tally)
    for path in make_fixtures.newer(folder):  # HDF5 1.10 and 1.14 cannot read it, 2.0 can
        code, facts = dump(program, path, "X", 1)
        words = [fact[-1] for fact in facts if "refused" in fact[:3]]
        good = (code == 0 and not [w for w in words if "damaged" in w]) or (
            code == 65 and "written for a newer HDF5; re-save it with libver=('v110','v110')" in words[-1])
        tally.note(path, None if good else f"exit code {code}: {words}")
    for source in ("good_csr_None.h5ad", "good_dense_lzf.h5ad", *sorted(plugins)):
        check_mutants(program, os.path.join(folder, source), folder, tally)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
