# Other formats than .h5ad: the same cells give the same arrays, bit by bit, on any number of ranks, alone and mixed with .h5ad.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
two_species 120 12 3 run.yaml
cat >>run.yaml <<Y
hold_out: {cell_type: type_1, condition: drug_1, species: species_a}
model: {kind: mean}
train: {shards: 4}
Y
mkdir named
PYTHONPATH=$SCS_SRCDIR/tests/formats "$SCS_PYTHON" -B - >py.log 2>&1 <<'P'
import anndata, other_formats
a = anndata.read_h5ad("data/species_a.h5ad")
b = anndata.read_h5ad("data/species_b.h5ad")
other_formats.write_h5mu(a, "data/species_a.h5mu", {"prot": a[:, :7].copy()})
other_formats.write_h5mu(a[:, :7].copy(), "named/species_a.h5mu", {"gex": a})
other_formats.write_loom(a, "data/species_a.loom")
other_formats.write_loom(b, "data/species_b.loom", version=2)
P
check_ok "making the files" $? py.log
# arrays FILE: a checksum of every array of the result but what says where it came from
cat >arrays.py <<'P'
import hashlib, sys, h5py
def show(name, item):
    if isinstance(item, h5py.Dataset) and not name.startswith("uns/scscreen"):
        x = item[()]
        print(name, hashlib.sha256(x.tobytes() if x.dtype != object else repr(x.tolist()).encode()).hexdigest())
h5py.File(sys.argv[1]).visititems(show)
P
# like NAME NP OPTION...: a run whose result has the arrays of the run on the .h5ad files
like() {
    name=$1 np=$2
    shift 2
    rm -rf results
    launch "$np" run run.yaml -q "$@" >"$name.log" 2>&1
    check_ok "$name: run at np $np" $? "$name.log"
    "$SCS_PYTHON" arrays.py results/screen.h5ad >"$name.arrays" 2>&1
    if [ -s "$name.arrays" ] && cmp -s h5ad.arrays "$name.arrays"; then pass; else
        fail "$name at np $np: other arrays than from .h5ad"
        diff h5ad.arrays "$name.arrays" | head
    fi
}
touch h5ad.arrays
launch 1 run run.yaml -q >h5ad.log 2>&1
check_ok "run of .h5ad" $? h5ad.log
"$SCS_PYTHON" arrays.py results/screen.h5ad >h5ad.arrays 2>&1
b='{path: data/species_b.h5ad, orthologs: data/species_b.orthologs.tsv}'
for np in 1 3; do
    like h5mu "$np" --set "data.inputs=[data/species_a.h5mu, $b]"
    like loom "$np" --set "data.inputs=[data/species_a.loom, {path: data/species_b.loom, orthologs: data/species_b.orthologs.tsv}]"
done
like named 2 --set "data.inputs=['named/species_a.h5mu:gex', $b]"
# check says what kind of file it is; help and completion name the endings
"$scscreen" check data/species_a.loom >log 2>&1
check_ok "check of a loom file" $? log
"$scscreen" check named/species_a.h5mu:gex >>log 2>&1
check_ok "check of a modality" $? log
for words in "file     loom" "file     h5mu, mod/gex" "genes x cells"; do
    if grep -q "$words" log; then pass; else fail "check does not say: $words"; show log; fi
done
"$scscreen" check named/species_a.h5mu:atac >log 2>&1
code=$?
if [ "$code" = 65 ] && grep -q "without a modality atac; it has: gex, rna; name one" log; then pass; else fail "a modality that is not there: exit $code"; show log; fi
finish
