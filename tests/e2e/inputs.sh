# What stands beside a matrix: constants of a file, globs, tables of labels. Each against the same cells prepared with anndata and pandas.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
two_species 60 8 3 run.yaml
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import warnings, anndata, numpy as np, pandas as pd
warnings.simplefilter("ignore")
rng = np.random.default_rng(5)
a = anndata.read_h5ad("data/species_a.h5ad")
a.obs_names = [f"AAAC{i:04d}-1" for i in range(a.n_obs)]
a.obs["dose"] = np.where(a.obs.condition == "control", 0.0, 2.5)
a.obs["n"] = np.arange(a.n_obs)

# One file a condition, without its columns; and the same with them.
import os
os.makedirs("parts"), os.makedirs("whole")
for k, c in enumerate(a.obs.condition.cat.categories):
    part = a[(a.obs.condition == c).to_numpy()].copy()
    part.obs = pd.DataFrame({"cell_type": part.obs.cell_type})
    part.write_h5ad(f"parts/{c}.h5ad")
    part.obs["condition"], part.obs["donor"], part.obs["batch"] = c, f"d{k}", str(k)
    part.write_h5ad(f"whole/{c}.h5ad")

# Labels in a table: shuffled, with rows of no cell, cells without a row, missing values.
b = a.copy()
b.obs = pd.DataFrame(index=a.obs_names)
b.write_h5ad("bare.h5ad")
t = a.obs[["cell_type", "condition", "dose", "n"]].astype(object)
t.iloc[3, 0] = None
t = t.drop(t.index[[10, 50]])
more = pd.DataFrame({"cell_type": "type_1", "condition": "control", "dose": 0, "n": -1}, index=["TTTT-1", "TTTT-2"])
t = pd.concat([t, more]).sample(frac=1, random_state=1)
t.index.name = "barcode"
t.to_csv("labels.csv")
t.to_csv("labels_r.tsv", sep="\t", index_label=False)     # as R's write.table: no name above the barcodes
t.reset_index()[["n", "cell_type", "barcode", "dose", "condition"]].to_csv("second.tsv", sep="\t", index=False)
joined = b.copy()
joined.obs = joined.obs.join(t)
for c in ("cell_type", "condition"):
    joined.obs[c] = pd.Categorical(joined.obs[c])
joined.obs["dose"], joined.obs["n"] = joined.obs.dose.astype(float), joined.obs.n.astype(float)
joined.write_h5ad("joined.h5ad")
t.drop(["TTTT-1", "TTTT-2"]).rename(lambda x: x[:-2]).to_csv("suffix.csv")
pd.concat([t, t.iloc[:1]]).to_csv("doubled.csv")
# Two files with the same barcodes: only a column that names the file tells them apart. One table of two, whose other half tells the rest.
half = a.n_obs // 2
for k in (0, 1):
    p = b[k * half:(k + 1) * half].copy()
    p.obs_names = [f"C{i}" for i in range(half)]
    p.write_h5ad(f"lane{k}.h5ad")
    p.obs = a.obs[["cell_type", "condition"]].iloc[k * half:(k + 1) * half].set_index(p.obs_names)
    p.write_h5ad(f"labelled{k}.h5ad")
    p.obs = p.obs.astype(object).replace({"control": "ctrl", "drug_1": "IFNb"} if k else {"type_2": "T2"})
    p.write_h5ad(f"ways{k}_mapped.h5ad")
    if k:
        p.obs = p.obs.rename(columns={"cell_type": "ct", "condition": "stim"}).assign(condition="else")
    p.write_h5ad(f"ways{k}.h5ad")
lanes = a.obs[["cell_type", "condition"]].iloc[:2 * half].copy()
lanes["file"] = np.repeat(["lane0", "lane1.h5ad"], half)
lanes["cell"] = [f"C{i}" for i in range(half)] * 2
lanes.to_csv("lanes.csv")
lanes[["cell", "cell_type", "condition"]].iloc[:half].to_csv("no_file.csv", index=False)

