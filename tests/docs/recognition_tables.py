# SPDX-License-Identifier: MIT
"""The tables of what tests/bench/recognition.py measured, for figures.py: each takes docs/figures.json and a name.

What was asked for before anything was measured stands beside the figures, with what was missed."""

COLUMNS = ("base", "new", "h", "mixed")

DEV_TITLES = {"tinyimagenet-dev": "Tiny-ImageNet", "cifar100-dev": "CIFAR-100"}
TITLES = {"caltech101": "Caltech-101", "eurosat": "EuroSAT", "flowers102": "Flowers-102"}

# What was asked for beforehand.
MUST_ALL = {"caltech101": (72, 78.5, 84.5, 88, 91), "eurosat": (56.5, 65, 71, 79.5, 83), "flowers102": (35.5, 49, 64.5, 75, 82.3)}
MUST_NEW = {"caltech101": (92.5, 64, 75.8, 70.5), "eurosat": (90.5, 63.5, 74.8, 66.8)}
MUST_AUROC = {"caltech101": 89, "eurosat": 79, "flowers102": 72}
MUST_LABELS = {"caltech101": 94, "eurosat": 77, "flowers102": 89}
MUST_MS = {"fit": 500, "add one picture": 20, "classify one feature": 0.1}
MUST_FASTER, MUST_SUGGEST, MOST_BELOW = 5, 6, 2.5
MUST_ECE, MUST_ECE_MIXED, MUST_KEPT, MUST_COVERAGE = 5.5, 10, (93.5, 98), (87.5, 95)


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def rows_of(figures, name):
    return figures["recognition"][name]["rows"]


def grid(figures, name, key="accuracy"):
    """method: {pictures a class: row}, in the order of the file."""
    out = {}
    for row in rows_of(figures, name):
        if key in row:
            out.setdefault(row["method"], {})[row["shots"]] = row
    return out


def by_shots(figures, name):
    """Accuracy and deviation; the best of a column is bold."""
    methods = grid(figures, name)
    numbers = sorted({n for rows in methods.values() for n in rows})
    best = {n: max(round(rows[n]["accuracy"], 1) for rows in methods.values() if n in rows) for n in numbers}

    def cell(rows, n):
        if n not in rows:
            return "-"
        mean = f"{rows[n]['accuracy']:.1f}"
        return (f"**{mean}**" if round(rows[n]["accuracy"], 1) == best[n] else mean) + f" ({rows[n]['deviation']:.1f})"
    return table(["method", *map(str, numbers)], [[m, *(cell(rows, n) for n in numbers)] for m, rows in methods.items()])


def ten_short(figures, _):
    """1, 5 and 16 pictures of each set, the command's own methods and the best of scikit-learn's."""
    sets = {name: grid(figures, name + "-ten") for name in TITLES}
    own = [m for m in next(iter(sets.values())) if "sklearn" not in m and "nearest" not in m]

    def cells(pick):
        return [" / ".join(f"{pick(methods, n):.1f}" for n in (1, 5, 16)) for methods in sets.values()]
    rows = [[m, *cells(lambda methods, n, m=m: methods[m][n]["accuracy"])] for m in own]
    others = [[m, *cells(lambda methods, n, m=m: methods[m][n]["accuracy"])]
              for m in next(iter(sets.values())) if m not in own and all(n in g[m] for g in sets.values() for n in (1, 5, 16))]
    return table(["ten classes; 1 / 5 / 16 pictures of each", *TITLES.values()], rows + others)


def behind(figures, _):
    """How far fit is behind the best other row with ten classes, where it is."""
    cells = []
    for name, title in TITLES.items():
        methods = grid(figures, name + "-ten")
        for n, row in methods["fit"].items():
            other, found = max(((m, rows[n]["accuracy"]) for m, rows in methods.items() if m != "fit" and n in rows),
                               key=lambda item: item[1])
            if found > row["accuracy"]:
                cells.append([title, str(n), f"{row['accuracy']:.1f}", f"{other} {found:.1f}", f"{found - row['accuracy']:.1f}",
                              "yes" if found - row["accuracy"] <= 1 else "**no**"])
    return table(["data set", "pictures a class", "fit", "best row", "behind by", "within 1 point"], cells)


