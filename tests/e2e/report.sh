# scripts/report: one page with every table and figure, that a browser shows.
. "$SCS_SRCDIR/tests/lib.sh"
browser=
for program in chromium chromium-browser google-chrome; do command -v $program >/dev/null && browser=$program; done
cd "$work" || exit 1
"$scscreen" simulate --dir data --genes 200 --cells 30 --cell_types 3 --perturbations 2 --species 1 >log 2>&1
check_ok simulate $? log
cat >run.yaml <<Y
data: {inputs: [data/species_a.h5ad], normalize: log1p}
hold_out:
  - {cell_type: type_1, condition: drug_1}
  - {cell_type: type_2, condition: drug_2}
model: {hidden: 48, latent: 8}
train: {epochs: 3, shards: 4}
validate: {cell_types: [type_1, type_2]}
Y
launch 2 run run.yaml >log 2>&1
check_ok run $? log
launch 2 validate run.yaml >log 2>&1
check_ok validate $? log
report() { "$SCS_PYTHON" -B "$SCS_SRCDIR/scripts/report" "$@" >log 2>&1; }
report results --figures figures
check_ok "report" $? log
if [ "$(head -c 4 figures/figure-heat-0.png | tail -c 3)" = PNG ]; then pass; else fail "--figures writes no PNG"; fi
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_report.py" results held-out-table validation-means validation-table provenance-table \
    figure-scatter figure-scatter figure-heat-0 figure-delta figure-training figure-validation >log 2>&1
check_ok "tables and figures" $? log
cat log
"$SCS_PYTHON" - <<'P' >log 2>&1
import re, anndata
screen, page = anndata.read_h5ad("results/screen.h5ad"), open("results/report.html").read()
rows = re.findall("<tr>(.*?)</tr>", page[page.index('id="genes-table"'):page.index("</table>", page.index('id="genes-table"'))])[1:]
assert len(rows) == screen.n_obs, rows
for row in rows:
    name, up, down = re.findall("<td[^>]*>(.*?)</td>", row)
    shift = screen[[f"{o.cell_type}, {o.perturbation}" == name for o in screen.obs.itertuples()]].to_df("shift").iloc[0]
    assert up.split(", ")[0] == shift.idxmax() and down.split(", ")[0] == shift.idxmin(), (name, up, down)
P
check_ok "genes of the largest changes" $? log
[ -n "$browser" ] || skip "the report as a browser shows and prints it: no chromium"
# Without a network there is less to show, and it says so.
launch 2 screen run.yaml --set model.kind=mean --set output.dir=mean >log 2>&1
check_ok "screen without a network" $? log
report mean -o mean.html
check_ok "report without a network" $? log
if grep -q "There is no model.h5" mean.html; then pass; else fail "does not say that the observed means are missing"; fi
# Doses are combinations of their own; a screen without dense rows still has its table, lengths and provenance.
"$scscreen" simulate --dir dosed --genes 200 --cells 30 --cell_types 3 --perturbations 2 --pairs 1 --species 1 \
    --set 'simulate.doses=[1, 3]' >log 2>&1
check_ok "simulate doses" $? log
launch 2 run run.yaml --set 'data.inputs=[dosed/species_a.h5ad]' --set data.dose=dose --set 'hold_out=[{cell_type: type_1, condition: drug_1}]' \
    --set screen.order=2 --set 'screen.doses=[observed, 2]' --set output.dir=doses >log 2>&1