# Genes: lists that differ, names that stand twice (as names, and as versions of Ensembl IDs), names in a column of var; in each layout.
import scipy.sparse as sp
layouts = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": lambda x: x.toarray()}
full = a.copy()
full.obs = a.obs[["cell_type", "condition"]].copy()
full.X = sp.csr_matrix(full.X)
one, two = full[:36].copy(), full[36:].copy()
one, two = one[:, :50].copy(), two[:, 20:][:, ::-1].copy()
zeroed = [full[:36].copy(), full[36:].copy()]
names = list(one.var_names) + [g for g in two.var_names if g not in set(one.var_names)]
for k, (part, whole) in enumerate(zip((one, two), zeroed)):
    x = whole.X.toarray()
    x[:, ~whole.var_names.isin(part.var_names)] = 0
    whole.X = sp.csr_matrix(x)
    whole[:, names].copy().write_h5ad(f"zeroed{k}.h5ad")
    for layout, make in layouts.items():
        p = part.copy()
        p.X = make(sp.csr_matrix(p.X))
        p.write_h5ad(f"{layout}_part{k}.h5ad")
open("genes.txt", "w").write("\n".join(names[::3] + ["nowhere"]))

twice = full.copy()
ids = [f"ENSG{i % 45:011d}.{1 + i % 3}" if i < 50 else f"G{i % 7}" for i in range(full.n_vars)]
twice.var = pd.DataFrame({"symbol": pd.Categorical(ids), "none": [""] * len(ids)}, index=full.var_names)
order = rng.permutation(full.n_vars)
twice = twice[:, order].copy()
ids = [str(s) for s in twice.var.symbol]
for layout, make in layouts.items():
    p = twice.copy()
    p.X = make(sp.csr_matrix(p.X))
    p.write_h5ad(f"{layout}_symbols.h5ad")
named = twice.copy()
named.var = pd.DataFrame(index=ids)
sums = pd.DataFrame(named.X.toarray(), columns=ids).T.groupby(level=0, sort=False).sum().T
anndata.AnnData(sp.csr_matrix(sums.to_numpy("f4")), obs=named.obs, var=pd.DataFrame(index=sums.columns)).write_h5ad("summed.h5ad")
named.write_h5ad("doubled.h5ad")
named.var_names_make_unique()
named.write_h5ad("unique.h5ad")
logged = anndata.read_h5ad("doubled.h5ad")
logged.X = sp.csr_matrix(np.log1p(logged.X.toarray() * (1e4 / logged.X.toarray().sum(1, keepdims=True))))
logged.write_h5ad("logged.h5ad")

# CELLxGENE: the organism in obs (schema 5) or uns (6, 7); counts in raw.X, or in X alone; names of genes in feature_name.
for schema in (5, 6, 7):
    c = a[: , :55].copy()
    c.X = sp.csr_matrix(c.X.toarray().astype("f4"))
    c.obs["cell_type"] = c.obs.cell_type.astype(str)
    disease = c.obs.condition.astype(str).replace({"control": "normal", "drug_1": "influenza", "drug_2": "COVID-19"})
    c.obs = pd.DataFrame({"cell_type": pd.Categorical(c.obs.cell_type), "disease": pd.Categorical(disease), "donor_id": pd.Categorical(["d1"] * c.n_obs),
                          "is_primary_data": np.arange(c.n_obs) % 4 > 0}, index=c.obs_names)
    c.var = pd.DataFrame({"feature_name": pd.Categorical([f"S{i % 54}" for i in range(c.n_vars)]), "feature_biotype": "gene"},
                         index=[f"ENSG{i:011d}" for i in range(c.n_vars)])
    plain = c.copy()
    plain.obs["organism"] = "Homo sapiens"
    plain.write_h5ad(f"plain{schema}.h5ad")
    if schema == 5:
        c.obs["organism"] = pd.Categorical(["Homo sapiens"] * c.n_obs)
    else:
        c.uns["organism"], c.uns["organism_ontology_term_id"] = "Homo sapiens", "NCBITaxon:9606"
    c.uns["schema_version"] = f"{schema}.0.0"
    if schema < 7:  # "normalized" in X: with genes that it leaves out, which raw has
        c.raw = c.copy()
        x = np.log1p(c.X.toarray())
        x[:, :5] = 0
        c.X = sp.csr_matrix(x)
    c.var["feature_is_filtered"] = np.arange(c.n_vars) < 5 if schema < 7 else False
    c.write_h5ad(f"cellxgene{schema}.h5ad")