def against(measured, must, least=True):
    """A bar and whether it was reached, as printed."""
    short = must - measured if least else measured - must
    return "reached" if round(short, 1) <= 0 else f"**missed by {short:.1f}**"


def views(figures, _):
    """fit to one view of each picture and to several: accuracy, and in brackets the calibration error."""
    cells = []
    for name, title in {**TITLES, **{key.removesuffix("-dev"): value for key, value in DEV_TITLES.items()}}.items():
        if name + "-views" not in figures["recognition"]:
            continue
        methods = grid(figures, name + "-views")
        for method, said in (("fit-1-view", "one"), ("fit", "auto")):
            cells.append([title, said, *(f"{row['accuracy']:.1f} ({row['ece']:.1f})" for _, row in sorted(methods[method].items()))])
    return table(["data set", "views", *map(str, sorted(methods["fit"]))], cells)


def all_must(figures, _):
    cells = []
    for name, title in TITLES.items():
        methods = grid(figures, name + "-all")
        for n, must in zip(sorted(methods["fit"]), MUST_ALL[name]):
            x = methods["fit"][n]
            cells.append([title, str(n), *(f"{methods[m][n]['accuracy']:.1f}" for m in ("zero-shot", "gda")),
                          f"{x['accuracy']:.1f} ({x['deviation']:.1f})", f"{must:g}", against(x["accuracy"], must)])
    return table(["data set", "pictures a class", "zero-shot", "gda", "fit", "must", ""], cells)


def ece_all(figures, _):
    """Calibration errors of the closed forms on all classes."""
    cells = []
    for name, title in TITLES.items():
        methods = grid(figures, name + "-all", "ece")
        for method in ("zero-shot", "gda", "fit"):
            cells.append([title, method, *(f"{row['ece']:.1f}" for _, row in sorted(methods[method].items()))])
    return table(["data set", "method", "1", "2", "4", "8", "16"], cells)


def base_new(figures, name):
    keys = ("base", "new", "h", "mixed", "ece")
    cells = [[row["method"], *(f"{row[k]:.1f} ({row['deviation'][k]:.1f})" for k in keys), f"{row['seconds']:.1f}"]
             for row in rows_of(figures, name)]
    return table(["method", "base", "new", "H", "mixed", "ECE of mixed", "seconds"], cells)


def new_must(figures, _):
    cells = []
    for name, musts in MUST_NEW.items():
        row = next(r for r in rows_of(figures, name + "-new") if r["method"] == "fit")
        for key, must in zip(COLUMNS, musts):
            cells.append([TITLES[name], "H" if key == "h" else key, f"{row[key]:.1f}", f"at least {must:g}", against(row[key], must)])
    for name, title in TITLES.items():
        row = next(r for r in rows_of(figures, name + "-new") if r["method"] == "fit")
        cells.append([title, "ECE of mixed", f"{row['ece']:.1f}", f"at most {MUST_ECE_MIXED}", against(row["ece"], MUST_ECE_MIXED, False)])
    return table(["data set", "figure", "fit", "must", ""], cells)


def promises(figures, _):
    cells = []
    for name, title in TITLES.items():
        for row in rows_of(figures, name + "-promises"):
            missed = []
            for key, (low, high) in (("kept", MUST_KEPT), ("coverage", MUST_COVERAGE)):
                if row[key] and not low <= round(row[key][0], 1) <= high:
                    missed.append(key)
            if round(row["ece"][0], 1) > MUST_ECE:
                missed.append("ECE")
            shown = [f"{row[k][0]:.1f} ({row[k][1]:.1f})" if row[k] else "no promise" for k in ("kept", "coverage")]
            size = f"{row['set_size'][0]:.2f}" if row["set_size"] else "-"
            cells.append([title, f"{row['shots']} ({row['pictures']})", f"{row['ece'][0]:.1f} ({row['ece'][1]:.1f})", *shown, size,
                          f"**missed: {', '.join(missed)}**" if missed else "reached"])
    return table(["data set", "pictures a class (in all)", "ECE, at most 5.5", "kept, promised 95 (93.5 to 98)",
                  "sets hold the true class, promised 90 (87.5 to 95)", "classes in a set", ""], cells)


