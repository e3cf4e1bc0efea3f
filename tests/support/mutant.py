"""The daemon with one guard taken out of its source, to see that a test finds that."""

import subprocess
from pathlib import Path

from support import BUILD, SOURCE

# The object comes before the library that has the sound one, which is left where it is.
RULE = (
    "mutant: ; $(COMPILE) -w -c -o $(DIRECTORY)/part.o $(DIRECTORY)/part.c &&"
    " $(LINK) $(DIRECTORY)/part.o src/main.o libcoffer.a $(LDADD) $(LIBS) -o $(DIRECTORY)/coffer >&2"
).replace("$(LINK)", "$(CCLD) $(AM_CFLAGS) $(CFLAGS) $(AM_LDFLAGS) $(LDFLAGS)")


def mutant(directory, module, guard, instead=""):
    """Build a daemon in which a piece of the source of one module, which it has once, is another; return its path."""
    (file,) = (SOURCE / "src").rglob(f"{module}.c")
    source = file.read_text()
    assert source.count(guard) == 1, f"{file} has changed: {guard}"
    directory = Path(directory)
    directory.mkdir()
    (directory / "part.c").write_text(source.replace(guard, instead))
    make = [
        "make",
        "--silent",
        f"--directory={BUILD}",
        f"--eval={RULE}",
        "mutant",
        f"DIRECTORY={directory}",
    ]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    return directory / "coffer"
