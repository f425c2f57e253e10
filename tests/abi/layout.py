# SPDX-License-Identifier: MIT
"""Writes tests/abi/layout.h, the pinned layout of every public struct, from the headers and this machine's compiler.

    python3 tests/abi/layout.py > tests/abi/layout.h

Run it when a struct is new or has a field appended, and look at the difference: lines may be added, none may change."""
import glob
import os
import re
import subprocess
import tempfile

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
lines = []
for header in sorted(glob.glob(os.path.join(root, "include/mopd/*.h"))):
    text = re.sub(r"/\*.*?\*/", "", open(header).read(), flags=re.S)
    for body, name in re.findall(r"typedef struct \w+ \{(.*?)\}\s*(\w+);", text, re.S):
        for field in filter(None, (f.strip() for f in body.split(";"))):
            pointer = re.search(r"\(\*(\w+)\)", field)
            names = [pointer[1]] if pointer else [re.search(r"(\w+)(\[\w+\])?$", n.strip())[1] for n in field.split(",")]
            lines += [f'    printf("FIELD({name}, {n}, %zu, %zu)\\n", offsetof({name}, {n}), sizeof(({name} *)0)->{n});'
                      for n in names]
        lines.append(f'    printf("STRUCT({name}, %zu)\\n", sizeof({name}));')
with tempfile.TemporaryDirectory() as folder:
    source, program = os.path.join(folder, "layout.c"), os.path.join(folder, "layout")
    with open(source, "w") as f:
        f.write("#include <stdio.h>\n#include <mopd/mopd.h>\nint main(void)\n{\n" + "\n".join(lines) + "\n    return 0;\n}\n")
    subprocess.check_call(["cc", "-I", os.path.join(root, "include"), source, "-o", program])
    out = subprocess.check_output([program], text=True)
print("/* SPDX-License-Identifier: MIT\n * layout.h - offset and size of every field of every public struct (LP64), made by layout.py. */")
print(out, end="")
