# bash completes verbs, options, config keys and their words, all from the program's own tables.
. "$SCS_SRCDIR/tests/lib.sh"
bash --version >/dev/null 2>&1 || skip_all "no bash"

# complete WORDS...: what bash offers for the last of the words, sorted, on one line.
complete() {
    bash -c '
        source "$1"
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _scscreen
        printf "%s\n" "${COMPREPLY[@]}" | sort | tr "\n" " "' _ "$SCS_BUILDDIR/doc/scscreen" "$@"
}
# offers EXPECTED WORDS...
offers() {
    expected=$1
    shift
    got=$(complete "$@")
    if [ "$got" = "$expected " ]; then pass; else fail "$*: offers '$got', expected '$expected'"; fi
}
offers "score screen simulate" scscreen s
offers "--restart" scscreen run --res
offers "train.batch= train.batch_norm=" scscreen run --set train.batch
offers "blend decode edit" scscreen screen --set screen.decode =
offers "decode" scscreen screen --set screen.decode = d
offers "false true" scscreen run --set train.resume =
offers "" scscreen run --set train.batch = x
# A whole number or a text: the word that stands for something, and the default.
offers "auto" scscreen run --set train.shards =
offers "32" scscreen run --set train.batch = ""
offers "X raw" scscreen run --set data.matrix =
# An option takes what the key takes that it is for; keys of a verb's own section are its options.
offers "delta_norm delta_pearson" scscreen screen my.yaml --rank-by d
words=$(sed -n 's/^| `screen.rank_by` | \([^|]*\) |.*/\1/p' "$SCS_SRCDIR/doc/config.md" | sed 's/^one of //' | tr -d ,)
offers "$(printf '%s\n' $words | sort | tr '\n' ' ' | sed 's/ $//')" scscreen -n 4 screen my.yaml --rank-by ""
offers "--group-size" scscreen validate my.yaml --gr
offers "1" scscreen validate my.yaml --group-size ""
offers "false true" scscreen validate my.yaml --pca ""
offers "" scscreen screen my.yaml --gr
offers "--genes" scscreen simulate --gen
offers "score screen simulate" scscreen --quiet s
offers "" scscreen -n s
cd "$work" && touch atlas.yaml atlas.h5ad other.txt
offers "atlas.h5ad atlas.yaml" scscreen run atl
offers "atlas.h5ad atlas.yaml" scscreen -n 2 run --restart atl

# Every verb and every key of --help is there, and nothing else.
"$scscreen" --help >help.txt
for verb in $(sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p' help.txt); do
    case " $(complete scscreen "") " in *" $verb "*) pass ;; *) fail "verb $verb is not offered" ;; esac
done
offered=$(complete scscreen run --set "" | tr ' ' '\n' | grep -c =)
listed=$(grep -c '^| `' "$SCS_SRCDIR/doc/config.md")
if [ "$offered" = "$listed" ]; then pass; else fail "$offered keys offered, doc/config.md has $listed"; fi
finish