# Least genes and cells, as scanpy counts them; held-out cells have no say in which genes are kept.
import scanpy
held = ((full.obs.cell_type == "type_2") & (full.obs.condition == "drug_1")).to_numpy()
x = rng.binomial(full.X.toarray().astype(int), rng.uniform(0.002, 0.15, full.n_vars)).astype("f4")
x[:, 3] = 0
x[np.flatnonzero(held)[:6], 3] = 5                      # many cells have the gene, but they are held out
x[5, 12:] = 0
rare = full.copy()
rare.X = sp.csr_matrix(x)
rare.obs["keep"] = pd.Categorical(np.where(np.arange(full.n_obs) == 9, "no", "yes"))
for layout, make in layouts.items():
    p = rare.copy()
    p.X = make(rare.X)
    p[:30].copy().write_h5ad(f"{layout}_rare0.h5ad"), p[30:].copy().write_h5ad(f"{layout}_rare1.h5ad")
least_genes = int(np.quantile((x > 0).sum(1), 0.2))
least_cells = int(np.quantile((x[~held] > 0).sum(0), 0.3))
open("least", "w").write(f"{least_genes} {least_cells}\n")
for hold, name in ((held, "held"), (np.zeros(len(held), bool), "all"), ((full.obs.condition != "control").to_numpy(), "controls")):
    p = rare[(rare.obs["keep"] == "yes").to_numpy()].copy()
    hold = hold[(rare.obs["keep"] == "yes").to_numpy()]
    stay = scanpy.pp.filter_cells(p, min_genes=least_genes, inplace=False)[0]
    p, hold = p[stay].copy(), hold[stay]
    genes = scanpy.pp.filter_genes(p[~hold], min_cells=10 if name == "controls" else least_cells, inplace=False)[0]
    p.obs["total"] = np.asarray(p.X.sum(1)).ravel()
    open(f"{name}.genes", "w").write("\n".join(p.var_names[genes]))
    first = (rare.obs_names[:30].isin(p.obs_names)).sum()
    p[:first].copy().write_h5ad(f"{name}_kept0.h5ad"), p[first:].copy().write_h5ad(f"{name}_kept1.h5ad")
    open(f"{name}.n", "w").write(f"{p.n_obs} {genes.sum()}\n")
nothing = anndata.read_h5ad("cellxgene6.h5ad")
del nothing.uns["organism"]
nothing.write_h5ad("no_organism.h5ad")
P
check_ok "making the files" $? py.log
# same WHAT NP [SET...] -- SET...: what the first settings give on NP ranks is to have the arrays of what the second give on one. Compared in
# the end, all by one process.
pair=0
same() {
    what=$1 ranks=$2
    shift 2
    pair=$((pair + 1))
    : >"$pair.sets"
    while [ "$1" != -- ]; do
        printf '%s\n' "$1" >>"$pair.sets"
        shift
    done
    shift
    prepared=$(echo "$*" | cksum | tr -d ' ') # once for each set of settings
    if [ ! -d "$prepared" ]; then
        launch 1 run base.yaml "$@" --set output.dir="$prepared" >log 2>&1
        check_ok "$what: prepared" $? log
    fi
    set -- --set output.dir=found$pair
    while IFS= read -r one; do set -- "$@" "$one"; done <"$pair.sets"
    launch "$ranks" run base.yaml "$@" >log 2>&1
    check_ok "$what" $? log
    echo "found$pair $prepared $what at np $ranks" >>pairs
}
# said WORDS: the last log has them.
said() {
    if grep -q -- "$1" log; then pass; else fail "not said: $1"; show log; fi
}
cat >base.yaml <<'Y'
data: {normalize: log1p}
model: {kind: mean}
screen: {permutations: 0}
Y

