# A simulated atlas of three species with known truth: the demo's config, end to end.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$scscreen" simulate "$SCS_SRCDIR/configs/demo.yaml" --dir "$work/data" >log 2>&1
check_ok "simulate configs/demo.yaml" $? log
SCS_TIMEOUT=900 launch 2 run "$SCS_SRCDIR/configs/demo.yaml" --set output.dir=out --set "data.inputs=[
    {path: $work/data/species_a.h5ad, species: species_a},
    {path: $work/data/species_b.h5ad, species: species_b, orthologs: $work/data/species_b.orthologs.tsv},
    {path: $work/data/species_c.h5ad, species: species_c, orthologs: $work/data/species_c.orthologs.tsv}]" >log 2>&1
check_ok "run configs/demo.yaml on 2 ranks" $? log
grep -A40 Held-out log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/formats/check_simulated.py" data >py.log 2>&1
check_ok "the simulated files" $? py.log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_truth.py" out/screen.h5ad data/truth.h5ad >py.log 2>&1
check_ok "predictions against the truth" $? py.log
cat py.log
finish