check_ok "run with doses" $? log
report doses
check_ok "report with doses" $? log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_report.py" doses held-out-table provenance-table figure-scatter figure-heat-0 figure-delta >log 2>&1
check_ok "tables and figures with doses" $? log
if grep -q "drug_1@3" doses/report.html; then pass; else fail "the report does not tell doses apart"; fi
launch 2 screen run.yaml --set model.load=results/model.h5 --set output.rows=top --set output.top_genes=10 --set output.dir=top >log 2>&1
check_ok "screen of top genes alone" $? log
report top
check_ok "report without dense rows" $? log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_report.py" top held-out-table provenance-table figure-heat-0 figure-delta >log 2>&1
check_ok "tables and figures without dense rows" $? log
# What is predicted from its own cells tests nothing, and p-values go down to 1 / (n + 1) alone: run, ranking, inspect and report say so.
"$SCS_PYTHON" - <<'P' >log 2>&1
import anndata
a = anndata.read_h5ad("data/species_a.h5ad")
a.obs["condition"] = a.obs.condition.astype(str)
a.obs.loc[(a.obs.cell_type == "type_1") & (a.obs.condition == "drug_2"), "condition"] = "drug_9"
a.write_h5ad("own.h5ad")
a[a.obs.cell_type == "type_1"].copy().write_h5ad("alone.h5ad")
P
check_ok "relabelled" $? log
screen() { # NAME PERMUTATIONS RANK-BY
    launch 2 screen run.yaml --set "data.inputs=[$1.h5ad]" --set hold_out=[] --set model.kind=pca --set "screen.permutations=$2" \
        --rank-by "$3" --set "output.dir=$1" >"$1.log" 2>&1
    check_ok "screen of $1" $? "$1.log"
    "$scscreen" inspect "$1/screen.h5ad" >inspect.log 2>&1
    check_ok "inspect of $1" $? inspect.log
    report "$1" --figures "$1"
    check_ok "report of $1" $? log
}
says() { # FILE WORDS
    if grep -qF -- "$2" "$1"; then pass; else fail "$1 does not say \"$2\""; cat "$1"; fi
}
screen own 3 p_value
says own.log "predicted from the others"
says own.log "1 of 9 combinations have no source but their own cells (source: self)"
says own.log "p_value is at least 1 / (3 + 1) = 0.25"
says inspect.log "Of the rows 1 have no source but their own cells"
says inspect.log "p_value is at least 0.25"
says own/report.html "1 of 9 combinations have no source but their own cells"
says own/report.html "p_value is at least 0.25"
"$SCS_PYTHON" - <<'P' >log 2>&1
import re
import anndata, pandas as pd
obs = anndata.read_h5ad("own/screen.h5ad").obs
of = obs[(obs.n_observed > 0) & (obs.source != "self")]
assert len(obs) == 9 and len(of) == 5 and (obs.source == "self").sum() == 1
mean = [line for line in open("own.log") if line.startswith("mean ")]
assert len(mean) == 1 and float(mean[0].split()[1]) == round(of.r2_all.mean(), 3), mean
page = open("own/report.html").read()
table = page[page.index('id="held-out-table"'):page.index("</table>", page.index('id="held-out-table"'))]
assert "type_1, drug_1" in table and "type_1, drug_9" not in table
assert f">{of.r2_all.mean():.3f}<" in table.split("<tr>")[-1]
ranked = pd.read_csv("own/ranking.tsv", sep="\t")
assert list(ranked.source).index("self") == 8 and ranked.p_value.nunique() < 8
told = ranked[:8]
assert told.p_value.is_monotonic_increasing and all(g.delta_norm.is_monotonic_decreasing for _, g in told.groupby("p_value")), ranked
genes = page[page.index('id="genes-table"'):page.index("</table>", page.index('id="genes-table"'))]
assert "type_1, drug_9" in genes.split("<tr>")[-1]
P
check_ok "a row of its own cells stands apart" $? log
screen alone 0 r2_all
says alone.log "2 of 2 combinations have no source but their own cells"
says alone.log "With one cell type nothing can be tested."
if grep -q "predicted from the others\|never seen in training\|p_value is at least" alone.log inspect.log alone/report.html; then
    fail "a screen of rows of their own cells has a test"
else
    pass
fi
says alone/report.html "With one cell type nothing can be tested."
# Doses stand in the order of their numbers; after validate alone there is a page, too; without anndata one line says how to get it.
"$SCS_PYTHON" - <<'P' >log 2>&1
import importlib.machinery, importlib.util, os
import pandas as pd
path = os.environ["SCS_SRCDIR"] + "/scripts/report"
loader = importlib.machinery.SourceFileLoader("report", path)
report = importlib.util.module_from_spec(importlib.util.spec_from_loader("report", loader))
loader.exec_module(report)
obs = pd.DataFrame({"plain": ["b", "a", "a", "a"], "dose": [1, 10, 2, float("nan")]})
assert list(obs.sort_values(["plain", "dose"], key=report.dose_order).index) == [3, 2, 1, 0]
P
check_ok "doses in order" $? log
mkdir validated && cp results/validation.t?? validated
verdict=$(sed 's/^ *//; 1q' validated/validation.txt)
says results/report.html "<p>  $verdict"
sed -i 's/type_1/nan/' validated/validation.tsv
echo "NOTHING BEATS no_change" >validated/validation.txt
report validated
check_ok "report after validate alone" $? log
says validated/report.html "<p>NOTHING BEATS no_change</p>"
if grep -q "<td class=\"\">nan, drug_1" validated/report.html; then pass; else fail "the label nan is not in the report"; fi
if grep -q "all, nan" validated/report.html; then fail "the only species is named"; else pass; fi
mkdir empty
PYTHONPATH=empty "$SCS_PYTHON" -S "$SCS_SRCDIR/scripts/report" results >log 2>&1
if [ $? = 1 ] && [ "$(wc -l <log)" = 1 ] && grep -q "pip install anndata matplotlib" log; then pass; else fail "report without anndata"; cat log; fi
if report data; then fail "a folder without a result is taken"; else pass; fi
finish
