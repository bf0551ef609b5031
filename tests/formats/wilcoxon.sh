# Wilcoxon scores equal scanpy's.
. "$SCS_SRCDIR/tests/lib.sh"
"$SCS_PYTHON" -B "$SCS_SRCDIR/tests/formats/check_wilcoxon.py" "$SCS_BUILDDIR/tests/formats/dump_wilcoxon" >"$work/log" 2>&1
check_ok "Wilcoxon scores as scanpy's" $? "$work/log"
cat "$work/log"
finish
