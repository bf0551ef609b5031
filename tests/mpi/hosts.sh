# Several hosts as network namespaces of this machine, each with its own host name, joined by a bridge: mpirun over them, TCP only,
# gives the bytes of one host.
. "$SCS_SRCDIR/tests/lib.sh"
id=scs$$
hosts=3
subnet=10.$(($$ % 200 + 20)).77
# clear_hosts ID: with what still runs there.
clear_hosts() {
    for h in $(seq $hosts); do
        kill -9 $(ip netns pids "$1-$h" 2>/dev/null) 2>/dev/null
        ip netns del "$1-$h" 2>/dev/null
    done
    ip link del "$1" 2>/dev/null
}
# What tests have left that were killed themselves.
clear_leftovers() {
    for old in $(ip netns list 2>/dev/null | sed -n 's/^\(scs[0-9]*\)-[0-9]*\( .*\)\{0,1\}$/\1/p' | sort -u); do
        grep -q hosts.sh "/proc/${old#scs}/cmdline" 2>/dev/null && continue
        echo "hosts of an earlier test that was killed are cleared: $old"
        clear_hosts "$old"
    done
}
trap 'clear_hosts $id; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
make_hosts() {
    ip link add "$id" type bridge && ip link set "$id" up || return 1
    for h in $(seq $hosts); do
        ip netns add "$id-$h" && ip link add "$id.$h" type veth peer name eth0 netns "$id-$h" && ip link set "$id.$h" master "$id" up || return 1
        ip -n "$id-$h" addr add "$subnet.$h/24" dev eth0 && ip -n "$id-$h" link set eth0 up && ip -n "$id-$h" link set lo up || return 1
    done
}
command -v ip >/dev/null && command -v unshare >/dev/null || skip_all "no ip or unshare (iproute2, util-linux)"
clear_leftovers
make_hosts 2>"$work/log" || skip_all "no network namespaces ($(head -n 1 "$work/log"))"

# What mpirun takes for ssh: agent [-OPTION...] HOST COMMAND...
cat >"$work/agent" <<A
#!/bin/sh
while [ "\${1#-}" != "\$1" ]; do shift; done
host=\${1##*.}
shift
exec ip netns exec $id-\$host unshare --uts sh -c "hostname host\$host; \$*"
A
chmod +x "$work/agent"
small_atlas
cd "$work" || exit 1
launch 2 run run.yaml -q --set output.dir=one >log 2>&1
check_ok "on one host" $? log

# on N RANKS-OF-EACH COMMAND...: mpirun on host 1, ranks on hosts 1 to N.
on() {
    list=
    for h in $(seq "$1"); do list=$list${list:+,}$subnet.$h:$2; done
    n=$(($1 * $2))
    shift 2
    if [ "$(mpi_name)" = mpich ]; then
        set -- env UCX_TLS=tcp,self UCX_NET_DEVICES=eth0 mpirun -n $n -hosts "$list" -launcher ssh -launcher-exec "$work/agent" -iface eth0 "$@"
    else
        set -- mpirun -n $n --host "$list" ${LSAN_OPTIONS:+-x ASAN_OPTIONS -x LSAN_OPTIONS -x UBSAN_OPTIONS} --mca plm_rsh_agent "$work/agent" \
            --mca pml ob1 --mca btl self,tcp --mca osc pt2pt --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0 "$@"
    fi
    OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" ip netns exec "$id-1" unshare --uts sh -c 'hostname host1; exec "$@"' sh "$@" >log 2>&1
}
names() { grep -c "^host$1\$" log; }
on 3 1 hostname
if [ "$(names 1) $(names 2) $(names 3)" = "1 1 1" ]; then pass; else fail "not three hosts"; cat log; fi
for shape in "2 1" "2 2" "3 1"; do
    set -- $shape
    on "$1" "$2" "$scscreen" run run.yaml -q --set "output.dir=on$1.$2"
    check_ok "$1 hosts, $2 ranks on each" $? log
    grep "^scscreen: error" log
    for file in model.h5 screen.h5ad; do
        if cmp -s "one/$file" "on$1.$2/$file"; then pass; else fail "$1 hosts, $2 ranks on each: another $file"; fi
    done
done
# A mistake ends in one line here too.
on 2 2 "$scscreen" run run.yaml -q --set train.batch=63
code=$?
if [ "$code" = 64 ] && [ "$(grep -c '^scscreen: error: ' log)" = 1 ]; then pass; else fail "a mistake on 2 hosts: exit $code"; tail -n 5 log; fi
[ "$failed" != 0 ] || echo "2 and 3 hosts, 2 to 4 ranks: the bytes of one host"
finish
