"""The text of pipelines.yaml with a line's entry renamed, copied or taken out; all else stays as it
was typed, comments too.

The text is changed where YAML's own parser says that a key or value stands, and is then read again:
what it says must be what was meant.
"""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from hdm.errors import ConfigError

FILE = "pipelines.yaml"
PLAIN = re.compile(r"[\w./][\w ./+-]*")
"""Values that need no quotes."""
Content = dict[str, Any]


def renamed_entry(text: str, old: str, new: str) -> str:
    """The line `old` is called `new`, and paths below data/<old>, also of other lines, follow. As
    `hdm samples` draws a line by its name, it is none of the sample lines any more."""
    def meant(content: Content) -> None:
        content["lines"] = {new if name == old else name: entry
                            for name, entry in content["lines"].items()}
        for entry in content["lines"].values():
            entry["source"]["path"] = moved(entry["source"]["path"], old, new)
            if entry.get("inbox"):
                entry["inbox"] = moved(entry["inbox"], old, new)
        _no_sample(content, old)

    edits = [(_key(text, old), new), *_sample_edit(text, old)]
    for entry in _lines(text).values():
        for node in filter(None, (_at(entry, "source", "path"), _at(entry, "inbox"))):
            edits.append((node, moved(node.value, old, new)))
    return _checked(text, _replaced(text, edits), meant)


def without_entry(text: str, name: str) -> tuple[str, str]:
    """The text without the line `name`, and what was taken out: the entry's rows with the comments
    right above it."""
    def meant(content: Content) -> None:
        del content["lines"][name]
        _no_sample(content, name)

    first, end = _rows(text, name)
    rows = text.splitlines(keepends=True)
    taken, rest = "".join(rows[first:end]), [*rows[:first], *rows[end:]]
    if first and not rest[first - 1].strip() and (first == len(rest) or not rest[first].strip()):
        del rest[first - 1]
    if len(_lines(text)) == 1:
        number = _key(text, None).start_mark.line
        rest[number] = rest[number].replace("lines:", "lines: {}", 1)
    shorter = "".join(rest)
    return _checked(text, _replaced(shorter, _sample_edit(shorter, name)), meant), taken


def copied_entry(text: str, old: str, new: str, values: dict[str, str]) -> str:
    """With the line `new` right behind `old`: the same but for `values`, by key; the key `source`
    stands for its path. Keys that `old` does not have must be left out."""
    def meant(content: Content) -> None:
        entry = deepcopy(content["lines"][old])
        for key, value in values.items():
            if key == "source":
                entry["source"]["path"] = value
            else:
                entry[key] = value
        content["lines"][new] = entry

    end = _rows(text, old)[1]
    rows = text.splitlines(keepends=True)
    if not rows[end - 1].endswith("\n"):
        rows[end - 1] += "\n"
    key = _key(text, old)
    block = rows[key.start_mark.line:end]
    block[0] = block[0][:key.start_mark.column] + new + block[0][key.end_mark.column:]
    longer = "".join([*rows[:end], "\n", *block, *rows[end:]])
    entry = _lines(longer)[new]
    edits = [(_at(entry, *(("source", "path") if key == "source" else (key,))), value)
             for key, value in values.items()]
    return _checked(text, _replaced(longer, edits), meant)


def moved(path: str, old: str, new: str) -> str:
    """A path of pipelines.yaml after data/<old> has become data/<new>."""
    before = f"data/{old}"
    return f"data/{new}{path.removeprefix(before)}" \
        if path == before or path.startswith(f"{before}/") else path


def _checked(before: str, after: str, meant: Callable[[Content], None]) -> str:
    """`after`, if it says what `before` says after `meant` was done to it."""
    read = YAML(typ="safe", pure=True).load
    wanted = read(before)
    meant(wanted)
    try:
        if read(after) == wanted:
            return after
    except YAMLError:
        pass
    raise _unsafe()


def _unsafe() -> ConfigError:
    return ConfigError(f"{FILE} is written in a way that cannot be changed without touching more "
                       "than the line's entry; write the entries in block style (one key a row), "
                       "and run the same command again.")


def _no_sample(content: Content, name: str) -> None:
    if name in (content.get("sample_lines") or ()):
        content["sample_lines"] = [one for one in content["sample_lines"] if one != name]


def _root(text: str) -> MappingNode:
    return YAML(pure=True).compose(text)  # type: ignore[no-any-return]


def _lines(text: str) -> dict[str, Node]:
    """Name -> node of the entry."""
    lines = _at(_root(text), "lines")
    return {key.value: value for key, value in lines.value} \
        if isinstance(lines, MappingNode) else {}


def _at(node: Node, *keys: str) -> Any:
    """The node below these keys; None if there is none."""
    for key in keys:
        found = [value for name, value in node.value if name.value == key] \
            if isinstance(node, MappingNode) else []
        if not found:
            return None
        node = found[0]
    return node


def _key(text: str, name: str | None) -> Any:
    """The node of a line's key, or of `lines` itself."""
    root = _root(text)
    pairs = root.value if name is None else _at(root, "lines").value
    return next(key for key, _ in pairs if key.value == (name or "lines"))


def _replaced(text: str, edits: list[tuple[Any, str]]) -> str:
    """Scalars or flow sequences in the text replaced, the last first; their quotes stay."""
    for node, value in sorted(edits, key=lambda edit: -edit[0].start_mark.index):
        quote = getattr(node, "style", None) or ""
        if isinstance(node, ScalarNode) and value == node.value:
            continue
        new = value if not isinstance(node, ScalarNode) or PLAIN.fullmatch(value) else \
            json.dumps(value, ensure_ascii=False)
        if quote and PLAIN.fullmatch(value):
            new = f"{quote}{value}{quote}"
        text = text[:node.start_mark.index] + new + text[node.end_mark.index:]
    return text


def _sample_edit(text: str, name: str) -> list[tuple[Any, str]]:
    node = _at(_root(text), "sample_lines")
    names = [one.value for one in node.value] if node is not None else []
    if name not in names:
        return []
    return [(node, f"[{', '.join(one for one in names if one != name)}]")]


def _rows(text: str, name: str) -> tuple[int, int]:
    """First row of the entry, with the comments right above it, and the row behind its last.

    Raises ConfigError where entries are not in rows of their own.
    """
    if _at(_root(text), "lines").flow_style:
        raise _unsafe()
    key, rows = _key(text, name), text.splitlines()
    first = key.start_mark.line
    end = _last_row(_lines(text)[name], first) + 1
    while end - 1 > first and rows[end - 1].strip()[:1] in ("", "#"):
        end -= 1
    inside = " " * (key.start_mark.column + 1)
    while end < len(rows) and rows[end].startswith(inside) and rows[end].strip()[:1] == "#":
        end += 1
    while first and rows[first - 1].startswith(" " * key.start_mark.column + "#"):
        first -= 1
    return first, end


def _last_row(node: Node, least: int) -> int:
    if isinstance(node, MappingNode) and not node.flow_style:
        return max([least, *(_last_row(value, key.end_mark.line) for key, value in node.value)])
    if getattr(node, "flow_style", True) or isinstance(node, ScalarNode):
        block = getattr(node, "style", None) in ("|", ">")
        return max(least, node.end_mark.line - block)
    return max([least, *(_last_row(value, least) for value in node.value)])
