# Real files in many layouts, generated layouts and hostile files: read as anndata reads them, or refused by name.
. "$SCS_SRCDIR/tests/lib.sh"
"$SCS_PYTHON" -B "$SCS_SRCDIR/tests/formats/run.py" "$SCS_BUILDDIR/tests/formats/dump_h5ad" "$work"