# ---- globs and constants ----
filter='data.filter=[{column: donor, in: [d0, d1, d2]}, {column: batch, max: 1}]'
constants='{path: parts/control.h5ad, condition: control, donor: d0, batch: 0}, {path: "parts/drug_[1]*.h5ad", condition: drug_1, donor: d1, batch: 1}, {path: parts/drug_2.h5ad, condition: drug_2, donor: d2, batch: 2}'
kept='data.filter=[{column: donor, in: [d0, d1, d2]}]'
same "constants" 3 --set "data.inputs=[$constants]" --set "$kept" -- --set 'data.inputs=[whole/*.h5ad]' --set "$kept"
same "cell types of files" 2 --set 'data.inputs=[{path: "whole/*.h5ad", cell_type: blood}]' -- --set 'data.inputs=[whole/*.h5ad]' --set data.cell_type=batch --set 'data.inputs=[{path: "whole/*.h5ad", batch: blood}]'
expect "a number beside a file" 65 "control.h5ad: column batch beside it, cell row 0: 'x' is no number" 2 check base.yaml --set 'data.inputs=[{path: "whole/c*.h5ad", batch: x}, "whole/d*.h5ad"]' --set 'data.filter={column: batch, max: 1}'
expect "a glob without a file" 65 "data.inputs: no file matches none/*.h5ad" 3 check base.yaml --set 'data.inputs=["none/*.h5ad"]'
expect "a constant of no kind" 64 "unknown key file in data.inputs, which is a list of {path, species, orthologs, cell_type, condition, batch, donor}" 1 check base.yaml --set 'data.inputs=[{file: a.h5ad}]'
# A model belongs to them.
launch 1 train base.yaml --set model.kind=vae --set train.epochs=1 --set "data.inputs=[$constants]" --set output.dir=stored >log 2>&1
check_ok "train" $? log
expect "the model with another donor" 64 "data.inputs" 2 screen base.yaml --set model.kind=vae --set train.epochs=1 --set output.dir=stored --set "data.inputs=[$(echo "$constants" | sed 's/donor: d2/donor: d0/')]"

