# A full disk: every verb writes into a tmpfs, whose size is swept in SCS_DISK_STEPS steps (3; make check-long: 64) from nothing left
# to more than enough, on one and two ranks in turn. Never a hang, never exit 0 with a wrong file, and the older good file stays.
. "$SCS_SRCDIR/tests/lib.sh"
. "$SCS_SRCDIR/tests/faults/verbs.sh"
steps=${SCS_DISK_STEPS:-3}
# Without root, in a user namespace of its own, where the system allows that.
if [ "$(id -u)" != 0 ] && [ -z "${SCS_OWN_NAMESPACE:-}" ] && unshare -rm true 2>/dev/null; then
    SCS_OWN_NAMESPACE=1 exec unshare -rm "${SHELL:-/bin/sh}" "$0"
fi
# There this user is called root, but Open MPI's folder of that name in /tmp may be the real root's.
export OMPI_MCA_orte_tmpdir_base="$work"
disk=$work/disk
mkdir "$disk"
mount -t tmpfs -o size=1m tmpfs "$disk" 2>/dev/null && can_mount=yes || can_mount=no
trap 'umount "$disk" 2>/dev/null; rm -rf "$work"' EXIT
make_good

# In pages, as tmpfs counts.
kilobytes() { find "$1" -type f -printf '%s\n' | awk '{ pages += int(($1 + 4095) / 4096) } END { print 4 * pages }'; }

# sweep VERB: sizes from what the older files take to what old and new files, and as much again for temporary ones, take.
sweep() {
    verb=$1 ended_well=0 ended_full=0
    base=$(kilobytes older)
    span=$((3 * $(kilobytes "whole/$verb") + 100))
    for step in $(seq 0 "$steps"); do
        umount "$disk"
        mount -t tmpfs -o size=$((base + span * step / steps))k tmpfs "$disk" || fail "no tmpfs of step $step"
        set_out "$disk/out" || fail "the older files do not fit"
        before=$failed
        np=$((1 + step % 2))
        [ "$verb" != pca ] || np=1 # whose bits depend on the grid of ranks
        # shellcheck disable=SC2046
        try_on $np "$scscreen" $(words "$verb" "$disk/out") -q
        judge "$verb, $((base + span * step / steps)) KiB" "$verb" "$disk/out"
        if [ $code = 0 ]; then ended_well=$((ended_well + 1)); else ended_full=$((ended_full + 1)); fi
        [ "$failed" != "$before" ] || pass
    done
    echo "$verb: $ended_full sizes were too small, $ended_well enough"
    if [ $ended_well -gt 0 ] && [ $ended_full -gt 0 ]; then pass; else fail "$verb: the sweep misses the edge"; fi
}

if [ $can_mount = yes ]; then
    for verb in $verbs; do sweep $verb; done
    echo "$runs runs, $refused of them ended with an error line"
else
    skip "a full disk: no tmpfs can be mounted here (needs root, or user namespaces)"
fi
finish
