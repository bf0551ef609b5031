"""report.html of a results folder, as a browser (headless Chromium) has it: the named tables hold the numbers of screen.h5ad, the
figures hold pictures that can be shown, and nothing comes from elsewhere; printed on A4 all of it is on the paper.

    check_report.py RESULTS_FOLDER ID...     an id that is given twice must be there twice (figure-scatter-N counts for figure-scatter)
"""
import collections
import html.parser
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import anndata
import pandas as pd
import pypdf

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


browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def browse(path, work, *options):
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={work}/profile", *options, path.resolve().as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=int(os.environ.get("SCS_TIMEOUT", 120))).stdout


def pieces(page):
    """Boxes (left, bottom, right, top) of a printed page's pictures; texts with where they begin and, by half the font size a letter, end."""
    boxes, texts = [], []

    def picture(operator, operands, cm, tm):
        if operator == b"Do":
            boxes.append((cm[4], cm[5], cm[4] + cm[0], cm[5] + cm[3]))

    def text(what, cm, tm, font, size):
        if what.strip():
            left = tm[4] * cm[0] + cm[4]
            texts.append((what.strip(), left, left + 0.5 * size * tm[0] * cm[0] * max(map(len, what.strip().split("\n")))))

    page.extract_text(visitor_operand_before=picture, visitor_text=text)
    return boxes, texts


def check_paper(n_picture, last_columns):
    """Every picture, and the last column of every table, within the page."""
    with tempfile.TemporaryDirectory() as work:
        browse(pathlib.Path(folder) / "report.html", work, f"--print-to-pdf={work}/page.pdf", "--no-pdf-header-footer")
        pages = pypdf.PdfReader(f"{work}/page.pdf").pages
        width, height = map(float, (pages[0].mediabox.width, pages[0].mediabox.height))
        found = [pieces(page) for page in pages]
    assert abs(width - 595) < 2 and abs(height - 842) < 2, f"not A4: {width} x {height}"
    boxes = [box for of_page, _ in found for box in of_page]
    assert len(boxes) == n_picture, f"{len(boxes)} of {n_picture} pictures are on paper"
    for left, bottom, right, top in boxes:
        assert left >= 0 and bottom >= 0 and right <= width and top <= height, f"cut off: {left, bottom, right, top} of {width} x {height}"
    texts = [text for _, of_page in found for text in of_page]
    for what, left, right in texts:
        assert left >= 0 and right <= width, f"cut off at {width:.0f}: {what!r} from {left:.0f} to {right:.0f}"
    printed = re.sub(r"\s", "", "".join(what for what, _, _ in texts))
    for name in last_columns:
        assert re.sub(r"\s", "", name) in printed, f"column {name!r} is not on paper"
    print(len(pages), "pages of A4,", len(boxes), "pictures on them")


def shown(text):
    """The page after a browser has laid it out; each picture notes its size."""
    if not browser:
        print("no Chromium: the page was read, not shown")
        return text
    script = "<script>onload = () => [...document.images].forEach(i => i.dataset.size = i.naturalWidth)</script>"
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / "page.html"
        path.write_text(text.replace("</body>", script + "</body>"), encoding="utf-8")
        return browse(path, work, "--dump-dom")


dom = Page()
text = shown(page)
dom.feed(text)
for name, n in collections.Counter(wanted).items():
    assert len([t for t in dom.tables[name] if t == ""]) >= n, f"{name}: not there {n} times"
if text is not page:
    assert dom.sizes and all(int(size or 0) > 100 for size in dom.sizes), f"pictures are not shown: {dom.sizes}"
    check_paper(len(dom.sizes), re.findall(r">([^<>]+)</th></tr></thead>", text))
obs = anndata.read_h5ad(pathlib.Path(folder) / "screen.h5ad").obs
for _, row in obs[obs.held_out].iterrows():
    dose = f"@{row.dose:.10g}" if "dose" in row else ""
    species = f"{row.species}, " if obs.species.nunique() > 1 else ""
    assert f"{species}{row.cell_type}, {row.perturbation}{dose}" in dom.tables["held-out-table"]
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
