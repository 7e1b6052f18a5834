"""Runs code line by line in one namespace: `run_code.py PRELUDE`, one JSON string in, one JSON value or error out."""

import ast
import json
import os
import sys
import textwrap
import traceback


def main() -> None:
    # What the code itself prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Not runpy, which hands out a copy: functions of the prelude must see what later lines assign.
    with open(sys.argv[1], encoding="utf-8") as prelude:
        namespace = {"__name__": "__main__", "__file__": sys.argv[1]}
        exec(compile(prelude.read(), sys.argv[1], "exec"), namespace)  # noqa: S102 - that is what it is for
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), namespace), default=repr), file=answers, flush=True)


def answer(code: str, namespace: dict) -> dict:
    try:
        return {"value": run(code, namespace)}
    except BaseException as error:  # noqa: BLE001 - the other side judges
        fields = {name: getattr(error, name, None) for name in ("code", "details")}
        return {
            "error": {"type": type(error).__name__, "message": str(error), "trace": traceback.format_exc(), **fields}
        }


def run(code: str, namespace: dict) -> object:
    """Like a notebook's cell: the value is that of a last expression."""
    body = ast.parse(textwrap.dedent(code).strip()).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, type_ignores=[]), "<test>", "exec"), namespace)  # noqa: S102 - that is what it is for
    return None if last is None else eval(compile(ast.Expression(last.value), "<test>", "eval"), namespace)


main()
