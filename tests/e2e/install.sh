# What `make install` leaves works without the source tree: program, configs, batch scripts, report, completion, manual.
. "$SCS_SRCDIR/tests/lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL
prefix=$work/prefix
if make -C "$SCS_BUILDDIR" install prefix="$prefix" >"$work/log" 2>&1; then pass; else
    fail "make install"
    show "$work/log"
fi
share=$prefix/share/scscreen
for file in bin/scscreen share/scscreen/scripts/report share/scscreen/scripts/slurm/train.sbatch \
    share/scscreen/scripts/slurm/screen.sbatch; do
    [ -x "$prefix/$file" ] && pass || fail "not installed, or not executable: $file"
done
for file in share/man/man1/scscreen.1 share/man/man5/scscreen-result.5 share/bash-completion/completions/scscreen; do
    [ -s "$prefix/$file" ] && pass || fail "not installed: $file"
done
scscreen=$prefix/bin/scscreen
mkdir "$work/mine" && cd "$work/mine" || exit 1

# As README says: the configs are copied to where one works, and run from there.
cp -r "$share/configs" .
"$scscreen" simulate configs/demo.yaml --genes 60 --cells 12 >"$work/log" 2>&1
check_ok "simulate of the installed demo.yaml" $? "$work/log"
launch 2 run configs/demo.yaml --set model.hidden=8 --set model.latent=4 --set train.epochs=2 --set screen.permutations=0 >"$work/log" 2>&1
check_ok "the installed demo.yaml" $? "$work/log"
[ -s results/demo/screen.h5ad ] && pass || fail "demo.yaml: no result"
if grep -qxF "next: $share/scripts/report results/demo" "$work/log"; then pass; else
    fail "run does not name the installed report"
    show "$work/log"
fi
if "$SCS_PYTHON" -c 'import anndata, matplotlib' 2>/dev/null; then
    "$SCS_PYTHON" -B "$share/scripts/report" results/demo >"$work/log" 2>&1
    check_ok "the installed report" $? "$work/log"
    [ -s results/demo/report.html ] && pass || fail "no report"
else
    skip "the installed report: no anndata and matplotlib"
fi
# The others read data that are not part of the project: one line says which file is missing; with it, nothing else is.
data_of() { sed -n 's|.*\.\./data/\([a-z0-9_]*\.h5ad\).*|\1|p' "configs/$1" | head -n 1; }
real_data() { # CONFIG: puts its file into data/
    mkdir -p data
    case $1 in
    kang_counts.yaml) "$SCS_PYTHON" -B "$SCS_SRCDIR/tests/e2e/check_kang_counts.py" make "$SCS_SHARED/data/kang_counts.h5ad" data/kang_2018.h5ad ;;
    primates.yaml) cp "$SCS_SHARED/data/primates_counts.h5ad" data/primates.h5ad ;;
    *) cp "$SCS_SHARED/data/kang_ifnb.h5ad" data/kang.h5ad ;;
    esac
}
for config in kang.yaml kang_counts.yaml kang_grid.yaml primates.yaml; do
    expect "$config without data" 65 "/data/$(data_of $config)" 1 check configs/$config
    if [ -d "$SCS_SHARED/data" ]; then
        real_data $config >"$work/log" 2>&1
        check_ok "data for $config" $? "$work/log"
        launch 1 check configs/$config >"$work/log" 2>&1
        check_ok "$config" $? "$work/log"
        rm -r data
    else
        skip "$config with its data: no $SCS_SHARED/data"
    fi
done
[ "$(cd configs && echo *)" = "demo.yaml kang.yaml kang_counts.yaml kang_grid.yaml primates.yaml" ] && pass || fail "another config is installed, untested"

# The batch scripts: which program they start, in which order they look.
program() { # SCRIPT: what would be started
    PATH=/usr/bin:/bin SCSCREEN_LAUNCH=echo sh "$1" my.yaml 2>&1
}
says() { if [ "$2" = "$3" ]; then pass; else fail "$1: '$2', expected '$3'"; fi; }
unset SCSCREEN SLURM_SUBMIT_DIR SCSCREEN_LAUNCH
mkdir -p build alone && ln -s "$scscreen" build/scscreen
for name in train:train screen:run; do
    script=${name%:*}.sbatch verb=${name#*:}
    installed=$share/scripts/slurm/$script here=$SCS_SRCDIR/scripts/slurm/$script
    says "the installed $script" "$(program "$installed")" "$scscreen $verb my.yaml"
    says "$script in a source tree" "$(program "$here")" "./build/scscreen $verb my.yaml"
    says "$script called elsewhere" "$(cd / && SLURM_SUBMIT_DIR=$work/mine program "$here")" "$work/mine/build/scscreen $verb my.yaml"
    says "$script and SCSCREEN" "$(SCSCREEN=/bin/true program "$installed")" "/bin/true $verb my.yaml"
    says "$script and the PATH" "$(PATH=$prefix/bin:/usr/bin:/bin SCSCREEN_LAUNCH=echo sh "$here" my.yaml)" "scscreen $verb my.yaml"
    for missing in "" /nowhere/scscreen; do
        (cd alone && SCSCREEN=$missing program "$here" >"$work/log")
        code=$?
        if [ $code = 64 ] && [ "$(wc -l <"$work/log")" = 1 ] && grep -q "SCSCREEN=PATH.*module load" "$work/log"; then pass; else
            fail "$script without a program: exit $code"
            show "$work/log"
        fi
    done
    # What README's config has must be enough for what the scripts ask for.
    ranks=$(sed -n 's/^#SBATCH --ntasks=\([0-9]*\).*/\1/p' "$here")
    shards=$(sed -n 's/^train: {.*shards: \([0-9]*\).*/\1/p' "$SCS_SRCDIR/README.md")
    if [ "${ranks:-0}" -gt 0 ] && [ "${ranks:-0}" -le "${shards:-0}" ]; then pass; else fail "$script asks for $ranks ranks, README's config has $shards shards"; fi
done
finish
