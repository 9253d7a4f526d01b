#!/usr/bin/env python3
"""Checks from the #include lines that every floor uses only what lies below it.

usage: floors.py FILE...

The floors stand in the Makefile. What the linker cannot see is seen here: a
header used for its constants or inline functions, and a foreign library outside
the one folder that may know it.
"""

import os
import re
import subprocess
import sys

# A foreign library's headers, and the one folder that may include them.
LIBRARIES = {
    r"yajl/.*": "proxy/kube",
    r"xxhash\.h": "proxy/ring",
    r"h2o\.h|h2o/.*": "proxy/net",
    r"curl/.*": "proxy/net",
    r"nghttp2/.*": "proxy/net",
    r"openssl/.*": "proxy/net",
    r"yaml\.h": "config",
    r"check\.h": "tests/unit",
}

# What comes with the C library and the compiler.
LIBC = re.compile(
    r"(arpa|asm|linux|net|netinet|sanitizer|sys)/.*|"
    r"(assert|byteswap|ctype|dirent|dlfcn|endian|err|errno|execinfo|fcntl|float|fnmatch|"
    r"getopt|glob|grp|ifaddrs|inttypes|libgen|limits|locale|malloc|math|netdb|poll|"
    r"pthread|pwd|sched|semaphore|setjmp|signal|spawn|stdalign|stdarg|stdatomic|"
    r"stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|termios|"
    r"threads|time|unistd)\.h"
)

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def floors():
    """folder -> the folders that it may include from, itself among them."""
    lines = subprocess.check_output(["make", "-s", "floor-table"], text=True).splitlines()
    table = {name: (folder, below) for name, folder, *below in map(str.split, lines)}
    return {
        folder: [folder] + [table[name][0] for name in below]
        for folder, below in table.values()
    }


def home_of(path, allowed):
    """The floor's folder that a source or a unit test belongs to, or None."""
    folder = os.path.dirname(path)
    if folder.startswith("tests/unit/"):
        name = folder.split("/")[2]
        folder = name if name in allowed else "proxy/" + name
    return folder if folder in allowed else None


def judge_own(path, header, home, allowed):
    """What is wrong with including a header of ours, or None."""
    if not os.path.exists(header):
        return f"there is no {header}; includes are written from the root"
    folder = os.path.dirname(header)
    if folder.startswith("tests/"):
        return None if path.startswith("tests/") else f"{header} belongs to the tests"
    if folder == os.path.dirname(path) == "proxy":
        return None
    if folder not in allowed:
        return f"{header} is in no floor's folder"
    if home and folder not in allowed[home]:
        return f"{home} lies below {folder} and must not include {header}"
    return None


def judge_foreign(path, header, home):
    """What is wrong with including a header that is not ours, or None."""
    for pattern, owner in LIBRARIES.items():
        if re.fullmatch(pattern, header):
            if home == owner or path.startswith(owner + "/"):
                return None
            return f"only {owner} may know <{header}>"
    if LIBC.fullmatch(header):
        return None
    return f"<{header}> is of no library that tests/lint/floors.py knows"


def main():
    allowed = floors()
    failed = False
    for path in sys.argv[1:]:
        home = home_of(path, allowed)
        if not home and not path.startswith("tests/") and path.rsplit("/", 1)[0] != "proxy":
            print(f"{path}:1: {os.path.dirname(path)} is no floor")
            failed = True
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, header = match.groups()
            if kind == '"':
                problem = judge_own(path, header, home, allowed)
            else:
                problem = judge_foreign(path, header, home)
            if problem:
                print(f"{path}:{number}: {problem}")
                failed = True
    return failed


sys.exit(main())