# ---- tables of labels ----
table() { echo "data.labels={path: $1}"; }
gzip -k labels.csv
head -c 300 labels.csv.gz >cut.csv.gz
{ head -c -8 labels.csv.gz && printf 'none' && tail -c 4 labels.csv.gz; } >check.csv.gz
same "labels.csv.gz" 1 --set 'data.inputs=[bare.h5ad]' --set "$(table labels.csv.gz)" -- --set 'data.inputs=[joined.h5ad]'
said "labels.csv.gz: tells cell_type, condition of 70 cells of the inputs"
same "labels.csv" 3 --set 'data.inputs=[bare.h5ad]' --set "$(table labels.csv)" -- --set 'data.inputs=[joined.h5ad]'
said "labels.csv: tells cell_type, condition of 70 cells of the inputs, with 72 rows; 2 name no cell of them (first on line"
said "warning: bare.h5ad: 2 cells have no row in data.labels, and so no label (first: AAAC0010-1)"
same "R's table, numbers and doses" 2 --set data.dose=dose --set 'data.filter={column: n, max: 60}' --set 'data.inputs=[bare.h5ad]' --set "$(table labels_r.tsv)" -- --set data.dose=dose --set 'data.filter={column: n, max: 60}' --set 'data.inputs=[joined.h5ad]'
same "another barcode column" 2 --set 'data.inputs=[bare.h5ad]' --set 'data.labels=[{path: second.tsv, barcode_column: barcode}]' -- --set 'data.inputs=[joined.h5ad]'
same "two files with the same barcodes" 3 --set 'data.inputs=["lane*.h5ad"]' --set 'data.labels={path: lanes.csv, barcode_column: cell, file_column: file}' -- --set 'data.inputs=["labelled*.h5ad"]'
same "a table of one of two files" 2 --set 'data.inputs=[lane0.h5ad, labelled1.h5ad]' --set 'data.labels={path: lanes.csv, barcode_column: cell, file_column: file}' -- --set 'data.inputs=["labelled*.h5ad"]'
said "36 are of files that data.inputs does not name"
one() {
    what=$1 words=$2
    shift 2
    expect "$what" 65 "$words" 1 check base.yaml --set 'data.inputs=[bare.h5ad]' --set "$@"
}
one "the suffix" "suffix.csv: no row is a cell of bare.h5ad: the table has AAAC0000 (line" "$(table suffix.csv)"
one "a doubled barcode" "a second time (first on line" "$(table doubled.csv)"
tr ',' ';' <labels.csv >semicolons.csv
tr '\n' '\r' <labels.csv >returns.csv
iconv -t UTF-16 labels.csv >wide.csv 2>/dev/null || printf '\377\376b\000' >wide.csv
one "semicolons" "semicolons.csv:1: its columns are separated by semicolons; save it with commas or tabs" "$(table semicolons.csv)"
one "carriage returns" "returns.csv: its lines end with carriage returns alone" "$(table returns.csv)"
one "UTF-16" "wide.csv: is UTF-16 text; save it as UTF-8" "$(table wide.csv)"
one "a matrix as a table" "bare.h5ad: is an HDF5 file, not a text file" "$(table bare.h5ad)"
one "no such barcode column" "labels.csv: has no column barcod (data.labels: barcode_column); did you mean barcode?" 'data.labels={path: labels.csv, barcode_column: barcod}'
one "no cell of the file" "no_file.csv: no row is a cell of bare.h5ad: the table has C0 (line 2), the file AAAC0000-1" "$(table no_file.csv)"
one "no column of use" "labels.csv: has none of the columns that are asked for (kind, state)" "$(table labels.csv)" --set data.cell_type=kind --set data.condition=state
one "a compressed table that is cut short" "cut.csv.gz: was cut short; fetch it again" "$(table cut.csv.gz)"
one "a compressed table that is damaged" "check.csv.gz: its compressed bytes are damaged: incorrect data check; fetch it again" "$(table check.csv.gz)"
one "no table" "none.csv: cannot be read (data.labels)" "$(table none.csv)"
expect "a column that neither has" 65 "joined.h5ad: obs has no column leiden" 2 check base.yaml --set 'data.inputs=[joined.h5ad]' --set "$(table labels.csv)" --set 'data.filter={column: leiden, in: a}'
expect "barcodes of two files" 65 "no_file.csv:2: C0 is a cell of lane0.h5ad and of lane1.h5ad; give data.labels a file_column" 2 check base.yaml --set 'data.inputs=["lane*.h5ad"]' --set "$(table no_file.csv)"
expect "two tables of one cell" 65 "both tell the cell_type of the cell" 2 check base.yaml --set 'data.inputs=[bare.h5ad]' --set 'data.labels=[labels.csv, labels_r.tsv]'
# ---- names of columns and values ----
map='data.map={condition: {ctrl: control, IFNb: drug_1}, cell_type: {T2: type_2}}'
rename='data.rename={ct: cell_type, stim: condition, condition: state}'
same "values" 3 --set 'data.inputs=[ways0.h5ad, ways1_mapped.h5ad]' --set "$map" -- --set 'data.inputs=["labelled*.h5ad"]'
same "columns and values" 2 --set 'data.inputs=[{path: ways0.h5ad, condition: drug_1}, ways1.h5ad]' --set "$map" --set "$rename" -- --set 'data.inputs=[{path: labelled0.h5ad, condition: drug_1}, labelled1.h5ad]'
same "columns of a table" 1 --set 'data.inputs=[bare.h5ad]' --set 'data.labels=labels.csv' --set data.cell_type=kind --set data.rename='{cell_type: kind}' -- --set 'data.inputs=[joined.h5ad]'
mapped() { expect "$1" 64 "$2" 1 check base.yaml --set 'data.inputs=["labelled*.h5ad"]' --set "$3"; }
mapped "a value that is not there" '--set data.map: there is no condition "drug1"; did you mean "drug_1"?' 'data.map={condition: {drug1: x}}'
mapped "a column that is not read" "--set data.map: no key of the config reads the column batch as labels; cell_type, condition are read so" 'data.map={batch: {a: x}}'
mapped "a column that is not there" "--set data.rename: no input has a column celltype; did you mean cell_type?" 'data.rename={celltype: type}'
expect "two columns of a name" 65 "ways1.h5ad: two columns are called condition after data.rename: stim and condition" 2 check base.yaml --set 'data.inputs=[ways1.h5ad]' --set 'data.rename={stim: condition, ct: cell_type}'
expect "a column that is renamed" 65 "data.rename calls the column condition otherwise" 1 check base.yaml --set 'data.inputs=[labelled0.h5ad]' --set 'data.rename={condition: state}'

# ---- genes ----
for layout in csr csc dense; do
    same "outer, $layout" 3 --set data.join=outer --set "data.inputs=[${layout}_part*.h5ad]" -- --set 'data.inputs=["zeroed*.h5ad"]'
    same "sums, $layout" 3 --set data.duplicate_genes=sum --set data.gene_column=symbol --set "data.inputs=[${layout}_symbols.h5ad]" -- --set 'data.inputs=[summed.h5ad]'
