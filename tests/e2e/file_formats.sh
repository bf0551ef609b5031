# Other formats than .h5ad: the same cells give the same arrays, bit by bit, on any number of ranks, alone and mixed with .h5ad.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
two_species 120 12 3 run.yaml
cat >>run.yaml <<Y
hold_out: {cell_type: type_1, condition: drug_1, species: species_a}
model: {kind: mean}
train: {shards: 4}
Y
mkdir named v2
PYTHONPATH=$SCS_SRCDIR/tests/formats "$SCS_PYTHON" -B - >py.log 2>&1 <<'P'
import anndata, numpy as np, other_formats, scipy.sparse as sp
a = anndata.read_h5ad("data/species_a.h5ad")
b = anndata.read_h5ad("data/species_b.h5ad")
other_formats.write_h5mu(a, "data/species_a.h5mu", {"prot": a[:, :7].copy()})
other_formats.write_h5mu(a[:, :7].copy(), "named/species_a.h5mu", {"gex": a})
# 10x files have no labels; antibodies among the features are not genes
a.obs.assign(file="species_a").to_csv("labels.csv", index_label="barcode")
more = anndata.AnnData(sp.hstack([a.X, sp.csr_matrix(np.full((a.n_obs, 3), 9, "f4"))]).tocsr(), obs=a.obs)
more.var_names = list(a.var_names) + ["CD3", "CD4", "CD8"]
other_formats.write_10x_h5(more, "data/species_a.h5", version=8, antibodies=3)
other_formats.write_10x_h5(a, "v2/species_a.h5", version=2, genomes=("hg19", "mm10"))
other_formats.write_10x_mtx(more, "species_a", antibodies=3)
other_formats.write_10x_mtx(a, "plain/species_a", version=2, order="any")
other_formats.write_loom(a, "data/species_a.loom")
other_formats.write_loom(b, "data/species_b.loom", version=2)
# one atlas in five files of a format each
part = [a[i::5].copy() for i in range(5)]
a[[i for k in range(5) for i in range(k, a.n_obs, 5)]].copy().write_h5ad("whole.h5ad")
part[0].write_h5ad("p0.h5ad")
other_formats.write_10x_mtx(part[1], "p1")
other_formats.write_h5mu(part[2], "p2.h5mu", {"prot": part[2][:, :7].copy()})
other_formats.write_loom(part[3], "p3.loom")
other_formats.write_10x_h5(part[4], "p4.h5", version=8)
a.obs.assign(file=[f"p{i % 5}" for i in range(a.n_obs)]).query("file == 'p1' or file == 'p4'").to_csv("parts.csv", index_label="barcode")
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
    launch "$np" run run.yaml "$@" >"$name.log" 2>&1
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
    like 10x "$np" --set "data.inputs=[data/species_a.h5, $b]" --set "data.labels=[{path: labels.csv, file_column: file}]"
    like mtx "$np" --set "data.inputs=[species_a, $b]" --set "data.labels=[{path: labels.csv, file_column: file}]"
    like mtx_any "$np" --set "data.inputs=[plain/species_a/, $b]" --set "data.labels=[{path: labels.csv, file_column: file}]"
done
if "$scscreen" check data/species_a.h5 | grep -q "note     3 of 128 features are left out, not being Gene Expression but Antibody Capture" &&
    grep -q "note: .*species_a.h5: 3 of 128 features are left out" 10x.log; then pass; else fail "features that are left out are not told"; show 10x.log; fi
launch 1 run run.yaml -q --set "data.inputs=[data/species_a.h5, $b]" >log 2>&1
code=$?
if [ "$code" = 65 ] && grep -q "species_a.h5: holds no labels of cells, so no column .*data.labels" log; then pass; else fail "a 10x file without labels: exit $code"; show log; fi
# Streamed, a folder has to be unpacked, and its cells to stand one after another
mkdir unpacked && cp -r species_a unpacked && gunzip unpacked/species_a/matrix.mtx.gz
like mtx_stream 3 --set train.data=stream --set "data.inputs=[unpacked/species_a, $b]" --set "data.labels=[{path: labels.csv, file_column: file}]"
cannot() { # FOLDER WORDS
    expect "streaming of $1" 64 "which $1 does not allow: X $2, or set train.data: memory" 1 run run.yaml --set train.data=stream \
        --set "data.inputs=[$1, $b]" --set "data.labels=[{path: labels.csv, file_column: file}]"
}
cannot species_a "is compressed; unpack its matrix.mtx.gz (gunzip)"
cannot plain/species_a "has entries that do not stand cell by cell; sort them, or store it as an .h5ad file"
like 10x_v2 3 --set "data.inputs=['v2/species_a.h5:mm10', $b]" --set "data.labels=[{path: labels.csv, file_column: file}]"
like named 2 --set "data.inputs=['named/*.h5mu:gex', $b]"
# All formats in one list, in files that hold a part of the cells each, as one file with all: the same, but for what is told of a file
launch 1 run run.yaml -q --set "data.inputs=[whole.h5ad, $b]" >whole.log 2>&1
check_ok "run of one file" $? whole.log
"$SCS_PYTHON" arrays.py results/screen.h5ad | grep -v '^uns/genes/' >whole.arrays
for np in 1 3; do
    rm -rf results
    launch $np run run.yaml --set "data.inputs=[p0.h5ad, p1, p2.h5mu, p3.loom, p4.h5, $b]" --set "data.labels=[{path: parts.csv, file_column: file}]" >mixed.log 2>&1
    check_ok "run of all formats in one list at np $np" $? mixed.log
    "$SCS_PYTHON" arrays.py results/screen.h5ad 2>&1 | grep -v '^uns/genes/' >mixed.arrays
    if [ -s whole.arrays ] && cmp -s whole.arrays mixed.arrays; then pass; else
        fail "all formats in one list at np $np: other arrays than from one file"
        diff whole.arrays mixed.arrays | head
    fi