def unknown(figures, _):
    cells = []
    for name, title in TITLES.items():
        row, = rows_of(figures, name + "-unknown")
        cells.append([title, f"{row['auroc'][0]:.1f} ({row['auroc'][1]:.1f})", str(MUST_AUROC[name]), against(row["auroc"][0], MUST_AUROC[name]),
                      f"{row['kept'][0]:.1f}", f"{row['refused'][0]:.1f}"])
    return table(["data set", "AUROC of unknown classes", "must", "", "known pictures kept", "unknown ones refused"], cells)


def labels(figures, _):
    cells = []
    for name, title in TITLES.items():
        row, = rows_of(figures, name + "-labels")
        cells.append([title, str(row["planted"]), f"{row['precision']:.1f} ({row['deviation']:.1f})", str(MUST_LABELS[name]),
                      against(row["precision"], MUST_LABELS[name])])
    return table(["data set", "wrong labels", "found among as many suspects, percent", "must", ""], cells)


def worst(figures, _):
    """How far fit is from zero-shot where it is least ahead, with all classes and with those that have only names."""
    cells = []
    for name, title in TITLES.items():
        methods = grid(figures, name + "-all")
        gain, n = min((row["accuracy"] - methods["zero-shot"][n]["accuracy"], n) for n, row in methods["fit"].items())
        of = {row["method"]: row["new"] for row in rows_of(figures, name + "-new")}
        new = of["fit"] - of["zero-shot"]
        cells.append([title, f"{gain:+.1f} ({n} a class)", f"{new:+.1f}", against(min(gain, new), -MOST_BELOW)])
    return table(["data set", "fit against zero-shot, all classes, at its worst", "new classes among themselves", f"at most {MOST_BELOW} below"], cells)


def dev(figures, _):
    """Zero-shot, fit, how far fit is below at most, and what is promised, on the sets that settings were chosen on."""
    cells = []
    for name, title in DEV_TITLES.items():
        methods = grid(figures, name)
        promised = {row["shots"]: row for row in rows_of(figures, name) if row["method"] == "promises"}
        for n, row in sorted(methods["fit"].items()):
            plain = methods["zero-shot"][n]["accuracy"]
            kept, covered = (f"{promised[n][k][0]:.1f}" if n in promised else "-" for k in ("kept", "coverage"))
            cells.append([title, str(n), f"{plain:.1f}", f"{row['accuracy']:.1f} ({row['deviation']:.1f})",
                          against(row["accuracy"], plain - MOST_BELOW), f"{row['ece']:.1f}", kept, covered])
    return table(["data set", "pictures a class", "zero-shot", "fit", f"at most {MOST_BELOW} below", "ECE of fit", "kept of 95", "covered of 90"], cells)


def against_peers(figures, _):
    """fit and the best of scikit-learn's on the same pictures: better up to four, not worse by half a point beyond."""
    cells = []
    for name, title in TITLES.items():
        methods = grid(figures, name + "-all")
        peers = [m for m in methods if m.startswith("sklearn")]
        for n, row in sorted(methods["fit"].items()):
            other, found = max(((m, methods[m][n]["accuracy"]) for m in peers if n in methods[m]), key=lambda item: item[1])
            must = found if n <= 4 else found - 0.5
            cells.append([title, str(n), f"{row['accuracy']:.1f}", f"{other.removeprefix('sklearn ')} {found:.1f}", against(row["accuracy"], must)])
    return table(["data set", "pictures a class", "fit", "scikit-learn's best", "must"], cells)