done
said "dense_symbols.h5ad: the counts of 12 columns are added to those of the column of the same name before them (first: "
launch 3 check base.yaml --set data.join=outer --set 'data.inputs=["csr_part*.h5ad"]' >log 2>&1
check_ok "check of an outer join" $? log
said "data.join: outer: 30 of 64 genes are in every input; the others are 0 where an input lacks them"
said "csr_part0.h5ad: lacks 14 of the 64 genes: they are 0 in its cells"
said "csr_part1.h5ad: lacks 20 of the 64 genes"
same "outer, to a list" 2 --set data.join=outer --set data.genes=genes.txt --set 'data.inputs=["csr_part*.h5ad"]' -- --set data.genes=genes.txt --set 'data.inputs=["zeroed*.h5ad"]'
same "unique" 2 --set data.duplicate_genes=unique --set 'data.inputs=[doubled.h5ad]' -- --set 'data.inputs=[unique.h5ad]'
said "doubled.h5ad: 12 gene names stand there before and are made unique ("
genes() {
    what=$1 words=$2
    shift 2
    expect "$what" 65 "$words" 1 check base.yaml "$@"
}
genes "doubled" "stands there twice (the second time in column" --set 'data.inputs=[doubled.h5ad]'
genes "doubled in a column" "or set data.duplicate_genes: unique, or sum" --set 'data.inputs=[csc_symbols.h5ad]' --set data.gene_column=symbol
genes "sums of logs" "data.duplicate_genes: sum adds counts up, and the values of logged.h5ad are logged" --set 'data.inputs=[logged.h5ad]' --set data.duplicate_genes=sum --set data.normalize=auto
genes "no such column of var" "var has no column symbl (data.gene_column); did you mean symbol?" --set 'data.inputs=[csr_symbols.h5ad]' --set data.gene_column=symbl
genes "a column without names" "var/none has no name in row 0" --set 'data.inputs=[csr_symbols.h5ad]' --set data.gene_column=none

# ---- CELLxGENE ----
for schema in 5 6 7; do
    same "schema $schema" 3 --set data.source=cellxgene --set data.normalize=auto --set "data.inputs=[cellxgene$schema.h5ad]" -- --set "data.inputs=[plain$schema.h5ad]" --set data.species=organism --set data.condition=disease --set data.control=normal
done
said "cellxgene7.h5ad: 18 of 72 cells are not primary data: they stand in another data set of CELLxGENE"
said "cell types  3: type_1, type_2, type_3"
said "species     1: Homo sapiens"
same "its other keys" 2 --set data.condition=donor_id --set data.source=cellxgene --set data.control=d1 --set 'data.inputs=[{path: cellxgene5.h5ad, condition: b}, {path: cellxgene6.h5ad, condition: d1, species: Mus}]' --set data.gene_column=feature_name --set data.duplicate_genes=sum -- --set data.condition=donor_id --set data.control=d1 --set 'data.inputs=[{path: plain5.h5ad, condition: b}, {path: plain6.h5ad, condition: d1, species: Mus}]' --set data.species=organism --set data.gene_column=feature_name --set data.duplicate_genes=sum
expect "no organism" 65 "no_organism.h5ad: has no organism, neither in obs (CELLxGENE's schema 5) nor in uns (6 and 7)" 2 check base.yaml --set data.source=cellxgene --set 'data.inputs=[no_organism.h5ad]'
expect "not of CELLxGENE" 65 "joined.h5ad: obs has no column disease" 1 check base.yaml --set data.source=cellxgene --set 'data.inputs=[joined.h5ad]' --set data.matrix=X

# ---- least genes and cells ----
read -r genes cells <least
least="--set data.min_genes=$genes --set data.min_cells=$cells"
yes='data.filter={column: keep, in: yes}'
hold='hold_out={cell_type: type_2, condition: drug_1}'
for layout in csr csc dense; do
    same "least, $layout" 3 $least --set "$hold" --set "$yes" --set "data.inputs=[${layout}_rare*.h5ad]" -- --set "$hold" --set data.genes=held.genes --set 'data.inputs=[held_kept*.h5ad]'
