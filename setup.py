"""The compiled core; everything else about the package stands in pyproject.toml.

`build_ext` writes the validators from `share/message_schemas`, cythonizes and compiles. Metadata and sdist do none of
that. OCPP16_DEBUG=1 in the environment builds with bounds checks, line tracing and annotated HTML.
"""

import ast
import importlib
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
CORE = Path("ocpp16", "_core")
IS_DEBUG = os.environ.get("OCPP16_DEBUG") == "1"
COMPILED = [
    Path(*line.strip().split(".")).with_suffix(".py")
    for line in (ROOT / "ocpp16" / "compiled.txt").read_text(encoding="ascii").splitlines()
    if line.strip() and not line.startswith("#")
]
"""Modules in Python that are compiled as they are; one with a .pxd beside it has C types for its attributes."""
COMPILED_AT = "-O1"
"""They call the interpreter for nearly all they do: optimizing further takes a third longer, for a fiftieth."""
CALLS = "-fno-plt"
"""To the interpreter, of which a message has ten thousand, directly: by the table between each costs three instructions
more, and a line of the processor's cache."""


def extensions() -> list[Extension]:
    """One extension for each unit: the hand-written ones, and one validator for each schema document."""
    units = sorted((ROOT / CORE).glob("*.pyx"))
    documents = sorted((ROOT / "share" / "message_schemas").glob("*.json"))
    generated = [CORE / "validators" / f"{document.stem}.pyx" for document in documents]
    sources = [unit.relative_to(ROOT) for unit in units] + generated + COMPILED
    return [
        Extension(
            ".".join(source.with_suffix("").parts),
            [source.as_posix()],
            extra_compile_args=["-O0", "-g"]
            if IS_DEBUG
            else [COMPILED_AT if source in COMPILED else "-O2", CALLS, "-g0"],
            define_macros=[("CYTHON_TRACE", "1")] if IS_DEBUG else [],
        )
        for source in sources
    ]


def write_validators() -> None:
    """Run the code generator, which must not be imported as part of `ocpp16`: that is what is being built."""
    sys.path.insert(0, str(ROOT / CORE))
    try:
        importlib.import_module("codegen.outputs").write(ROOT, built=True)
    finally:
        sys.path.remove(str(ROOT / CORE))


def sign_classes() -> None:
    """Let `inspect.signature` know the parameters of classes in C, too.

    Python reads them off the docstring, in the form of Argument Clinic, which Cython writes for functions alone. It has
    no annotations, and defaults that are no literals are told as `...`.
    """
    from Cython.Compiler import AutoDocTransforms
    from Cython.Compiler.StringEncoding import EncodedString

    class SignClasses(AutoDocTransforms.EmbedSignature):  # type: ignore[misc]
        def visit_CClassDefNode(self, node: Any) -> Any:  # noqa: N802 - as Cython calls it
            node = self.visit_ClassDefNode(node)
            kind = node.entry.type
            if kind.base_type is None and "\n--\n\n" not in (kind.scope.doc or ""):
                kind.scope.doc = EncodedString(f"{node.class_name}()\n--\n\n{kind.scope.doc or ''}")
            return node

        def visit_DefNode(self, node: Any) -> Any:  # noqa: N802
            if node.name in {"__init__", "__cinit__"} and node.entry.is_special and self.class_node:
                only_named = getattr(node, "num_kwonly_args", 0)
                parameters = [self._parameter(argument) for argument in node.args[1:]]
                if node.star_arg or only_named:
                    star = f"*{node.star_arg.name}" if node.star_arg else "*"
                    parameters.insert(len(parameters) - only_named, star)
                if node.starstar_arg:
                    parameters.append(f"**{node.starstar_arg.name}")
                scope = self.class_node.entry.type.scope
                scope.doc = EncodedString(f"{self.class_name}({', '.join(parameters)})\n--\n\n{scope.doc or ''}")
            return node

        def _parameter(self, argument: Any) -> str:
            if not argument.default:
                return str(argument.name)
            default = self._fmt_expr(argument.default)
            try:
                ast.literal_eval(default)
            except ValueError:
                default = "..."
            return f"{argument.name}={default}"

    AutoDocTransforms.EmbedSignature = SignClasses


class BuildCore(build_ext):
    """Generates and cythonizes only when something is built: commands that ask for names need neither."""

    def run(self) -> None:
        from Cython.Build import cythonize
        from Cython.Compiler import Options

        write_validators()
        Options.warning_errors = True
        sign_classes()
        # What annotations say is for people and mypy: `float` shall not become a C double, nor `str` refuse a StrEnum.
        directives = {"language_level": 3, "embedsignature": False, "binding": True, "annotation_typing": False}
        if IS_DEBUG:
            directives |= {"linetrace": True, "boundscheck": True, "wraparound": True}
        compiled = cythonize(
            self.extensions,
            include_path=[str(ROOT)],
            build_dir=self.build_temp,
            compiler_directives=directives,
            annotate=IS_DEBUG,
            quiet=True,
            # Where a process is started by other means than a fork it would run this file again.
            nthreads=(os.cpu_count() or 1) if multiprocessing.get_start_method() == "fork" else 0,
        )
        for extension, result in zip(self.extensions, compiled, strict=True):
            extension.sources = result.sources
        self.parallel = self.parallel or os.cpu_count()
        super().run()
        if not self.inplace:  # package data was collected before the generator had written these
            for stub in CORE.glob("validators/*.pyi"):
                self.copy_file(str(stub), str(Path(self.build_lib, stub)))

    def get_source_files(self) -> list[str]:
        return []  # MANIFEST.in names what belongs into the sdist


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildCore})
