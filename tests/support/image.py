"""Carries out a Dockerfile without a container engine: each stage in a folder that stands for its root.

Only what our Dockerfile uses is known, and anything else is refused. Absolute paths below /opt and /srv mean places
below the stage's folder; everything else is this machine's, as the base image's would be.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

OWN_PLACES = re.compile(r"(?<![\w./-])/(opt|srv)(?=/|\b)")
TOOLS = "/usr/local/bin:/usr/bin:/bin"
PASSED_ON = ("PIP_", "UV_", "SSL_", "HTTPS_", "HTTP_", "NODE_", "REQUESTS_", "npm_")


class UnknownStep(Exception):
    """An instruction that this stand-in for an engine doesn't know."""


@dataclass
class Stage:
    """What a stage has come to: its folder, working directory, variables and how it is started."""

    root: Path
    workdir: str = "/"
    env: dict[str, str] = field(default_factory=lambda: {"PATH": TOOLS})
    user: str = "root"
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)

    def place(self, path: str) -> Path:
        """A path of the stage on this machine."""
        absolute = path if path.startswith("/") else f"{self.workdir.rstrip('/')}/{path}"
        return self.root / absolute.lstrip("/")

    def mapped(self, text: str) -> str:
        """`text` with the stage's own absolute paths as they are on this machine."""
        return OWN_PLACES.sub(lambda found: f"{self.root}/{found[1]}", text)

    def environment(self) -> dict[str, str]:
        """The variables a process of the stage has, with `python` as the base image gives it."""
        machine = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        mapped = {name: self.mapped(value) for name, value in self.env.items()}
        own, _, tools = mapped["PATH"].rpartition(TOOLS)
        return {
            **machine,
            **mapped,
            "PATH": f"{own}{self.root}/base-image:{TOOLS}{tools}",
            "HOME": str(self.root),
        }


def build(dockerfile: Path, folder: Path) -> Stage:
    """Carry out every step of `dockerfile` in `folder`; returns the last stage. Raises UnknownStep."""
    context = folder / "context"
    copy_context(dockerfile.parent, context)
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for word, rest in instructions(dockerfile.read_text()):
        if word == "FROM":
            name = rest.partition(" AS ")[2] or "last"
            stage = stages[name] = _new_stage(folder / name)
        elif stage is not None:
            _carry_out(stage, stages, context, word, rest)
    if stage is None:
        raise UnknownStep("no FROM")
    return stage


def instructions(text: str) -> list[tuple[str, str]]:
    """Word and rest of each instruction, continued lines joined, comments dropped."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest) for line in joined.splitlines() if line for word, _, rest in [line.partition(" ")]]


def copy_context(source: Path, target: Path) -> None:
    """What .dockerignore lets through of `source`."""
    patterns = [
        line for line in (source / ".dockerignore").read_text().splitlines() if line and line[0] != "#"
    ]
    tracked = {Path(pattern[1:]) for pattern in patterns if pattern.startswith("!")}
    for name in sorted(tracked):
        for path in [source / name, *(source / name).rglob("*")]:
            relative = path.relative_to(source)
            if path.is_file() and not _is_ignored(relative, patterns):
                (target / relative).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target / relative)


def _is_ignored(path: Path, patterns: list[str]) -> bool:
    ignored = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        if any(_matches(place, wanted) for place in (path, *path.parents)):
            ignored = not pattern.startswith("!")
    return ignored


def _matches(path: Path, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return path.name == pattern[3:]
    return len(path.parts) == pattern.count("/") + 1 and fnmatch.fnmatch(str(path), pattern)


def _new_stage(root: Path) -> Stage:
    base = root / "base-image"
    base.mkdir(parents=True)
    (base / "python").symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    return Stage(root)


def _carry_out(stage: Stage, stages: dict[str, Stage], context: Path, word: str, rest: str) -> None:
    if word == "WORKDIR":
        stage.workdir = rest
        stage.place(".").mkdir(parents=True, exist_ok=True)
    elif word == "ENV":
        stage.env |= dict(pair.split("=", 1) for pair in rest.split())
    elif word == "COPY":
        _copy(stage, stages, context, rest.split())
    elif word == "RUN":
        _run(stage, rest)
    elif word == "USER":
        stage.user = rest
    elif word == "CMD":
        stage.command = json.loads(rest)
    elif word == "HEALTHCHECK":
        stage.healthcheck = json.loads(rest.partition("CMD ")[2])
    elif word != "EXPOSE":
        raise UnknownStep(f"{word} {rest}")


def _copy(stage: Stage, stages: dict[str, Stage], context: Path, words: list[str]) -> None:
    origin = stages[words.pop(0).removeprefix("--from=")] if words[0].startswith("--from=") else None
    *sources, target = words  # nothing is changed in place after it, so that links do for copies
    for name in sources:
        source = origin.place(name) if origin else context / name
        goal = stage.place(target)
        if source.is_dir():
            shutil.copytree(source, goal, symlinks=True, dirs_exist_ok=True, copy_function=os.link)
        else:
            goal = goal / source.name if target.endswith("/") else goal
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, goal)


def _run(stage: Stage, command: str) -> None:
    done = subprocess.run(
        # Without its cache pip fetches everything again: that saves an image's space, and only costs time here.
        ["sh", "-ec", stage.mapped(command).replace(" --no-cache-dir", "")],
        cwd=stage.place("."),
        env=stage.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"RUN {command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
