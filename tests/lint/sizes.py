#!/usr/bin/env python3
"""Checks that files, functions, parameter lists and lines stay small.

usage: sizes.py FILE...

What is larger for a reason is listed in tests/lint/exceptions.
"""

import re
import sys

COLUMNS_MAX = 88
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 5
NESTING_MAX = 3

EXCEPTIONS = "tests/lint/exceptions"
CONTROL = re.compile(r"(\t+)(if|for|while|switch|do|[A-Z_]+_EACH)\b")


def read_exceptions():
    """(rule, place) -> reason. A line is: rule, place, reason."""
    exceptions = {}
    for number, line in enumerate(open(EXCEPTIONS, encoding="utf-8"), 1):
        words = line.split(None, 2)
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 3:
            sys.exit(f"{EXCEPTIONS}:{number}: expected rule, place and reason")
        exceptions[words[0], words[1]] = words[2]
    return exceptions


def without_comments(text):
    """The code alone: comments and literals are blanked, lines stay."""
    pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    return re.sub(
        pattern, lambda m: "\n" * m.group().count("\n"), text, flags=re.DOTALL
    )


def functions(lines):
    """Yields (name, first line, signature, lines of the body), from 1.

    The style puts a function's braces, and no others, in column one.
    """
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            first = start - 1
            while first > 1 and re.match(r"[^#};]+$", lines[first - 2]):
                first -= 1
            signature = " ".join(lines[first - 1 : start - 1])
            name = re.search(r"(\w+)\s*\(", signature)
            if name and name.group(1) == "START_TEST":
                name = re.search(r"\(\s*(\w+)", signature)
            yield (
                name.group(1) if name else "?",
                first,
                signature,
                lines[start : number - 1],
            )
            start = None


def count_parameters(signature):
    """How many parameters the first parenthesis lists."""
    depth, n, inside = 0, 1, signature[signature.find("(") :]
    for c in inside:
        depth += (c == "(") - (c == ")")
        n += c == "," and depth == 1
        if depth == 0:
            break
    return n


def find_problems(path):
    """Yields (rule, place, line, what)."""
    text = open(path, encoding="utf-8").read()
    lines = text.splitlines()
    if len(lines) > FILE_LINES_MAX:
        yield "file", path, FILE_LINES_MAX, f"{len(lines)} lines, at most {FILE_LINES_MAX}"
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > COLUMNS_MAX:
            yield "columns", path, number, f"more than {COLUMNS_MAX} columns"
    for name, first, signature, body in functions(without_comments(text).splitlines()):
        place = f"{path}:{name}"
        if len(body) > FUNCTION_LINES_MAX:
            what = f"{name} has {len(body)} lines, at most {FUNCTION_LINES_MAX}"
            yield "function", place, first, what
        parameters = count_parameters(signature)
        if parameters > PARAMETERS_MAX:
            what = f"{name} has {parameters} parameters, at most {PARAMETERS_MAX}"
            yield "parameters", place, first, what
        depth = max((len(m.group(1)) for m in map(CONTROL.match, body) if m), default=0)
        if depth > NESTING_MAX:
            what = f"{name} nests {depth} levels deep, at most {NESTING_MAX}"
            yield "nesting", place, first, what


def main():
    exceptions = read_exceptions()
    unused = set(exceptions)
    failed = False
    for path in sys.argv[1:]:
        for rule, place, line, what in find_problems(path):
            unused.discard((rule, place))
            if (rule, place) not in exceptions:
                print(f"{path}:{line}: {rule}: {what}")
                failed = True
    for rule, place in sorted(unused):
        if place.split(":")[0] in sys.argv[1:]:
            print(f"{EXCEPTIONS}:1: {rule} {place} is not needed any more")
            failed = True
    return failed


sys.exit(main())
