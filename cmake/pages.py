#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pages.py OUT COMMAND... - man pages and shell completion of `mopd`, from what `mopd --help` and `mopd SUB --help` say.

OUT gets mopd.1, mopd-SUB.1 for each subcommand (and each as .1.gz), mopd.bash and _mopd (zsh).  The command's table of options is the one
source: an option that is added there stands in all of them after the next build.
"""
import gzip
import os
import re
import subprocess
import sys

OPTION = re.compile(r"^  (?:-(\w), |    )--([a-z0-9-]+)(?: (\S+))?\s+(.*)$")
FILES = re.compile(r"^(FILE|FILE\.html|PROMPT|MODEL|DATA|DIR|STORE|OUT\.npy|PATH)$")


def run(command, *words):
    return subprocess.run([*command, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def help_of(command, *words):
    done = run(command, *words, "--help")
    if done.returncode != 0:
        sys.exit(f"pages: {' '.join([*command, *words])} --help: {done.stderr}")
    return done.stdout


class Sub:
    """One subcommand: usage, summary, description, options, examples as its help has them."""

    def __init__(self, command, name, summary):
        self.name, self.summary = name, summary
        text = help_of(command, name)
        head, rest = text.split("\n\nOptions:\n")
        usage, self.description = head.split("\n\n", 1)
        self.usage = usage.removeprefix("Usage: ")
        options, _, examples = rest.partition("\nExamples:\n")
        self.options = [match_option(name, line) for line in options.splitlines()]
        self.examples = [line.strip() for line in examples.splitlines()]


class Option:
    def __init__(self, letter, name, arg, text):
        self.letter, self.name, self.arg, self.text = letter, name, arg, text

    def words(self, pools):
        """What may follow the option, where that is a short list; None for files; [] for anything else."""
        if self.arg is None or FILES.match(self.arg):
            return None
        if self.name == "templates-for":
            return pools
        if self.name in ("method", "methods"): # the one lists them in front of its default, the other as its default
            text = self.text.split(" (default")[0] if self.name == "method" else self.text
            return re.findall(r"\b[a-z]+(?:-[a-z]+)?\b", text.split(":")[-1])
        if "|" in self.arg:
            return [word for word in self.arg.split("|") if not word.isupper()]
        return []


def match_option(name, line):
    found = OPTION.match(line)
    if not found:
        sys.exit(f"pages: mopd {name} --help: what option is this? {line!r}")
    return Option(*found.groups())


def task_pools(command):
    """The names that --templates-for takes: the library's own message lists them."""
    said = run(command, "classify", "--classes", "a", "--templates-for", "?", "x.jpg").stderr
    _, known, names = said.partition("known are ")
    if not known:
        sys.exit(f"pages: no names of template pools in {said!r}")
    return names.strip().split(", ")


# -- man pages ----------------------------------------------------------------------------------------------------


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def page(name, summary, version, sections):
    lines = ['.\\" Made by cmake/pages.py from --help; edits are lost.', f'.TH {name.upper()} 1 "" "mopd {version}" "User Commands"']
    lines += [".SH NAME", f"{roff(name)} \\- {roff(summary)}"]
    for title, body in sections:
        lines += [f".SH {title}", *body]
    return "\n".join(lines) + "\n"


def synopsis(usage):
    words = usage.split(" ")
    n = 2 if words[1][0].islower() else 1
    return [f".B {roff(' '.join(words[:n]))}", roff(" ".join(words[n:]))]


def option_items(options):
    for o in options:
        names = (f"\\fB\\-{o.letter}\\fR, " if o.letter else "") + f"\\fB\\-\\-{roff(o.name)}\\fR"
        yield ".TP"
        yield names + (f" \\fI{roff(o.arg)}\\fR" if o.arg else "")
        yield roff(o.text)


def example_items(examples):
    yield ".nf"
    for line in examples:
        yield roff(line)
    yield ".fi"


EXIT = [
    ".TP", ".B 0", "Done.",
    ".TP", ".B 1", "It failed; one line on standard error names the file and the reason.",
    ".TP", ".B 2", "Wrong usage.",
    ".TP", ".B 130", "Ctrl\\-C; what was reached is saved.",
]
ENVIRONMENT = [
    ".TP", ".B MOPD_MODEL", "The model used without \\fB\\-m\\fR, instead of the built\\-in one.",
    ".TP", ".B MOPD_CPU", "Limits the instruction sets used: avx512, avx2 or plain.  Results of one path repeat bit for bit.",
    ".TP", ".B MOPD_BF16", "What \\fB\\-\\-precision bf16\\fR computes with: integers, or bfloat16, which is slow "
    "without AMX.  Else bfloat16 on CPUs with AMX, integers elsewhere.",
]


def sub_page(sub, subs, version):
    others = ", ".join(f"\\fBmopd\\-{roff(s.name)}\\fR(1)" for s in subs if s is not sub)
    return page(f"mopd-{sub.name}", sub.summary, version, [
        ("SYNOPSIS", synopsis(sub.usage)),
        ("DESCRIPTION", [roff(sub.description), "Long options only need their shortest unique form; \\fB\\-\\-\\fR ends them."]),
        ("OPTIONS", list(option_items(sub.options))),
        ("EXIT STATUS", EXIT),
        ("EXAMPLES", list(example_items(sub.examples))),
        ("SEE ALSO", ["\\fBmopd\\fR(1), " + others]),
    ])


