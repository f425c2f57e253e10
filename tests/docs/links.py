#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""links.py [ROOT] - what pages, comments and scripts point to must be in the repository.

In every page: links lead to files and headings that exist, paths of the repository in `` exist, no section is empty or
holds a placeholder.  In every tracked text file: a Markdown file that is named exists, a citation such as
"docs/method.md 3.4" names a section of that page, and no document is cited that only the authors have.

tests/docs/check.py holds the code in the pages to it; this program needs no build."""
import glob
import os
import re
import subprocess
import sys

# Papers that were passed around while the library was made.  (A licence says "an action of contract".)
PRIVATE = re.compile(r"(?<!OF )\b(?:METHOD|CONTRACT|DESIGN)\b(?:\.md)?")
EXCEPT = ("tests/docs/links.py", "tests/docs/selftest.py")  # they hold such faults to find them
NUMBERS = r"(\d+(?:\.\d+)?(?:(?:, | and | to )\d+\.\d+)*)\b"
CITATION = re.compile(r"docs/method\.md,? (?:sections? )?" + NUMBERS)
OWN_CITATION = re.compile(r"\bsections? " + NUMBERS)
MARKDOWN = re.compile(r"(?:\$\{?\w+\}?/?|/)?([\w.*-]+(?:/[\w.*-]+)*\.md)\b")
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDERS = "bindings|cmake|docs|examples|include|lib|scripts|tests"


def tracked(root):
    """The files of the repository: as git lists them, or all of a release's tree."""
    git = ["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(git, capture_output=True, check=False) if os.path.exists(os.path.join(root, ".git")) else None
    if done and done.returncode == 0:
        names = os.fsdecode(done.stdout).split("\0")[:-1]
    else:
        names = [os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names]
        names = [name for name in names if not name.startswith(("build", ".git" + os.sep))]
    return sorted(name for name in names if os.path.isfile(os.path.join(root, name)))


def read(path):
    """The text of a file, None where it is no text."""
    with open(path, "rb") as file:
        data = file.read()
    return None if b"\0" in data else data.decode("utf-8", "replace")


def pages(root):
    return [os.path.join(root, name) for name in tracked(root) if name.endswith(".md")]


def without_code(text, instead=""):
    return re.sub(r"^```.*?^```$", instead, text, flags=re.M | re.S)


def placeholder(path):
    """What a section holds where its text should begin: a lone word in capitals, or nothing.  None where all have text."""
    parts = re.findall(r"^(#+) (.*)\n+(?=(.*))", without_code(read(path), "(code)"), re.M)
    for depth, title, first in parts:
        inner = re.match(r"#+(?= )", first)
        if re.fullmatch(r"\W*[A-Z][A-Z0-9_]{2,}\W*", first) or not first or (inner and len(inner[0]) <= len(depth)):
            return f'"{title}" begins with "{first}"'
    return None


def headings(path):
    """The anchors of a page: as GitHub makes them, and as Doxygen is told."""
    anchors = set()
    for title, own in re.findall(r"^#+ (.*?)(?: \{#(\S+)\})?$", without_code(read(path)), re.M):
        anchors |= {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-"), own}
    return anchors


def dead_links(root, path):
    """Links that lead nowhere, and paths of the repository in `` that are not there."""
    text, dead = without_code(read(path)), []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        file, _, anchor = target.partition("#")
        if re.match(r"https?:", target):
            continue
        there = os.path.join(os.path.dirname(path), file) if file else path
        if not os.path.exists(there) or (anchor and anchor not in headings(there)):
            dead.append(target)
    for name in re.findall(rf"`((?:{FOLDERS})/[\w./*-]+)", text):
        if not glob.glob(os.path.join(root, name)):
            dead.append(name)
    return "leads nowhere: " + ", ".join(dead) if dead else None


def sections(path):
    """The numbers that stand before the headings of a page, and "12.4" for the fourth item of section 12's list."""
    found, last = set(), ""
    for heading, item in re.findall(r"^(?:#+ (\d+(?:\.\d+)?)\.? |(\d+)\. )", read(path), re.M):
        last = heading or last
        found.add(heading or f"{last}.{item}")
    return found


def numbers(cited):
    return re.findall(r"\d+(?:\.\d+)?", cited)


def joined(text):
    """Comments in one line each: a citation may be broken between two."""
    return re.sub(r"\s*\n[ \t]*(?:\*(?!/)|#|//)?[ \t]*", " ", text)


def wrong_citations(root, name, text, known):
    """Sections of docs/method.md that are cited and are not there."""
    cited = CITATION.findall(joined(text))
    if name == "docs/method.md":
        cited += OWN_CITATION.findall(joined(text))
    return [f"docs/method.md has no section {n}" for group in cited for n in numbers(group) if n not in known]


def missing_pages(root, name, text):
    """Markdown files that are named and are not there: beside the file, or from the root."""
    missing = []
    for target in MARKDOWN.findall(re.sub(r"https?://\S+", "", text)):
        places = (os.path.join(root, os.path.dirname(name), target), os.path.join(root, target))
        if not any(glob.glob(place) for place in places):
            missing.append(f"{target} does not exist")
    return missing


def check_file(root, name, known):
    text = read(os.path.join(root, name))
    if text is None or name in EXCEPT or name.endswith((".svg", "tokenizer.json", "vocab.json", "merges.txt")):
        return []
    private = [f'cites "{found}", which no clone has' for found in PRIVATE.findall(text)]
    found = private + missing_pages(root, name, text) + wrong_citations(root, name, text, known)
    if name.endswith(".md"):
        path = os.path.join(root, name)
        found += [problem for problem in (placeholder(path), dead_links(root, path)) if problem]
    return [f"{name}: {problem}" for problem in dict.fromkeys(found)]


def check(root):
    known = sections(os.path.join(root, "docs/method.md"))
    return [problem for name in tracked(root) for problem in check_file(root, name, known)]


def main():
    root = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    problems = check(root)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"links: {len(tracked(root))} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
