"""The one thing pyproject.toml cannot say: how the C engine is built. Switches, for developers:
NNLITE_SANITIZE=address,undefined adds sanitizers; NNLITE_WERROR=1 makes warnings errors."""

import os
from concurrent.futures import ThreadPoolExecutor
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

compile_args = [
    "-std=gnu11",
    "-O3",
    "-g0",
    "-fvisibility=hidden",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-fast-math",
    "-fno-asynchronous-unwind-tables",
    # Vectors are written out in the engine; copies of its loops, for other vectors or for each outcome of a condition,
    # only take space and time to compile.
    "-fno-tree-vectorize",
    "-fno-unswitch-loops",
    "-fno-split-loops",
    "-fno-ipa-cp-clone",
    "-pthread",
]
link_args = ["-Wl,-s", "-pthread"]
if os.environ.get("NNLITE_WERROR"):
    compile_args += ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
if os.environ.get("NNLITE_SANITIZE"):
    sanitize = ["-fsanitize=" + os.environ["NNLITE_SANITIZE"], "-fno-sanitize-recover=all", "-g1", "-O0"]
    compile_args += sanitize
    link_args = [*sanitize, "-pthread"]


class ParallelBuild(build_ext):
    """Compiles the sources side by side: each target is one source and takes seconds."""

    def build_extension(self, ext: Extension) -> None:
        compile_serially = self.compiler.compile

        def compile_one(source, *, extra_postargs, **options):
            if source.endswith("_engine.c"):  # whose speed does not matter, but its size
                extra_postargs = [*extra_postargs, "-Os"]
            return compile_serially([source], extra_postargs=extra_postargs, **options)

        def compile_each(sources, **options):
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                parts = pool.map(lambda source: compile_one(source, **options), sources)
                return [part for compiled in parts for part in compiled]

        self.compiler.compile = compile_each
        super().build_extension(ext)


setup(
    cmdclass={"build_ext": ParallelBuild},
    ext_modules=cythonize(
        Extension(
            "nnlite._engine",
            sources=["nnlite/_engine.pyx", *sorted(glob("csrc/*.c")), *sorted(glob("csrc/targets/*.c"))],
            include_dirs=["csrc"],
            depends=[*glob("csrc/*.h"), *glob("csrc/engine/*.h")],
            extra_compile_args=compile_args,
            extra_link_args=link_args,
        )
    ),
)
