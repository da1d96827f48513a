"""The compiled core; everything else about the package stands in pyproject.toml.

`build_ext` writes the validators from `share/message_schemas`, cythonizes and compiles. Metadata and sdist do none of
that. OCPP16_DEBUG=1 in the environment builds with bounds checks, line tracing and annotated HTML.

With SOURCE_DATE_EPOCH in the environment the same sources give the same sdist and the same wheel, byte for byte, in
whatever folder, at whatever time and under whatever umask they are built; ci/release proves it.
"""

import ast
import gzip
import importlib
import multiprocessing
import os
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
CORE = Path("ocpp16", "_core")
IS_DEBUG = os.environ.get("OCPP16_DEBUG") == "1"
COMPILED = [
    Path(*line.strip().split(".")).with_suffix(".py")
    for line in (ROOT / "ocpp16" / "compiled.txt").read_text(encoding="ascii").splitlines()
    if line.strip() and not line.startswith("#")
]
"""Modules in Python that are compiled as they are; one with a .pxd beside it has C types for its attributes."""
BUSY = """
    _core/by_number _core/composition _core/datetimes _core/decimals _core/framing _core/periods _core/precedence
    _core/randomness _core/records _core/schedule _core/totals _core/validation _core/validators/core
    _core/websocket_frames charge_point/link charge_point/pump profiles/meter_samples rpc/pending rpc/session
    simulation/meter state/clock state/measurands store/changes store/memory transport/frames
"""
"""Units in which a message, or a schedule, spends most of what it spends in any: compiled for speed. The others call
the interpreter for nearly all they do, and would only be half as large again."""
FAST = {Path("ocpp16", *name.split("/")) for name in BUSY.split()}
CALLS = "-fno-plt"
"""To the interpreter, of which a message has ten thousand, directly: by the table between each costs three instructions
more, and a line of the processor's cache."""
UNWOUND_BY_NOBODY = ("-fno-asynchronous-unwind-tables", "-fno-unwind-tables")
"""What is for C++ exceptions, and debuggers that walk a stack of C: a sixteenth of each unit."""
ONE_SEGMENT = "-Wl,-z,noseparate-code"
"""Code and constants lie in the file without the two pages of nothing that else keep them apart in each."""
SHARED = "ocpp16._shared"
"""What Cython would else put into each unit once more: its functions, conversions, exceptions."""


def can_share() -> bool:
    return not IS_DEBUG and find_spec("Cython") is not None


def extensions() -> list[Extension]:
    """One extension for each unit: the hand-written ones, and one validator for each schema document."""
    units = sorted((ROOT / CORE).glob("*.pyx"))
    documents = sorted((ROOT / "share" / "message_schemas").glob("*.json"))
    generated = [CORE / "validators" / f"{document.stem}.pyx" for document in documents]
    sources = [unit.relative_to(ROOT) for unit in units] + generated + COMPILED
    shared = [extension(SHARED, [], "-O2")] if can_share() else []
    return shared + [
        extension(".".join(unit.parts), [source], "-O2" if unit in FAST else "-Os")
        for source in sources
        for unit in [source.with_suffix("")]
    ]


