# scripts/scscreen.py: models, screens and events read in Python; weights to other formats and back; doc/python.md's examples run.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
module=$SCS_SRCDIR/scripts
"$scscreen" simulate --dir data --genes 200 --cells 30 --cell_types 4 --perturbations 2 --species 1 >log 2>&1
check_ok simulate $? log
cat >my.yaml <<Y
data: {inputs: [counts.h5ad], control: control}
hold_out:
  - {cell_type: type_1, condition: drug_1}
model: {hidden: 16, latent: 5}
train: {epochs: 3, batch: 32, shards: 2}
screen: {decode: decode, shift: nearest, permutations: 0}
Y
# The examples read normalised cells, as they stand in the file; the model was trained on the counts that they are of.
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata, scanpy as sc
a = anndata.read_h5ad("data/species_a.h5ad")
a.write_h5ad("counts.h5ad")
sc.pp.normalize_total(a, target_sum=1e4)
sc.pp.log1p(a)
a.write_h5ad("my_atlas.h5ad")
P
check_ok "normalising" $? log
launch 2 run my.yaml >log 2>&1
check_ok run $? log

"$SCS_PYTHON" - "$module" >log 2>&1 <<'P'
import sys, anndata, h5py, numpy as np
sys.path.insert(0, sys.argv[1])
import scscreen
model, screen = scscreen.read_model("results/model.h5"), scscreen.read_screen("results/screen.h5ad")
cells = anndata.read_h5ad("my_atlas.h5ad")
assert (model.n_hidden, model.n_latent, model.n_layers) == (16, 5, 2)
z = model.embed(cells, rows=37)
with h5py.File("results/model.h5") as f:
    atlas = f["atlas"]
    types, conditions = atlas["cell_types"].asstr()[:], atlas["conditions"].asstr()[:]
    for (_, t, c, held_out, n), mean in zip(atlas["group"][:], atlas["mean"][:]):
        of = ((cells.obs.cell_type == types[t]) & (cells.obs.condition == conditions[c])).values
        assert of.sum() == n
        assert held_out == ((types[t], conditions[c]) == ("type_1", "drug_1"))
        assert held_out or np.allclose(z[of].mean(0), mean, rtol=1e-4, atol=1e-4), (types[t], conditions[c])
species = screen.obs.species.iloc[0]
n = 0
for name, row in screen.obs.iterrows():
    control = ((cells.obs.cell_type == row.cell_type) & (cells.obs.condition == "control")).values
    want = model.decode(z[control] + screen[name].obsm["delta"][0].astype("f4")).mean(0)
    got = scscreen.predict_mean(screen, species, row.cell_type, row.perturbation)
    assert np.abs(got.values - want).max() < 1e-4 * np.abs(want).max()
    assert np.allclose(scscreen.predict_mean(screen, species, row.cell_type, row.perturbation, layer="shift"), got - screen[name].layers["control"][0], atol=1e-6)
    n += 1
assert n == 8 and list(got.index) == list(screen.var_names)
events = scscreen.read_events("results/events.jsonl")
assert list(events.epoch) == [1, 2, 3] and (events.loss > 0).all()
line = scscreen.interpolate(z[0], z[1], 4)
assert np.allclose(line[[0, -1]], z[:2]) and np.allclose(line[1] - line[0], line[2] - line[1], atol=1e-5)

mixed = cells.copy()  # two batches of each type but type_2, the larger first
mixed.obs["batch"] = np.where((np.arange(mixed.n_obs) % 3 > 0) | (mixed.obs.cell_type == "type_2"), "big", "small")
whole = scscreen.integrate(model, mixed, "batch", "cell_type")
assert list(whole.obs_names) == list(mixed.obs_names) and whole.shape == mixed.shape
moved = whole.obsm["latent"]
for t in types:
    big, small = (((mixed.obs.cell_type == t) & (mixed.obs.batch == b)).values for b in ("big", "small"))
    assert np.allclose(moved[big], z[big], atol=1e-5)
    assert small.any() == (t != "type_2")
    assert not small.any() or np.allclose(moved[small].mean(0), z[big].mean(0), atol=1e-4)
assert np.allclose(whole.X, model.decode(moved), atol=1e-5)
assert np.allclose(whole.obsm["corrected_latent"], model.embed(whole), atol=1e-5)

