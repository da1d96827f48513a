"""The steps of a release; called by ci/release, whose tools it finds beside its interpreter.

The first step that fails ends it with one line that says what is wrong; dist/ is only touched when all went well.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import building
import papers
import pythons
import sizes
from pythons import Python
from running import ROOT, SIGNALS, TOOLS, Runner, StepFailed, undisturbed

STEPS = """steps:
  version      ocpp16/_version.py is a version that is not tagged yet
  changelog    CHANGELOG.md begins with it and its date, and no newsfragment waits
  tree         everything is committed
  manifest     what is committed is in the sdist, or said not to be (check-manifest)
  sdist        built from what is committed, twice, in different folders and under different umasks: the same bytes
  wheel        of every Python: built from the sdist; the first twice: the same bytes
  repair       tagged for the oldest C library that will do; no unit names a folder of this machine
  metadata     what an index would refuse; what a wheel should not contain
  sizes        of wheel and installation, with their bounds; a station without tools still charges
  tests        in every Python, in a clean environment, from outside the source tree
  oldest       the same with the lower bounds of all that it needs, in the oldest Python
  bills        CycloneDX of the firmware set and of all extras
  docs         the book, without a warning
  checksums    dist/SHA256SUMS
"""


class Release:
    def __init__(self, work: Path, found: list[Python], runner: Runner, *, is_rehearsal: bool) -> None:
        self._work = work
        self._dist = building.fresh(work / "dist")
        self._pythons = found
        self._runner = runner
        self._is_rehearsal = is_rehearsal
        self._wheels: dict[str, Path] = {}
        self._source = work
        self.is_done = False

    def step(
        self, name: str, do: Callable[[], str], *, of: Python | str = "", is_only_for_a_release: bool = False
    ) -> None:
        """of: with which of several steps of that name this is; said while it runs."""
        began = time.monotonic()
        print(f"{name:12} … {of}".rstrip(), end="" if sys.stdout.isatty() else "\n", flush=True)
        back = "\r\033[K" if sys.stdout.isatty() else ""
        try:
            said = do()
        except StepFailed as reason:
            print(back, end="")
            if not (is_only_for_a_release and self._is_rehearsal):
                raise StepFailed(f"{name}: {reason}") from None
            said = f"a release would stop here: {reason}"
        lines = said.splitlines() or [""]
        print(f"{back}{name:12} {lines[0]} ({time.monotonic() - began:.0f} s)", flush=True)
        for line in lines[1:]:
            print(f"{'':12} {line}", flush=True)

    def run(self) -> None:
        self.step("version", lambda: papers.version_is_new(self._runner), is_only_for_a_release=True)
        self.step("changelog", papers.changelog_is_built, is_only_for_a_release=True)
        self.step("tree", self._tree, is_only_for_a_release=True)
        self.step("manifest", self._manifest)
        self.step("sdist", self._sdist)
        for python in self._pythons:
            if python.tag not in self._wheels:
                self.step("wheel", partial(self._wheel, python), of=python)
        self.step("wheel", self._wheel_again, of="the first, once more")
        self.step("repair", self._repair)
        self.step("metadata", lambda: papers.metadata(self._runner, sorted(self._dist.iterdir())))
        self.step("sizes", self._sizes)
        for python in self._pythons:
            self.step("tests", partial(self._tests, python), of=python)
        self.step("oldest", self._oldest)
        self.step("bills", self._bills)
        self.step("docs", self._docs)
        self.step("checksums", lambda: papers.checksums(self._dist))

    def finish(self) -> None:
        with undisturbed():  # whether it is done is known, too, to who interrupts it here
            building.replace(ROOT / "dist", self._dist, ROOT / "build" / "dist")
            self.is_done = True
        for path in sorted((ROOT / "dist").iterdir()):
            print(f"{'':12} dist/{path.name}")

    def _tree(self) -> str:
        if said := self._runner.run("git", "status", "--porcelain", cwd=ROOT).splitlines():
            raise StepFailed(f"not committed: {said[0].strip()} ({len(said)} in all)")
        return self._runner.run("git", "rev-parse", "--short", "HEAD", cwd=ROOT).strip()

    def _manifest(self) -> str:
        """Of a clone: the build that it starts leaves an egg-info where it works."""
        clone = self._work / "clone"
        self._runner.run("git", "clone", "--quiet", ROOT, clone)
        return self._runner.run(TOOLS / "check-manifest", clone).strip()

    def _sdist(self) -> str:
        first = building.sdist(self._runner, building.committed(self._runner, self._work / "a"), self._dist)
        with building.another_umask():
            tree = building.committed(self._runner, self._work / "another folder")
            second = building.sdist(self._runner, tree, self._work / "again")
        said = building.same(first, second)
        self._source = building.unpacked(first, self._work / "sdist")
        return said

    def _wheel(self, python: Python) -> str:
        source = building.unpacked(building.only(self._dist, "*.tar.gz"), self._work / f"for {python.tag}")
        into = building.fresh(self._work / "wheels" / python.tag)
        self._wheels[python.tag] = building.wheel(self._runner, python, source, self._work / "venv", into)
        return self._wheels[python.tag].name

    def _wheel_again(self) -> str:
        python = self._pythons[0]
        with building.another_umask():
            source = building.unpacked(building.only(self._dist, "*.tar.gz"), self._work / "elsewhere" / "and deeper")
            into = building.fresh(self._work / "again wheels")
            again = building.wheel(self._runner, python, source, self._work / "another venv", into)
        return building.same(self._wheels[python.tag], again)

    def _repair(self) -> str:
        said = []
        for tag, wheel in self._wheels.items():
            self._wheels[tag] = building.repaired(self._runner, wheel, self._dist)
            said.append(f"{self._wheels[tag].name}: {papers.no_paths(self._wheels[tag])}")
        return "\n".join(said)

    def _sizes(self) -> str:
        python = self._pythons[0]
        wheel = self._wheels[python.tag]
        station = pythons.environment(self._runner, python, self._work / "station", wheel)
        whole = pythons.environment(self._runner, python, self._work / "whole", wheel)
        said = []
        for line in sizes.weighed(self._runner, wheel, station):
            said.append(line)
            if "in a" in line:  # cut down
                sizes.station_works(self._runner, station, whole)
        for tag, other in self._wheels.items():
            if tag != python.tag:
                said.append(sizes.same_bounds(other, self._work / "weighed" / tag))
        return "\n".join(said)

    def _tests(self, python: Python) -> str:
        folder = self._work / f"tested {'-'.join(map(str, python.version))} {python.path.parts[1]}"
        wheel = self._wheels[python.tag]
        return f"{python}: {pythons.test_in(self._runner, python, wheel, self._source, folder, beside=[])}"

    def _oldest(self) -> str:
        """There are wheels of such old versions for the oldest Python alone."""
        python = self._pythons[0]
        if python.version[:2] != pythons.OLDEST or python.is_free_threaded:
            return f"not tried: {python} is not the oldest Python that will do"
        beside, wheel = pythons.oldest_that_will_do(), self._wheels[python.tag]
        said = pythons.test_in(self._runner, python, wheel, self._source, self._work / "oldest", beside=beside)
        return f"{' '.join(beside)}: {said}"

    def _environment_of_all(self) -> Path:
        python = self._pythons[0]
        wheel = self._wheels[python.tag]
        return pythons.environment(self._runner, python, self._work / "all", f"{wheel}[{','.join(papers.extras())}]")

    def _bills(self) -> str:
        python, version = self._pythons[0], papers.version()
        station = pythons.environment(self._runner, python, self._work / "bare", self._wheels[python.tag])
        return "\n".join(
            [
                papers.bill(self._runner, station, self._dist / f"ocpp16-{version}-firmware.cdx.json"),
                papers.bill(self._runner, self._environment_of_all(), self._dist / f"ocpp16-{version}-all.cdx.json"),
            ]
        )

    def _docs(self) -> str:
        sphinx = self._work / "all" / "bin" / "sphinx-build"
        self._runner.run(sphinx, "-q", "-W", "--keep-going", "-n", ROOT / "docs", self._work / "docs", cwd=self._work)
        return "without a warning"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="ci/release",
        description="Everything of a release but the upload, into dist/.",
        epilog=STEPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rehearse", action="store_true", help="go on where version, changelog or tree are not ready")
    parser.add_argument("--changelog", action="store_true", help="only write CHANGELOG.md out of the newsfragments")
    parser.add_argument("--draft", action="store_true", help="only show what --changelog would write")
    parser.add_argument(
        "--python", action="append", type=Path, metavar="PATH", help="this one; repeatable [all there are]"
    )
    parser.add_argument("--verbose", action="store_true", help="show what the commands of the steps say")
    parser.add_argument("--keep", action="store_true", help="keep the folder that was worked in")
    given = parser.parse_args()
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or Runner().run("git", "log", "-1", "--format=%ct", cwd=ROOT).strip()
    if not epoch.isdecimal():
        parser.error(f"SOURCE_DATE_EPOCH is {epoch!r}, which is no number of seconds since 1970")
    surroundings = {"SOURCE_DATE_EPOCH": epoch, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if given.changelog or given.draft:
        runner = Runner(given.verbose, surroundings)
        print(papers.build_changelog(runner, time.strftime("%Y-%m-%d", time.gmtime()), is_draft=given.draft), end="")
        return 0
    found = with_pythons(parser, given.python)
    work = Path(tempfile.mkdtemp(prefix="ocpp16-release-"))
    # What a command that is killed leaves in temporary folders of its own goes with ours.
    runner = Runner(given.verbose, {**surroundings, "TMPDIR": str(building.fresh(work / "tmp"))})
    release = Release(work, found, runner, is_rehearsal=given.rehearse)
    try:
        release.run()
        release.finish()
    except KeyboardInterrupt:
        print(f"\nci/release: interrupted; dist/ is {'new' if release.is_done else 'as it was'}", file=sys.stderr)
        return 130
    finally:
        with undisturbed():  # a second Ctrl-C would leave half of the folder
            if given.keep:
                print(f"kept: {work}")
            else:
                shutil.rmtree(work, ignore_errors=True)
    return 0


def with_pythons(parser: argparse.ArgumentParser, given: list[Path] | None) -> list[Python]:
    """Those that were asked for, or all there are; says which."""
    if given is None:
        found, unfit = pythons.found()
        for reason in unfit:
            print(f"{'passed over':12} {reason}")
        if not found:
            parser.error("no Python here is fit: install one, with its headers, or name it with --python")
    else:
        try:
            found = [pythons.asked(path) for path in given]
        except pythons.Unfit as reason:
            parser.error(f"--python: {reason}")
    for python in found:
        print(f"{'with':12} {python}")
    there = {f"3.{python.version[1]}" for python in found}
    if missing := [version for version in sizes.supported_pythons() if version not in there]:
        print(f"{'without':12} {', '.join(missing)}: not built here; .github/workflows/wheels.yml builds those")
    return found


def told_to_end(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in SIGNALS:
        signal.signal(number, told_to_end)  # in the background a shell has it ignore Ctrl-C
    try:
        sys.exit(main())
    except (StepFailed, OSError) as reason:
        sys.exit(f"ci/release: {reason}")
    except KeyboardInterrupt:
        sys.exit(130)
