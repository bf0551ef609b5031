# One small model, many screens: estimators, blends, selections, rows that cannot be predicted; same bytes on 1 and 3 ranks.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$scscreen" simulate --dir "$work/data" --genes 200 --cells 24 --cell_types 3 --perturbations 3 --species 3 >log 2>&1
check_ok simulate $? log
"$SCS_PYTHON" - "$work/data/species_b.h5ad" >log 2>&1 <<'P'
import sys, anndata
cells = anndata.read_h5ad(sys.argv[1])
cells[~((cells.obs.cell_type == "type_3") & (cells.obs.condition == "control")).values].copy().write_h5ad(sys.argv[1])
P
check_ok "type_3 of species_b loses its controls" $? log
cat >run.yaml <<Y
data:
  inputs:
    - {path: data/species_a.h5ad}
    - {path: data/species_b.h5ad, orthologs: data/species_b.orthologs.tsv}
    - {path: data/species_c.h5ad, orthologs: data/species_c.orthologs.tsv}
  species: species
  normalize: log1p
hold_out:
  - {cell_type: type_1, condition: drug_1}
  - {cell_type: type_1, condition: drug_3, species: species_c}    # drug_3 in species_c: other species speak
  - {cell_type: type_2, condition: drug_3, species: species_c}
  - {cell_type: type_3, condition: drug_3, species: species_c}
  - {cell_type: type_1, condition: drug_2}                        # drug_2: seen only beside no controls
  - {cell_type: type_2, condition: drug_2}
  - {cell_type: type_3, condition: drug_2, species: species_a}
  - {cell_type: type_3, condition: drug_2, species: species_c}
model: {hidden: 32, latent: 8}
train: {epochs: 3, shards: 4}
screen: {shift: nearest, blend: 0.5}
Y
launch 2 train run.yaml >log 2>&1
check_ok train $? log
cp results/model.h5 model.h5

# screen NAME OPTIONS...: the same bytes at np 1 and 3, and a file as users expect it
screen() {
    name=$1
    shift
    for np in 1 3; do
        launch $np screen run.yaml --set "model.load=$work/model.h5" "$@" --set output.dir=results >$name.$np.log 2>&1
        check_ok "$name at np $np" $? $name.$np.log
        mv results/screen.h5ad $name.$np.h5ad
    done
    if cmp -s $name.1.h5ad $name.3.h5ad; then pass; else fail "$name: np 3 gives other bytes than np 1"; fi
    "$SCS_PYTHON" "$SCS_SRCDIR/tests/formats/check_result.py" $name.1.h5ad >py.log 2>&1
    check_ok "$name: columns and layers" $? py.log
}
screen plain --set screen.decode=edit
screen chosen --set screen.decode=edit --set screen.shift=auto --set screen.permutations=0
screen own --set screen.decode=edit --set screen.shift=mixed --set screen.bootstrap=5
screen mixed --set screen.blend=auto --set screen.permutations=0
screen trusted --set screen.permutations=199 --set screen.bootstrap=25
screen ranked --rank-by energy_distance --set output.top_genes=7 --set screen.permutations=0
cp results/ranking.tsv .
screen blend --set screen.blend=0.3
screen regression --set screen.shift=regression --set screen.cross_species=mean
screen average --set screen.cross_species=average
screen globs --set screen.decode=edit --set "screen.cell_types=['type_[12]']" --set "screen.species=['*_c']"
cat >wanted.csv <<C
cell_type,perturbation,species
type_3,drug_1,species_b
type_1,drug_1,species_a
type_2,drug_3,
C
screen wanted --set screen.decode=edit --set "screen.combinations=$work/wanted.csv"
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_screening.py" >py.log 2>&1
check_ok contents $? py.log
[ "$failed" = 0 ] || cat py.log
grep -q '^shift: .*; errors, each group left out in turn: .*mixed [0-9]' chosen.1.log && grep -q '^blend [01]\.[0-9]*, by leaving out [1-9]' mixed.1.log
check_ok "the choices are printed" $? mixed.1.log
grep -A2 '^The first' ranked.3.log | grep -q 'energy_distance'
check_ok "the first rows are printed" $? ranked.3.log
for np in 1 3; do
    expect "unknown rank-by" 64 "screen.rank_by is 'size'" $np screen run.yaml --rank-by size
    expect "unknown type" 64 'there is no cell type "typ_1"; did you mean "type_1"?' $np screen run.yaml --set 'screen.cell_types=[typ_1]'
    expect "unknown in the file" 64 'wanted.csv:2: there is no species "species_d"' $np screen run.yaml --set "model.load=$work/model.h5" \
        --set "screen.combinations=$(printf 'cell_type,perturbation,species\ntype_1,drug_1,species_d\n' >wanted.csv; echo "$work/wanted.csv")"
done
finish
