#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""imports.py LIBRARY - what the shared library asks of others must not be what it promises not to do: start a process, open a
connection, print, end the process, change the locale, signals or the working directory of the whole process."""
import re
import subprocess
import sys

NEVER = {
    "starts a process": r"system|popen|v?fork|clone|exec(l|le|lp|v|ve|vp|vpe)|fexecve|posix_spawnp?|wait(pid|id|3|4)?",
    "opens a connection": r"socket(pair)?|connect|bind|listen|accept4?|send(to|msg)?|recv(from|msg)?|getaddrinfo|gethostby\w+",
    "runs code that it finds": r"dlm?open|dlsym|dlvsym",
    "prints": r"stdout|stderr|stdin|(__)?v?printf(_chk)?|puts|putchar|perror|psignal|v?syslog|v?errx?|v?warnx?",
    "ends the process": r"(quick_|_)?exit|_Exit|abort|raise|kill|tgkill|pthread_kill|__assert_fail",
    "changes what belongs to the process": r"setlocale|signal|sigaction|sigprocmask|f?chdir|umask|setenv|putenv|unsetenv|clearenv"
    r"|setuid|setgid|setrlimit|atexit|on_exit|srand|srandom|tzset|localtime|mallopt",
}


def imported(library):
    out = subprocess.run(["nm", "-D", "--undefined-only", library], check=True, capture_output=True, text=True).stdout
    return [line.split()[-1].partition("@")[0] for line in out.splitlines()]


def faults(names):
    return [f"{name}: {what}" for name in names for what, pattern in NEVER.items() if re.fullmatch(pattern, name)]


def main(library):
    if not faults(["execve", "abort", "stderr", "socket", "setlocale", "dlopen"])[5:]:
        sys.exit("imports.py: the patterns are blind")
    names = imported(library)
    if "open" not in names and "openat" not in names:
        sys.exit(f"imports.py: {library} opens no file: is it the library?")
    found = faults(names)
    print("\n".join(found + [f"{library}: {len(names)} imported names, {len(found)} that it must not have"]))
    return bool(found)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
