"""Sizes and habits of modules, functions and templates: smells, held at a hard limit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tree import PROJECT, files, python_files, text_of

PRODUCT = ("app", "bot", "jobs", "sandbox")
LONGEST_MODULE = 400
LONGEST_FUNCTION = 50
LONGEST_TEMPLATE = 80
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def parsed(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in python_files(*folders):
        yield path, ast.parse((PROJECT / path).read_text())


def lines_of(function: ast.AST) -> int:
    """Lines of the body without its docstring."""
    assert isinstance(function, FUNCTIONS)
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_modules_are_short() -> None:
    sizes = {
        path: len((PROJECT / path).read_text().splitlines())
        for path in python_files(*PRODUCT, "bench", "e2e")
    }
    assert {str(path): size for path, size in sizes.items() if size > LONGEST_MODULE} == {}


def test_functions_are_short() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {lines_of(node)} lines"
        for path, module in parsed(*PRODUCT)
        for node in ast.walk(module)
        if isinstance(node, FUNCTIONS) and lines_of(node) > LONGEST_FUNCTION
    ]
    assert long == []


def test_templates_are_short() -> None:
    sizes = {
        path: len((text_of(path) or "").splitlines()) for path in files() if path.parts[0] == "templates"
    }
    assert {str(path): size for path, size in sizes.items() if size > LONGEST_TEMPLATE} == {}


def test_no_import_hides_inside_a_function() -> None:
    hidden = [
        f"{path}:{inner.lineno}"
        for path, module in parsed("app", "bot", "jobs")
        for function in ast.walk(module)
        if isinstance(function, FUNCTIONS)
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def public_bodies(module: ast.Module) -> Iterator[list[ast.stmt]]:
    """The module's statements and those of its public classes."""
    yield module.body
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.body


def test_public_functions_say_what_they_do() -> None:
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path, module in parsed(*PRODUCT)
        for body in public_bodies(module)
        for node in body
        if isinstance(node, FUNCTIONS) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_module_says_what_it_is() -> None:
    silent = [str(path) for path, module in parsed(*PRODUCT) if module.body and not ast.get_docstring(module)]
    assert silent == []


@pytest.mark.parametrize("folder", ["tests", "e2e"])
def test_every_folder_of_tests_is_a_package(folder: str) -> None:
    folders = {path.parent for path in python_files(folder)}
    assert [str(place) for place in sorted(folders) if not (PROJECT / place / "__init__.py").exists()] == []


def test_nothing_is_left_for_later() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "X" * 3)
    left = [
        f"{path}: {word}"
        for path in python_files(*PRODUCT, "tests", "e2e", "bench")
        for word in words
        if word in (text_of(path) or "")
    ]
    assert left == []