done
read -r n_obs n_var <held.n
said "data: $n_obs cells x $n_var genes"
said "filter  *1 of 72 cells are left out by data.filter"
said "data.min_genes: [0-9]* of 29 cells of dense_rare0.h5ad have values of fewer than $genes genes, and are left out"
said "data.min_cells: $((64 - n_var)) of 64 genes have a value in fewer than $cells cells, and are left out"
same "least, nothing held out" 1 $least --set "$yes" --set "data.inputs=[csr_rare*.h5ad]" -- --set data.genes=all.genes --set 'data.inputs=[all_kept*.h5ad]'
launch 2 validate base.yaml --set data.min_genes=$genes --set data.min_cells=10 --set "$yes" --set 'data.inputs=[csc_rare*.h5ad]' --set output.dir=v1 >log 2>&1
check_ok "validate" $? log
launch 1 validate base.yaml --set data.genes=controls.genes --set 'data.inputs=[controls_kept*.h5ad]' --set output.dir=v2 >log 2>&1
check_ok "validate, prepared" $? log
if cmp -s v1/validation.tsv v2/validation.tsv; then pass; else fail "validate counts other cells than controls"; diff v1/validation.tsv v2/validation.tsv | head -4; fi
launch 2 predict base.yaml $least --set "$yes" --set 'data.inputs=[csr_rare*.h5ad]' --set predict.combination=all,type_1,drug_1 --set output.dir=p >log 2>&1
check_ok "predict" $? log
"$SCS_PYTHON" -c '
import anndata
p, kept = anndata.read_h5ad("p/cells.h5ad"), anndata.concat([anndata.read_h5ad(f"all_kept{k}.h5ad") for k in (0, 1)])
names = kept.obs_names[(kept.obs.cell_type == "type_1") & (kept.obs.condition == "control")]
assert p.n_vars == len(open("all.genes").read().split()) and set(p.obs.template) <= set(names) and len(set(p.obs.template)) == len(names), (p, names)' >log 2>&1
check_ok "cells that predicted ones come from" $? log
expect "no cell left" 65 "data.min_genes: none of the 30 cells of csr_rare0.h5ad has values of 100 genes" 2 check base.yaml --set data.min_genes=100 --set 'data.inputs=[csr_rare*.h5ad]'
expect "no gene left" 65 "data.min_cells: none of the 64 genes has a value in 1000 of the cells" 3 check base.yaml --set data.min_cells=1000 --set 'data.inputs=[csr_rare*.h5ad]'

# A table is known again by its bytes.
launch 1 train base.yaml --set model.kind=vae --set train.epochs=1 --set 'data.inputs=[bare.h5ad]' --set "$(table labels.csv)" --set output.dir=tabled >log 2>&1
check_ok "train with a table" $? log
cp labels.csv copy.csv
launch 2 screen base.yaml --set model.kind=vae --set train.epochs=1 --set 'data.inputs=[bare.h5ad]' --set "$(table copy.csv)" --set output.dir=tabled >log 2>&1
check_ok "screen with the table's copy" $? log
sed 's/type_1/type_2/' labels.csv >copy.csv
expect "screen with another table" 64 "data.labels" 2 screen base.yaml --set model.kind=vae --set train.epochs=1 --set 'data.inputs=[bare.h5ad]' --set "$(table copy.csv)" --set output.dir=tabled
"$SCS_PYTHON" - >log 2>&1 <<'P'
import h5py, numpy as np
def arrays(path):
    all_ = {}
    def take(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith(("uns/scscreen", "uns/genes", "var/gene_")):
            all_[name] = item[()]
    h5py.File(path + "/screen.h5ad", "r").visititems(take)
    return all_
bad = 0
for line in open("pairs"):
    found, prepared, what = line.rstrip("\n").split(" ", 2)
    a, b = arrays(found), arrays(prepared)
    assert len(a) > 20, a.keys()
    differ = [n for n in sorted(a.keys() | b.keys()) if n not in a or n not in b or repr(np.asarray(a[n]).tolist()) != repr(np.asarray(b[n]).tolist())]
    if differ:
        bad += 1
        print(what, "has other arrays:", *differ[:5])
assert bad == 0
P
check_ok "$pair runs have the arrays of prepared files" $? log
finish
