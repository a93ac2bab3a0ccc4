"""Change the code in small ways and see whether a test notices: `python -m tests.mutants [names of mutants]`.

mutmut starts pytest anew for every mutant; here they all share one PostgreSQL, so that a mutant takes seconds.
What to mutate and which tests to run stands in pyproject.toml, what survives and why in docs/testing.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from teleconsult.ops import postgres


def main() -> int:
    """Lend a server to mutmut and end it afterwards. Answers with mutmut's own exit code."""
    with tempfile.TemporaryDirectory(prefix="teleconsult-mutants-") as place:
        folder = Path(place)
        postgres.ensure(folder, durable=False)
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *sys.argv[1:]]
        try:
            return subprocess.run(command, env=os.environ | {"SHARED_TEST_DATA": place}, check=False).returncode
        finally:
            postgres.remove(folder)


if __name__ == "__main__":
    sys.exit(main())
