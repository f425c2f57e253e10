#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes lib/token/entities_table.h: the named characters of HTML 5, as Python's html.entities.html5 lists them.

    python3 tests/parity/entities_table.py > lib/token/entities_table.h
"""
import html.entities

HEAD = """/* SPDX-License-Identifier: MIT
 * entities_table.h - the named characters of HTML 5; included by entities.c alone.
 *
 * Ascending by strcmp.  Written by tests/parity/entities_table.py from Python's html.entities: do not edit. */
/* clang-format off */

/* name, its one or two characters, 1 where it also stands without ";". */
static const struct entity {
    const char *name;
    uint32_t cp[2];
    int bare;
} entities[] = {"""


def main():
    table = html.entities.html5
    rows = []
    for name in sorted(n[:-1] for n in table if n.endswith(";")):
        points = [ord(c) for c in table[name + ";"]] + [0]
        rows.append('{"%s", {%#x, %#x}, %d}' % (name, points[0], points[1], name in table))
    lines, line = [], ""
    for row in rows:
        if len(line) + len(row) > 108:
            lines.append(line)
            line = ""
        line += ("    " if not line else " ") + row + ","
    print(HEAD)
    print("\n".join(lines + [line]))
    print("};")


main()