def main_page(summary, subs, examples, version):
    items = []
    for s in subs:
        items += [".TP", f"\\fBmopd\\-{roff(s.name)}\\fR(1)", roff(s.summary[0].upper() + s.summary[1:] + ".")]
    return page("mopd", "few-shot prompt learning and zero-shot classification with CLIP", version, [
        ("SYNOPSIS", [".B mopd", "\\fISUBCOMMAND\\fR [\\fIoptions\\fR]", ".br", ".B mopd \\-\\-help", "|", ".B \\-\\-version"]),
        ("DESCRIPTION", [roff(summary), "Nothing is downloaded at run time; without \\fB\\-m\\fR the built\\-in model is used."]),
        ("SUBCOMMANDS", items),
        ("ENVIRONMENT", ENVIRONMENT),
        ("EXIT STATUS", EXIT),
        ("EXAMPLES", list(example_items(examples))),
        ("SEE ALSO", [", ".join(f"\\fBmopd\\-{roff(s.name)}\\fR(1)" for s in subs)]),
    ])


# -- completion ---------------------------------------------------------------------------------------------------


def bash_completion(subs, pools):
    names = " ".join(s.name for s in subs)
    cases, options = [], []
    for s in subs:
        flags = " ".join(f"--{o.name}" + (f" -{o.letter}" if o.letter else "") for o in s.options)
        options.append(f"        {s.name}) words='{flags}' ;;")
        for o in s.options:
            values = o.words(pools)
            keys = f"{s.name},--{o.name}" + (f"|{s.name},-{o.letter}" if o.letter else "")
            if values:
                cases.append(f"        {keys}) COMPREPLY=($(compgen -W '{' '.join(values)}' -- \"$cur\")); return ;;")
            elif values is not None:
                cases.append(f"        {keys}) return ;;")
            elif o.arg:
                cases.append(f"        {keys}) compopt -o default; return ;;")
    return "\n".join([
        "# bash completion for mopd; made by cmake/pages.py from --help; edits are lost.",
        "_mopd()", "{",
        '    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} sub=${COMP_WORDS[1]} words=""',
        "    COMPREPLY=()",
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then",
        f"        COMPREPLY=($(compgen -W '{names} --help --version' -- \"$cur\"))", "        return", "    fi",
        "    case $sub,$prev in", *cases, "    esac",
        "    case $sub in", *options, "    esac",
        '    case $cur in -*) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;; *) compopt -o default ;; esac',
        "}", "complete -F _mopd mopd", ""])


def zsh_quote(text):
    return re.sub(r"([\[\]:\\])", r"\\\1", text).replace("'", "'\\''")


def zsh_completion(subs, pools):
    lines = ["#compdef mopd", "# made by cmake/pages.py from --help; edits are lost.", "local -a subcommands", "subcommands=("]
    lines += [f"    '{s.name}:{zsh_quote(s.summary)}'" for s in subs]
    lines += [")", "if (( CURRENT == 2 )); then", "    _describe subcommand subcommands", "    return", "fi",
              "local sub=$words[2]", "shift words", "(( CURRENT-- ))", "case $sub in"]
    for s in subs:
        lines.append(f"{s.name}) _arguments -s -S \\")
        for o in s.options:
            values = o.words(pools)
            action = "" if not o.arg else f":{zsh_quote(o.arg)}:" + (
                "_files" if values is None else f"({' '.join(values)})" if values else "")
            many = "*" if "(may be repeated)" in o.text else ""
            for name in [f"--{o.name}"] + ([f"-{o.letter}"] if o.letter else []):
                lines.append(f"    '{many}{name}[{zsh_quote(o.text)}]{action}' \\")
        lines.append("    '*:file:_files' ;;")
    return "\n".join([*lines, "esac", ""])


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
        out.write(text)


def write_page(folder, name, text):
    write(folder, name, text)
    with open(os.path.join(folder, name + ".gz"), "wb") as out:
        out.write(gzip.compress(text.encode(), 9, mtime=0))


def main():
    folder, *command = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    top = help_of(command)
    version = run(command, "--version").stdout.split()[1]
    summary = top.split("\n\n")[1]
    subs = [Sub(command, name, text) for name, text in re.findall(r"^  ([a-z-]+) +(.*)$", top.split("\n\n")[2], re.M)]
    examples = [line.strip() for line in top.partition("Examples:\n")[2].splitlines()]
    pools = task_pools(command)
    write_page(folder, "mopd.1", main_page(summary, subs, examples, version))
    for sub in subs:
        write_page(folder, f"mopd-{sub.name}.1", sub_page(sub, subs, version))
    write(folder, "mopd.bash", bash_completion(subs, pools))
    write(folder, "_mopd", zsh_completion(subs, pools))


if __name__ == "__main__":
    main()
