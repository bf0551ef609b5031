"""README.md, NEWS.md and doc/*.md against the tree and the program.

    check_docs.py SOURCE PROGRAM RESULT-MAN-PAGE FOLDER

Checks widths, links, paths, config keys, verbs, versions and YAML blocks, and that the man page of the result has all that its table has.
Writes README's config to FOLDER/readme.yaml and its Python to FOLDER/readme.py.
"""
import pathlib
import re
import subprocess
import sys

source, program, page, folder = (pathlib.Path(word) for word in sys.argv[1:])
failures = []
documents = [source / "README.md", source / "NEWS.md", *sorted((source / "doc").glob("*.md"))]
text = {d: d.read_text() for d in documents}
readme = text[source / "README.md"]
assert len(documents) >= 10, documents


def check(holds, *what):
    if not holds:
        failures.append(" ".join(str(w) for w in what))


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text[document], re.M | re.S)


# ---- README can be read at once, in a terminal
check(readme.count("\n") <= 200, "README.md has more than 200 lines:", readme.count("\n"))
for i, line in enumerate(readme.splitlines(), 1):
    check(len(line) <= 100, f"README.md:{i}: {len(line)} columns")

# ---- links and names lead somewhere
for d in documents:
    for link in re.findall(r"\]\(([^)#:]+)\)", text[d]):
        check((d.parent / link).is_file(), f"{d.name}: link to {link}")
    for path in set(re.findall(r"(?<!build/)\b(?:tests|scripts|configs|include|doc)/[\w./-]*\w", text[d])):
        there = [source / path, *(source / (path + end) for end in (".c", ".sh", ".in"))]
        check(any(t.exists() for t in there), f"{d.name}: {path}")
    for path in set(re.findall(r"\b(?:src|mpi)/\w+/\w+\.[ch]\b", text[d])):
        check("NAME" in path or (source / path).is_file(), f"{d.name}: {path}")
    for test in set(re.findall(r"`(test_\w+)`", text[d])):
        check(list(source.glob(f"tests/*/{test}.c")), f"{d.name}: {test}")
    for i, line in enumerate(text[d].splitlines(), 1):
        check(not re.search(r"(?:^|[\s(|])\.\d", line), f"{d.name}:{i}: a number without its 0")
for d in (source / "doc").glob("*.md"):
    check(f"](doc/{d.name})" in readme, f"README.md does not lead to doc/{d.name}")

# ---- keys, verbs and options are the program's
table = text[source / "doc" / "config.md"].split("\n## The keys\n")[1]
keys = set(re.findall(r"^\| `([\w.]+)` \|", table, re.M))
assert len(keys) > 50, keys
sections = {k.split(".")[0] for k in keys}
files = {"h5ad", "h5", "sbatch", "c", "h", "sh", "py", "yaml", "tsv", "csv"}
for d in documents:
    words = " ".join(re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```$", "", text[d], flags=re.M | re.S)))
    for section, name in re.findall(r"(?<![\w/.])([a-z_]+)\.([a-z_]\w*)", words):
        if section in sections and name not in files:
            check(f"{section}.{name}" in keys, f"{d.name}: no key {section}.{name}")
usage = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
verbs = set(re.findall(r"^  ([a-z]+) +[A-Z]", usage.split("verbs:")[1].split("options:")[0], re.M))
assert "run" in verbs and len(verbs) > 5, verbs
for d in documents:
    for verb in re.findall(r"(?:`|build/|-n \d+ |^    )scscreen ([a-z]+)", text[d], re.M):
        check(verb in verbs, f"{d.name}: no verb {verb}")

# ---- one version everywhere
version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
check(f"\nversion: {version}\n" in (source / "CITATION.cff").read_text(), "CITATION.cff: the version is", version)
check(f"\n## {version}\n" in text[source / "NEWS.md"], "NEWS.md: the version is", version)

# ---- every block of YAML is a config, or a part of one
for d in documents:
    for block in blocks(d, "yaml"):
        (folder / "block.yaml").write_text(block)
        done = subprocess.run([program, "run", "block.yaml", "--print-config"], cwd=folder, capture_output=True, text=True)
        check(done.returncode == 0, f"{d.name}: {done.stderr.strip()}")
(folder / "readme.yaml").write_text(blocks(source / "README.md", "yaml")[0])
(folder / "readme.py").write_text(blocks(source / "README.md", "python")[0])

# ---- the man page holds the table, field by field
shown = re.sub(r"\\f[BIRP]", "", page.read_text()).replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")
fields = re.findall(r"^\| (.+?) \| ", text[source / "doc" / "result-format.md"], re.M)
assert len(fields) > 30, fields
for field in fields:
    if field != "where" and field != "source":
        check(field.replace("`", "") in shown, f"{page.name}: {field}")

print("\n".join(failures))
sys.exit(bool(failures))
