#!/bin/sh
# SPDX-License-Identifier: MIT
# report.sh PAGE.html - opens a page of `mopd train --report` in headless Chromium at the width of a phone and of a desk,
# and fails when anything stands outside the page, a picture cannot be decoded, or the page asks for anything.
set -eu
page=$1
browser=${CHROMIUM:-chromium}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed 's/ loading="lazy"//g' "$page" > "$work/page.html"
cat >> "$work/page.html" <<'JS'
<script>
addEventListener('load', () => {
  const root = document.documentElement, bad = [...document.images].filter(i => !i.naturalWidth).length;
  const small = [...document.querySelectorAll('p,td,b')].filter(e => parseFloat(getComputedStyle(e).fontSize) < 12).length;
  document.title = JSON.stringify({outside: root.scrollWidth - root.clientWidth, images: document.images.length, bad, small,
    curves: document.querySelectorAll('polyline').length, asked: performance.getEntriesByType('resource')
      .filter(e => !e.name.startsWith('data:')).length});
});
</script>
JS
for width in 390 1280; do
    "$browser" --headless --no-sandbox --disable-gpu --window-size=$width,900 --virtual-time-budget=20000 \
        --dump-dom "file://$work/page.html" 2> "$work/err" > "$work/dom"
    found=$(sed -n 's/.*<title>\({.*}\)<\/title>.*/\1/p' "$work/dom")
    echo "width $width: $found"
    case $found in
    *'"outside":0,'*'"bad":0,"small":0,'*'"asked":0}'*) ;;
    *) echo "report.sh: not as it should be" >&2; exit 1 ;;
    esac
done