def extension(name: str, sources: list[Path], level: str) -> Extension:
    """Without what only a debugger reads."""
    return Extension(
        name,
        [source.as_posix() for source in sources],
        extra_compile_args=["-O0", "-g"] if IS_DEBUG else [level, CALLS, *UNWOUND_BY_NOBODY, "-g0"],
        extra_link_args=[] if IS_DEBUG else ["-s", ONE_SEGMENT],
        define_macros=[("CYTHON_TRACE", "1")] if IS_DEBUG else [],
    )


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
        from Cython import __version__ as found
        from Cython.Build import cythonize
        from Cython.Compiler import Options

        if find_spec("Cython.Build.SharedModule") is None:
            raise SystemExit(f"ocpp16 is built with Cython 3.1 or newer; this is {found}")
        write_validators()
        Options.warning_errors = True
        sign_classes()
        # What annotations say is for people and mypy: `float` shall not become a C double, nor `str` refuse a StrEnum.
        # Nobody pickles what has C attributes; how to would be a tenth of its unit.
        directives = {"language_level": 3, "embedsignature": False, "binding": True, "annotation_typing": False}
        directives |= {"auto_pickle": False}
        if IS_DEBUG:
            directives |= {"linetrace": True, "boundscheck": True, "wraparound": True}
        if can_share():
            self.write_shared()
        # A process that is not forked would run this file again; since Python 3.14 nothing is forked unless asked for.
        if forks := sys.platform == "linux":
            multiprocessing.set_start_method("fork", force=True)
        compiled = cythonize(
            self.extensions,
            include_path=[str(ROOT)],
            build_dir=self.build_temp,
            compiler_directives=directives,
            annotate=IS_DEBUG,
            quiet=True,
            nthreads=(os.cpu_count() or 1) if forks else 0,
            **({"shared_utility_qualified_name": SHARED} if can_share() else {}),
        )
        for unit, result in zip(self.extensions, compiled, strict=True):
            unit.sources = result.sources
        self.parallel = self.parallel or os.cpu_count()
        super().run()
        if not self.inplace:
            # Package data was collected before the generator had written these.
            stubs = list(CORE.glob("validators/*.pyi"))
            for stub in stubs:
                self.copy_file(str(stub), str(Path(self.build_lib, stub)))
            self.forget_all_but({Path(self.build_lib, stub) for stub in stubs})

    def forget_all_but(self, made: set[Path]) -> None:
        """What earlier builds have left here would be installed: modules that are gone, and units of what is not
        compiled any more, which would be imported in place of their sources."""
        sources = self.get_finalized_command("build_py").get_outputs(include_bytecode=False)
        made |= {Path(path) for path in [*sources, *self.get_outputs()]}
        for path in Path(self.build_lib, "ocpp16").rglob("*"):
            if path.is_file() and path not in made:
                path.unlink()

    def write_shared(self) -> None:
        """The source of the unit that holds what the others share; `cythonize` would make it one of no package."""
        source = Path(self.build_temp, *SHARED.split(".")).with_suffix(".c")
        source.parent.mkdir(parents=True, exist_ok=True)
        write = [sys.executable, "-m", "cython", f"--generate-shared={source}", "--module-name", SHARED]
        subprocess.run(write, check=True)  # noqa: S603

    def build_extensions(self) -> None:
        """Without the folders of this machine's interpreter, where its linker would write them into each unit."""
        self.compiler.linker_so = [
            word for word in self.compiler.linker_so if not word.startswith(("-Wl,-rpath", "-L"))
        ]
        super().build_extensions()

    def get_source_files(self) -> list[str]:
        return []  # MANIFEST.in names what belongs into the sdist


def mode(is_executable: int) -> int:
    """Of a file in an archive, whatever the umask was."""
    return 0o755 if is_executable else 0o644


class BuildWheel(bdist_wheel):
    """Times are those of SOURCE_DATE_EPOCH already."""

    def write_wheelfile(self, *arguments: str, **options: str) -> None:
        super().write_wheelfile(*arguments, **options)
        for path in Path(self.bdist_dir).rglob("*"):
            if path.is_file():
                path.chmod(mode(path.suffix == ".so"))


class BuildSdist(sdist):
    """Files in order, of nobody, and of one time."""

    def make_archive(
        self,
        base_name: str,
        format: str,  # noqa: A002
        root_dir: str | None = None,
        base_dir: str | None = None,
        **options: str,
    ) -> str:
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        if epoch is None or format != "gztar":
            return super().make_archive(base_name, format, root_dir, base_dir, **options)

        def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
            member.mode = mode(member.isdir() or member.mode & 0o100)
            member.mtime, member.uid, member.gid, member.uname, member.gname = int(epoch), 0, 0, "", ""
            return member

        archive = Path(base_name + ".tar.gz")
        archive.parent.mkdir(parents=True, exist_ok=True)
        with (
            archive.open("wb") as file,
            gzip.GzipFile("", "wb", mtime=int(epoch), fileobj=file) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            tar.add(base_dir or ".", filter=plain)  # a folder in the order of its names
        return str(archive)


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildCore, "bdist_wheel": BuildWheel, "sdist": BuildSdist})