def refused(words, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except ValueError as error:
        assert words in str(error), error
    else:
        raise AssertionError(f"not refused: {words}")
wide = len(model.genes)
refused(f"5 of {wide} genes of the model are not in the data, the first gene_0", model.embed, cells[:, 5:])
refused(f"3 columns for {wide} genes", model.embed, np.zeros((3, 3)))
refused("expected [cells, 5]", model.decode, np.zeros((3, 4)))
refused("0 rows are", scscreen.predict_mean, screen, species, "type_9", "drug_1")
refused('no column "donor" in obs', scscreen.integrate, model, cells, "donor", "cell_type")
refused("at least 2", scscreen.interpolate, z[0], z[1], 1)
refused("a screen", scscreen.read_screen, "my_atlas.h5ad")
refused("not a model", scscreen.read_model, "my_atlas.h5ad")
refused("none.h5", scscreen.read_model, "none.h5")
state = dict(model.state)
refused("NaN or Inf", scscreen.Model, model.genes, {**state, "decoder.linear_out.bias": np.full(wide, np.nan)})
refused(f"{wide - 1} gene names for a network of {wide}", scscreen.Model, model.genes[1:], state)
refused("a gene name stands twice", scscreen.Model, ["g"] * wide, state)
state.pop("z_encoder.mean_encoder.weight")
refused('no tensor "z_encoder.mean_encoder.weight"', scscreen.Model, model.genes, state)

# pertpy's weights: its network as flax computes it, written out here, and back again bit by bit.
params, stats = scscreen.to_flax(model)
def flax(x, half, output):
    for layer in range(model.n_layers):
        dense, norm, running = params[half][f"Dense_{layer}"], params[half][f"BatchNorm_{layer}"], stats[half][f"BatchNorm_{layer}"]
        x = x @ dense["kernel"] + dense["bias"]
        x = (x - running["mean"]) / np.sqrt(running["var"] + 0.001) * norm["scale"] + norm["bias"]
        x = np.where(x >= 0, x, 0.01 * x)
    return x @ params[half][output]["kernel"] + params[half][output]["bias"]
assert np.allclose(flax(cells.X.toarray()[:20], "encoder", "Dense_2"), z[:20], atol=1e-4)
assert np.allclose(flax(z[:20], "decoder", "Dense_2"), model.decode(z[:20]), atol=1e-4)
assert np.array_equal(params["encoder"]["Dense_3"]["kernel"].T, model.state["z_encoder.var_encoder.weight"])
back = scscreen.from_flax(model.genes, params, stats)
assert back.state.keys() == model.state.keys() and all(np.array_equal(back.state[k], model.state[k]) for k in model.state)
bare = scscreen.from_flax(model.genes, {h: {k: v for k, v in p.items() if "Norm" not in k} for h, p in params.items()}, {})
assert bare.n_layers == 2 and not any("running" in k for k in bare.state) and not np.allclose(bare.embed(cells), z, atol=1e-2)
assert scscreen.to_flax(bare)[1] == {}
params["encoder"]["LayerNorm_0"] = {}
refused('a layer "LayerNorm_0", which scGen', scscreen.from_flax, model.genes, params, stats)
for to in scscreen.to_pertpy, scscreen.to_scgen:  # before they need pertpy or scgen
    refused("not the model's in its order", to, model, cells[:, ::-1])
    refused("profile paper", to, scscreen.Model(model.genes, model.state, "paper"), cells)
P
check_ok "the module computes what the program does" $? log

# Weights there and back again: the program screens with them as with its own.
"$SCS_PYTHON" "$module/scscreen.py" convert results/model.h5 m.safetensors >log 2>&1
check_ok "to safetensors" $? log
"$SCS_PYTHON" "$module/scscreen.py" convert m.safetensors weights.h5 >log 2>&1
check_ok "and back" $? log
launch 2 screen my.yaml --set model.load="$work/weights.h5" --set output.dir=again >log 2>&1
check_ok "screen with these weights" $? log
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata, numpy as np
a, b = anndata.read_h5ad("results/screen.h5ad"), anndata.read_h5ad("again/screen.h5ad")
assert np.array_equal(a.X, b.X) and np.array_equal(a.obsm["delta"], b.obsm["delta"])
P
check_ok "the same predictions, bit by bit" $? log
mkdir pertpy && echo '{}' >pertpy/attr.json && echo none >pertpy/model.msgpack
"$SCS_PYTHON" -c 'import flax' 2>/dev/null && code=65 || code=64
for ask in "$code pertpy x.h5" "65 results/screen.h5ad x.h5" "65 results/model.h5 x.txt" "65 missing.h5 x.h5" "64 results/model.h5"; do
    # shellcheck disable=SC2086
    set -- $ask
    code=$1
    shift
    "$SCS_PYTHON" "$module/scscreen.py" convert "$@" >log 2>&1
    got=$?
    if [ $got = "$code" ] && [ ! -e x.h5 ] && ! grep -q Traceback log; then pass; else fail "convert $*: exit $got" && show log; fi
done

# The document's examples, each by itself.
"$SCS_PYTHON" - "$SCS_SRCDIR/doc/python.md" >log 2>&1 <<'P'
import re, sys
blocks = re.findall(r"```python\n(.*?)```", open(sys.argv[1]).read(), re.S)
assert len(blocks) == 3, len(blocks)
for i, text in enumerate(blocks):
    open(f"example_{i}.py", "w").write(text.replace("CD4T", "type_1").replace("stimulated", "drug_1"))
P
check_ok "doc/python.md has three examples" $? log
for i in 0 1 2; do
    PYTHONPATH=$module "$SCS_PYTHON" "example_$i.py" >log 2>&1
    check_ok "example $i" $? log
    [ "$i" = 0 ] && { grep -q '^gene_0' log && pass || fail "example 0 names no genes"; }
    [ "$i" = 1 ] && { grep -q '^(30, \([0-9]*\)) (5, \1)$' log && pass || fail "example 1: $(tail -n 1 log)"; }
    [ "$i" = 2 ] && { grep -q '^(360, [0-9]*) (360, 5)$' log && pass || fail "example 2: $(tail -n 1 log)"; }
done
finish
