#!/bin/sh
# SPDX-License-Identifier: MIT
# refused.sh COMPILER - what mopd.hpp must not let a program say: none of the lines below compiles, and the compiler names
# the reason; the same without the fault compiles.
set -eu
compiler=$1
include=$(cd "$(dirname "$0")/../../include" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compiles STANDARD <CODE - each line in a function of its own that has an encoder and a path, two lines further down
compiles()
{
    {
        printf '#include <mopd/mopd.hpp>\n#include <filesystem>\n'
        sed 's/.*/{ auto f = [](mopd::Encoder \&e, const std::filesystem::path \&p) { (void)e, (void)p, &; }; (void)f; }/' |
            awk '{print "inline void f" NR "() " $0}'
    } >"$work/code.cpp"
    "$compiler" -std="$1" -I"$include" -fsyntax-only "$work/code.cpp" 2>"$work/said"
}

fail()
{
    cat "$work/said" >&2
    echo "refused.sh: $*" >&2
    exit 1
}

cat >"$work/good" <<'CODE'
e.files({"a"}, [](auto &&...) { return true; })
e.files({"a"}, [](auto &&...) {})
e.files({p})
CODE
compiles c++17 <"$work/good" || fail "does not compile"

# A number where bool or nothing is wanted; one text or path where a list is.
cat >"$work/number" <<'CODE'
e.files({"a"}, [](auto &&...) { return 0; })
e.files({"a"}, [](auto &&...) { return "stop"; })
mopd::Dataset("d").encode(e, {}, [](auto &&...) { return 0L; })
mopd::Trainer(e, {"a"}).run(mopd::Run(), [](const mopd_epoch &) { return 1; })
mopd::Trainer(e, {"a"}).run(mopd::Run(), mopd::ignore(), [](const mopd_step &) { return 1; })
mopd::Trainer(e, {"a"}).run_views({}, [](auto &&...) { return MOPD_OK; })
CODE
cat >"$work/one" <<'CODE'
e.files(p)
e.files(std::string("a"))
mopd::Bank(e, "cat,dog")
CODE
cat "$work/number" "$work/one" >"$work/bad"
if compiles c++17 <"$work/bad"; then fail "all of it compiles"; fi
line=2
while read -r code; do
    line=$((line + 1))
    grep -q "code[.]cpp:$line:" "$work/said" || fail "not refused: $code"
done <"$work/bad"
[ "$(grep -c 'error:.*returns nothing, or bool' "$work/said")" = "$(wc -l <"$work/number")" ] || fail "a number is not told as the reason"
[ "$(grep -c 'is no list of them' "$work/said")" = "$(wc -l <"$work/one")" ] || fail "one text is not told as the reason"

if echo '(void)e' | compiles c++14 || ! grep -q 'mopd.hpp needs C++17' "$work/said"; then
    fail "C++14 is not told what is needed"
fi
echo "$(cat "$work/good" "$work/bad" | wc -l) passed, 0 failed"
