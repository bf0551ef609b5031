# Every field that doc/result-format.md documents is in the result, every field of the result is documented, and each means what
# is said there.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$scscreen" simulate --dir "$work/data" --genes 200 --cells 30 --cell_types 3 --perturbations 2 --pairs 1 --species 2 \
    --set 'simulate.doses=[1, 10]' >log 2>&1
check_ok simulate $? log
printf 'up\thttp://x\tgene_0001\tgene_0005\tgene_0009\tgene_0013\nnone\tna\tGENE_0001\tTP53\nall_but_case\tna\tgene_0002\tGene_0003\tgene_0004\n' >sets.gmt
cat >run.yaml <<Y
data:
  inputs:
    - {path: data/species_a.h5ad, species: species_a}
    - {path: data/species_b.h5ad, species: species_b, orthologs: data/species_b.orthologs.tsv}
  dose: dose
  filter: {column: dose, min: 0}
  n_top_genes: 200          # all that both files have: the key is told of, and no gene is left out
  normalize: log1p
hold_out:
  - {cell_type: type_1, condition: drug_1}
  - {cell_type: type_2, condition: drug_2, dose: 10, species: species_b}
model: {hidden: 32, latent: 8}
train: {epochs: 4, shards: 2}
screen: {order: 2, doses: [observed, 3, 20], gene_sets: sets.gmt, permutations: 99, bootstrap: 20,
  shift: nearest, decode: blend, blend: 0.4, de: true}
output: {top_genes: 5}
Y
launch 2 run run.yaml >log 2>&1
check_ok run $? log
grep -q 'sets.gmt: 3 gene sets, 6 of their genes are in the data$' log &&
    grep -q 'warning: sets.gmt: 1 of 3 gene sets (first: none) have no gene in the data and get no scores (NaN)$' log
check_ok "sets without known genes are reported" $? log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/formats/check_result.py" results/screen.h5ad >py.log 2>&1
check_ok "columns and layers" $? py.log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_result_file.py" "$SCS_SRCDIR/doc/result-format.md" results/screen.h5ad data >py.log 2>&1
check_ok "documented and meant" $? py.log
[ "$failed" = 0 ] || cat py.log
printf 'up\tx\tgene_0001\nIL2\n' >sets.gmt
for np in 1 2; do
    expect "malformed GMT" 65 "sets.gmt:2: fewer than three columns ('IL2')" $np run run.yaml --restart
    expect "no GMT" 65 "none.gmt" $np screen run.yaml --set model.kind=mean --set "screen.gene_sets=$work/none.gmt"
done
finish
