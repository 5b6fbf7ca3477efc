"""Records what Swara uses of TensorRT-LLM, as its own source declares it: names and defaults, no code.

    python tests/engines/trtllm/record_contract.py --release 1.3.0rc29 --tree <site-packages>/tensorrt_llm

Inside NVIDIA's image the installed package is the tree. Reads the source, imports nothing. A name that a release does
not declare ends it with a sentence: then Swara's engine must learn that release first.
"""

import argparse
import ast
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
USED = json.loads((HERE / "used.json").read_text(encoding="utf-8"))


class Missing(Exception):
    """A release does not declare a name that is used."""


def declarations(tree: Path, file: str) -> dict[str, ast.ClassDef]:
    """The classes of one source file."""
    path = tree / file
    if not path.is_file():
        raise Missing(f"{file} is not there")
    module = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}


def defaults(node: ast.ClassDef) -> dict[str, str | None]:
    """Each annotated field of a class with its default as source text; None where it has none."""
    found: dict[str, str | None] = {}
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            found[item.target.id] = _default(item.value)
    return found


def _default(value: ast.expr | None) -> str | None:
    if isinstance(value, ast.Call) and getattr(value.func, "id", "") in ("Field", "field"):
        named = {keyword.arg: keyword.value for keyword in value.keywords}
        if "default_factory" in named:
            return f"{ast.unparse(named['default_factory'])}()"
        value = named.get("default") or (value.args[0] if value.args else None)
    return None if value is None else ast.unparse(value)


def parameters(node: ast.ClassDef, method: str) -> dict[str, str | None]:
    """A method's parameters in order, `self` left out."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name == method:
            names = [one.arg for one in item.args.args][1:]
            given = [ast.unparse(one) for one in item.args.defaults]
            return dict(zip(names, [None] * (len(names) - len(given)) + given, strict=True))
    raise Missing(f"{node.name} has no {method}")


def members(node: ast.ClassDef) -> set[str]:
    """Methods, properties, fields, and what `__init__` sets."""
    names = {item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
    sets = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)}
    return names | sets | set(defaults(node))


def record(tree: Path, release: str) -> dict[str, Any]:
    """The contract of one release."""
    used = USED[release]
    contract: dict[str, Any] = {"release": release, "note": used["note"], "sources": used["sources"]}
    contract |= {"fields": {}, "signatures": {}, "members": {}}
    for name, want in used["fields"].items():
        contract["fields"][name] = _fields(tree, name, want)
    for name, want in used["signatures"].items():
        declared = parameters(_class(tree, want["file"], want["class"]), name.split(".")[1])
        contract["signatures"][name] = {one: declared[one] for one in _known(set(declared), want["names"], name)}
    for name, want in used["members"].items():
        there = members(_class(tree, want["file"], name))
        contract["members"][name] = _known(there, want["names"], name)
    return contract


def _fields(tree: Path, name: str, want: dict[str, Any]) -> dict[str, str | None]:
    there: dict[str, str | None] = {}
    for each in want["classes"]:
        there |= defaults(_class(tree, want["file"], each))
    return {field: there[field] for field in _known(set(there), want["names"], name)}


def _class(tree: Path, file: str, name: str) -> ast.ClassDef:
    classes = declarations(tree, file)
    if name not in classes:
        raise Missing(f"{file} has no class {name}")
    return classes[name]


def _known(there: set[str], names: list[str], owner: str) -> list[str]:
    if absent := sorted(set(names) - there):
        raise Missing(f"{owner} has no {', '.join(absent)}")
    return names


def main() -> None:
    """Writes or compares contracts/<release>.json."""
    parser = argparse.ArgumentParser(description="Record the contract of an unpacked TensorRT-LLM.")
    parser.add_argument("--release", required=True, choices=sorted(USED))
    parser.add_argument("--tree", type=Path, required=True, help="the folder tensorrt_llm")
    options = parser.parse_args()
    try:
        contract = record(options.tree, options.release)
    except Missing as error:
        sys.exit(f"TensorRT-LLM in {options.tree} is not what Swara knows as {options.release}: {error}")
    path = HERE / "contracts" / f"{options.release}.json"
    path.write_text(json.dumps(contract, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({"written": path.name, "classes": len(contract["fields"])}))


if __name__ == "__main__":
    main()
