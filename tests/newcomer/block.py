#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""block.py PAGE HEADING LANGUAGE [NUMBER [WORD]] - a code block as it stands in a page of the repository, to be typed as a
newcomer does: under that heading (down to the next of its level), the NUMBERth (1) of that language that holds WORD."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def section(text, heading):
    """The lines under a heading; headings inside code blocks are none."""
    taken, depth, code = [], 0, False
    for line in text.splitlines():
        code ^= line.startswith("```")
        found = None if code else re.match(r"(#+) (.*?)(?: \{#\w+\})?$", line)
        if found and depth and len(found[1]) <= depth:
            break
        if found and found[2] == heading:
            depth = len(found[1])
        elif depth:
            taken.append(line)
    return "\n".join(taken) + "\n"


def block(page, heading, language, number=1, word=""):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        text = section(file.read(), heading)
    blocks = [code for code in re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S) if word in code]
    if len(blocks) < number:
        sys.exit(f'block.py: {page}, "{heading}": no block {number} of {language} with "{word}"')
    return blocks[number - 1]


if __name__ == "__main__":
    page, heading, language, *rest = sys.argv[1:]
    sys.stdout.write(block(page, heading, language, int(rest[0]) if rest else 1, *rest[1:]))
