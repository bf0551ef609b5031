"""report.html of a results folder, as a browser (headless Chromium) has it: the named tables hold the numbers of screen.h5ad, the
figures hold pictures that can be shown, and nothing comes from elsewhere.

    check_report.py RESULTS_FOLDER ID...     an id that is given twice must be there twice (figure-scatter-N counts for figure-scatter)
"""
import collections
import html.parser
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import anndata
import pandas as pd

folder, *wanted = sys.argv[1:]
page = (pathlib.Path(folder) / "report.html").read_text(encoding="utf-8")
assert not re.search(r"""(src|href)=(?!["']?data:)""", page), "the page is not self-contained"


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tables, self.table, self.sizes = collections.defaultdict(list), None, []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "table":
            self.table = attrs["id"]
        if "id" in attrs:
            self.tables[re.sub(r"^(figure-scatter)-\d+$", r"\1", attrs["id"])].append("")
        if tag == "img":
            self.sizes.append(attrs.get("data-size"))

    def handle_data(self, data):
        if self.table:
            self.tables[self.table].append(data)


def shown(text):
    """The page after a browser has laid it out; each picture notes its size."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not browser:
        print("no Chromium: the page was read, not shown")
        return text
    script = "<script>onload = () => [...document.images].forEach(i => i.dataset.size = i.naturalWidth)</script>"
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / "page.html"
        path.write_text(text.replace("</body>", script + "</body>"), encoding="utf-8")
        return subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={work}/profile", "--dump-dom", path.as_uri()],
                              check=True, capture_output=True, text=True, timeout=120).stdout


dom = Page()
text = shown(page)
dom.feed(text)
for name, n in collections.Counter(wanted).items():
    assert len([t for t in dom.tables[name] if t == ""]) >= n, f"{name}: not there {n} times"
if text is not page:
    assert dom.sizes and all(int(size or 0) > 100 for size in dom.sizes), f"pictures are not shown: {dom.sizes}"
obs = anndata.read_h5ad(pathlib.Path(folder) / "screen.h5ad").obs
for _, row in obs[obs.held_out].iterrows():
    dose = f"@{row.dose:.10g}" if "dose" in row else ""
    assert f"{row.species}, {row.cell_type}, {row.perturbation}{dose}" in dom.tables["held-out-table"]
    for value in (row.r2_all, row.r2_all_control, row.delta_pearson):
        assert f"{value:.3f}" in dom.tables["held-out-table"], value
table = pathlib.Path(folder) / "validation.tsv"
if table.exists():
    rows = pd.read_csv(table, sep="\t")
    rows = rows[rows.predictor == "mean_nearest"].set_index(["species", "cell_type", "perturbation"])
    for _, row in obs[obs.held_out].iterrows():
        alone = (obs.held_out & (obs.species == row.species) & (obs.perturbation == row.perturbation)).sum() == 1
        for value in rows.loc[(row.species, row.cell_type, row.perturbation), ["r2_all", "r2_deg", "delta_pearson"]] if alone else []:
            assert f"{value:.3f}" in dom.tables["held-out-table"], ("mean_nearest", value)
for what in ("@media print", "R2 ", "figure-heat-0"):
    assert what in page, what
print(len(dom.sizes), "pictures", dom.sizes)
