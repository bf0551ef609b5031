"""check_predict.py DATA CELLS MANY LOGGED: predicted cells against the simulated inputs that they are made of."""
import sys
import anndata
import numpy as np
import pandas as pd
import scanpy as sc

data, cells, many, logged = sys.argv[1:]
real = {s: anndata.read_h5ad(f"{data}/species_{s}.h5ad") for s in "ab"}
p = anndata.read_h5ad(cells)
assert p.X.format == "csr" and p.X.has_sorted_indices and p.X.dtype == np.int32 and p.X.data.min() > 0
assert np.array_equal(np.asarray(p.X.sum(1)).ravel(), p.obs.library_size)
groups = p.obs.groupby(["species", "cell_type", "condition"], observed=True)
assert [k for k, _ in groups] == [("species_a", "type_2", "drug_2"), ("species_b", "type_1", "drug_1"), ("species_b", "type_2", "drug_2")]
for (species, kind, drug), o in groups:
    own = real[species[-1]].obs
    control = own.index[(own.cell_type == kind) & (own.condition == "control")]
    # each control cell once, and only they; donors are of other types of the species that show the drug
    assert sorted(o.template) == sorted(control), (species, kind)
    assert kind not in set(o.donor_type) and set(o.donor_species) == {species}

# templates are those of a job that asked for more cells, and evenly used
one = p[(p.obs.species == "species_b") & (p.obs.cell_type == "type_1")]
a = anndata.read_h5ad(many)
assert a.n_obs == 5000 and np.array_equal(a.obs.template[: one.n_obs], one.obs.template)
assert set(a.obs.template.value_counts()) <= {5000 // one.n_obs, 5000 // one.n_obs + 1}

# log1p is that of the same counts, which the job that asked for this combination alone has made
l = anndata.read_h5ad(logged)
same = one.copy()
same.X = same.X.astype(np.float64)
sc.pp.normalize_total(same, target_sum=l.uns["scscreen"]["target_sum"])
sc.pp.log1p(same)
assert l.X.dtype == np.float32 and abs(l.X - same.X).max() < 1e-5

# They respond as the cells that were held out do, by as much, and have as many zeros.
b = real["b"]
pick = lambda condition: b[(b.obs.cell_type == "type_1") & (b.obs.condition == condition)]
table = pd.read_csv(f"{data}/species_b.orthologs.tsv", sep="\t")
table = table[table.type == "ortholog_one2one"].set_index("gene_b").gene_a  # reference -> species b's own names
genes = list(table.loc[list(p.var_names)])


def mean(x):
    y = x.X.toarray().astype(float)
    return np.log1p(1e4 * y / y.sum(1, keepdims=True)).mean(0)


control, truth = mean(pick("control")[:, genes]), mean(pick("drug_1")[:, genes])
got = mean(a)
r = np.corrcoef(got - control, truth - control)[0, 1]
size = np.linalg.norm(got - control) / np.linalg.norm(truth - control)
print("correlation of changes %.3f, size %.3f" % (r, size))
assert r > 0.7 and 0.6 < size < 1.4
zeros = lambda x: (x.toarray() == 0).mean()
assert abs(zeros(a.X) - zeros(pick("drug_1")[:, genes].X)) < 0.05
