# Energy distance and MMD equal what scipy's pairwise distances give.
. "$SCS_SRCDIR/tests/lib.sh"
"$SCS_PYTHON" -B "$SCS_SRCDIR/tests/formats/check_distance.py" "$SCS_BUILDDIR/tests/formats/dump_distance" >"$work/log" 2>&1
check_ok "energy distance and MMD" $? "$work/log"
cat "$work/log"
finish