def speed(figures, name):
    """The bar is of the wall with two threads; where that is not reached on a busy machine, half of the processor's time says
    what two free processors would take at least."""
    cells = []
    for row in rows_of(figures, name + "-speed"):
        own, must = row["sides"]["libmopd"], MUST_MS[row["work"]]
        cells.append([row["work"], str(row["threads"]), *(f"{x:,.0f}" if x >= 100 else f"{x:.3g}" for x in (own["cpu"][0], own["wall"][0])), f"{must:g}",
                      "reached" if own["wall"][0] <= must else "**missed**" if own["cpu"][0] / row["threads"] > must else "by processor time alone"])
    return table(["work", "threads", "processor ms", "wall ms", "must", ""], cells)


def speed_peers(figures, name):
    cells = []
    for row in rows_of(figures, name + "-speed"):
        own = row["sides"]["libmopd"]["cpu"][0]
        for peer, times in row["sides"].items():
            if peer != "libmopd":
                ratio = times["cpu"][0] / own
                cells.append([peer, f"{times['cpu'][0]:,.0f}", f"{own:,.0f}", f"{ratio:.1f}", "reached" if ratio >= MUST_FASTER else "**missed**"])
    return table(["fit of", "its processor ms", "libmopd's", "times as long", f"at least {MUST_FASTER}"], cells)


def suggest(figures, _):
    sets, cells = {name: rows_of(figures, name + "-suggest") for name in TITLES}, []
    for i, row in enumerate(next(iter(sets.values()))):
        gains = [rows[i]["suggested"][0] - rows[i]["random"][0] for rows in sets.values()]
        gain = sum(gains) / len(gains)
        pool = "as many of each class" if row["steep"] == 1 else f"1 to {row['steep']} times as many of one as of another"
        cells.append([f"{pool}, {row['each']} a class on average", *(f"{r[i]['random'][0]:.1f} / {r[i]['suggested'][0]:.1f}" for r in sets.values()),
                      f"{gain:+.1f}", against(gain, MUST_SUGGEST) if row["steep"] == 1 else "-"])
    return table(["pool", *TITLES.values(), "mean gain", f"at least +{MUST_SUGGEST}"], cells)


def doctor(figures, _):
    cells = []
    for name, title in TITLES.items():
        if name + "-doctor" not in figures["recognition"]:
            continue
        row, = rows_of(figures, name + "-doctor")
        cells.append([title, str(row["planted"]), *(f"{row[k][0]:.1f} ({row[k][1]:.1f})" for k in ("listed", "right_ones", "clean"))])
    return table(["data set", "wrong labels", "of these listed, percent", "right ones among the listed, percent", "listed of a clean set, percent"], cells)


def faults(figures, _):
    """Of ten planted ones the share that is found, and how many are listed of the folder without."""
    sets = {title: {row["kind"]: row for row in rows_of(figures, name + "-faults")} for name, title in TITLES.items()
            if name + "-faults" in figures["recognition"]}
    cells = []
    for kind in next(iter(sets.values())):
        cells.append([kind])
        for rows in sets.values():
            row = rows[kind]
            more = f", {row['expected'][0]:.1f} to be expected" if row["expected"] else ""
            cells[-1] += [f"{row['found'][0]:.0f}", f"{row['clean'][0]:.1f}{more}"]
    return table(["planted", *(f"{title}, {what}" for title in sets for what in ("found, percent", "listed of a clean folder"))], cells)


KINDS = {"by-shots": by_shots, "ten-short": ten_short, "behind": behind, "all-must": all_must, "views": views, "ece-all": ece_all,
         "base-new": base_new, "new-must": new_must, "promises": promises, "unknown": unknown, "labels": labels,
         "worst": worst, "dev": dev, "against-peers": against_peers, "speed-fit": speed, "speed-peers": speed_peers, "suggest": suggest, "doctor": doctor,
         "faults": faults}
