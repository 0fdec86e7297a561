"""Shell commands that Python runs."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from typing import Final

from d4cbuild.hazards.embedded import embedded_in
from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.placed import PlacedText
from d4cbuild.hazards.python_module import PythonModule
from d4cbuild.hazards.python_text import HOLE, placed_text
from d4cbuild.hazards.shell import read_shell

RUNNERS: Final = frozenset(
    f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")
)
SHELLS: Final = frozenset({"os.system", "os.popen", "subprocess.getoutput"})


def shell_spots(module: PythonModule) -> Iterator[Spot]:
    """Find hazards in such commands."""
    for node in module.names.nodes:
        name = module.names.called(node)
        if isinstance(node, ast.Call) and node.args and (name in RUNNERS or name in SHELLS):
            command = _command(module, node)
            yield from read_shell(command).spots
            for piece in embedded_in(command.text)[1]:
                if piece.language == "shell":
                    for spot in read_shell(PlacedText.of_file(piece.text)).spots:
                        yield spot.moved(*module.place(node))


def _command(module: PythonModule, call: ast.Call) -> PlacedText:
    given = module.names.value_of(call.args[0])
    line, column = module.place(call)
    if isinstance(given, ast.List | ast.Tuple):
        words = [_word(module, each) for each in given.elts]
        return PlacedText(shlex.join(words), [0], [(line, column)])
    text = placed_text(module, given)
    return PlacedText("", [0], [(line, column)]) if text is None else text


def _word(module: PythonModule, node: ast.expr) -> str:
    text = placed_text(module, node)
    return HOLE if text is None else text.text