done
# check says what kind of file it is; help and completion name the endings
"$scscreen" check data/species_a.loom >log 2>&1
check_ok "check of a loom file" $? log
"$scscreen" check named/species_a.h5mu:gex >>log 2>&1
check_ok "check of a modality" $? log
for words in "file     loom" "file     h5mu, mod/gex" "genes x cells"; do
    if grep -q "$words" log; then pass; else fail "check does not say: $words"; show log; fi
done
# what h5py reads only with hdf5plugin, and what it reads alone
"$SCS_PYTHON" -B - >py.log 2>&1 <<'P'
import anndata, h5py, hdf5plugin, shutil
anndata.read_h5ad("data/species_a.h5ad").write_h5ad("zstd.h5ad", **hdf5plugin.Zstd())
for name, options in {"LZ4": hdf5plugin.LZ4(), "Blosc": hdf5plugin.Blosc(), "Blosc2": hdf5plugin.Blosc2(), "bitshuffle": hdf5plugin.Bitshuffle(),
                      "lzf": {"compression": "lzf"}, "gzip": {"compression": "gzip"}}.items():
    shutil.copy("data/species_a.h5ad", f"{name}.h5ad")
    with h5py.File(f"{name}.h5ad", "r+") as f:
        x = f["X/data"][:]
        del f["X/data"]
        f.create_dataset("X/data", data=x, **options)
P
check_ok "compressing" $? py.log
# compressed NAME LIBRARY: a note where the library was there at build time, else a refusal: both say what other readers need
compressed() {
    "$scscreen" check "$1.h5ad" >log 2>&1
    code=$?
    launch 2 check run.yaml --set "data.inputs=[$1.h5ad, $b]" --set check.trial=false >config.log 2>&1
    config_code=$?
    if [ -n "$2" ] && grep -q "^#define HAVE_$2 1" "$SCS_BUILDDIR/config.h"; then
        [ "$code$config_code" = 00 ] && grep -q "^  note     compressed by $1, .*import hdf5plugin" log &&
            [ "$(grep -c "^note: $1.h5ad: compressed by $1, .*import hdf5plugin" config.log)" = 1 ]
    else
        [ "$code$config_code" = 6565 ] && grep -q "error: $1.h5ad: .*is compressed with filter .*import hdf5plugin" log && grep -q "import hdf5plugin" config.log
    fi
    if [ $? = 0 ]; then pass; else fail "$1 and hdf5plugin: exit $code, $config_code"; show log; show config.log; fi
}
compressed zstd ZSTD
compressed LZ4 LZ4
compressed Blosc BLOSC
compressed Blosc2 ""
compressed bitshuffle ""
for name in lzf gzip; do
    "$scscreen" check $name.h5ad >log 2>&1
    code=$?
    if [ "$code" = 0 ] && ! grep -q hdf5plugin log; then pass; else fail "$name needs no plugin: exit $code"; show log; fi
done
# A 10x folder of which any one file is written to while they are read: somebody touches it all the time.
np=1
for file in matrix.mtx barcodes.tsv features.tsv; do
    while :; do touch species_a/$file.gz; done &
    writer=$!
    expect "a 10x folder that is written to" 65 "species_a/$file.gz: changed while it was being read; run again when nothing writes to it" $np \
        run run.yaml --set output.dir=written --set "data.inputs=[species_a, $b]" --set "data.labels=[{path: labels.csv, file_column: file}]"
    kill $writer
    wait $writer 2>/dev/null
    np=3
done
if [ -z "$(ls written/*.h5* 2>/dev/null)" ]; then pass; else fail "something was made of a folder that was written to"; fi
"$scscreen" check named/species_a.h5mu:atac >log 2>&1
code=$?
if [ "$code" = 65 ] && grep -q "without a modality atac; it has: gex, rna; name one" log; then pass; else fail "a modality that is not there: exit $code"; show log; fi
finish
