# A perturbation that does nothing: its p-values are uniform over 26 species, those of a real one are small.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$scscreen" simulate --dir "$work/data" --genes 120 --cells 24 --cell_types 3 --perturbations 2 --null 1 --effect 2 --species 26 >log 2>&1
check_ok simulate $? log
{
    echo 'data: {normalize: log1p, inputs: ['
    for s in a b c d e f g h i j k l m n o p q r s t u v w x y z; do
        [ $s = a ] && orthologs= || orthologs=", orthologs: data/species_$s.orthologs.tsv"
        echo "  {path: data/species_$s.h5ad, species: species_$s$orthologs},"
    done
    cat <<Y
]}
model: {hidden: 32, latent: 8}
train: {epochs: 6, shards: 4}
screen: {permutations: 199, variance: false}
Y
} >run.yaml
launch 2 run run.yaml >log 2>&1
check_ok run $? log
"$SCS_PYTHON" - results/screen.h5ad data/truth.h5ad >py.log 2>&1 <<'P'
import sys, anndata, numpy as np
screen, truth = map(anndata.read_h5ad, sys.argv[1:])
obs = screen.obs
null = (obs.perturbation == "drug_2").values
size = np.abs(np.asarray(truth[screen.obs_names].X)).max(axis=1)
assert (size[null] < 1e-6).all() and (size[~null] > 0.1).all()
# species share no cells, so a type's p-values over species are independent; the bound is that of a 1 % test
for kind in obs.cell_type.unique():
    p = np.sort(obs.p_value[null & (obs.cell_type == kind).values])
    distance = max(np.abs((np.arange(len(p)) + 1) / len(p) - p).max(), np.abs(np.arange(len(p)) / len(p) - p).max())
    print(f"{kind}: {len(p)} null p-values, distance from uniform {distance:.3f}, {(p <= 0.1).mean():.1%} below 0.1")
    assert distance < 1.63 / np.sqrt(len(p)), kind
print(f"real: {(obs.p_value[~null] <= 0.01).mean():.1%} up to 0.01; q < 0.05: null {(obs.q_value[null] < 0.05).mean():.1%}, "
      f"real {(obs.q_value[~null] < 0.05).mean():.1%}")
assert (obs.p_value[~null] <= 0.01).mean() > 0.9
assert (obs.q_value[null] < 0.05).mean() < 0.1 < 0.9 < (obs.q_value[~null] < 0.05).mean()
P
check_ok "p-values" $? py.log
cat py.log
finish
