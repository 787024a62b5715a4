"""Makes `.venv` and installs a lock into it: `python3 scripts/set_up.py requirements.lock`.

Prints one line, and on a terminal how far it is. What pip and uv say is printed only if they fail.
"""

import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
LINE = "environment: {done} of {total} packages of {lock}, {seconds:.0f} s"


def commands(lock: Path) -> list[list[str]]:
    """uv by pip, with the hashes that the lock has for it, then the lock by uv, ten times faster.

    Compiling on install saves every later process from compiling at import.
    """
    uv = [str(BIN / "uv"), "pip", "install", "--python", str(BIN / "python")]
    strict = ["--compile-bytecode", "--require-hashes", "-r", str(lock)]
    found = []
    if not (BIN / "uv").exists():
        text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
        (pinned,) = re.findall(r"^uv==(?:.*\\\n)*.*\n", text, re.M)
        VENV.mkdir(exist_ok=True)
        (VENV / "uv.lock").write_text(pinned, encoding="utf-8")
        pip = [str(BIN / "pip"), "install", "--disable-pip-version-check", "--no-deps"]
        found.append([sys.executable, "-m", "venv", str(VENV)])
        found.append([*pip, "--require-hashes", "-r", str(VENV / "uv.lock")])
    return [*found, [*uv, *strict], [*uv, "--no-deps", "-e", str(ROOT)]]


def main() -> int:
    lock = ROOT / sys.argv[1]
    total = len(re.findall(r"^[\w.-]+==", lock.read_text(encoding="utf-8"), re.M))
    began = time.monotonic()

    def line() -> str:
        done = min(total, len(list(VENV.glob("lib/*/site-packages/*.dist-info"))))
        seconds = time.monotonic() - began
        return LINE.format(done=done, total=total, lock=lock.name, seconds=seconds)

    for command in commands(lock):
        with TemporaryFile("w+", encoding="utf-8") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT)  # noqa: S603
            while process.poll() is None:
                if sys.stderr.isatty():
                    sys.stderr.write(f"\r\x1b[2K{line()}")
                    sys.stderr.flush()
                time.sleep(0.2)
            output.seek(0)
            log = output.read()
        if process.returncode:
            sys.stderr.write(
                f"\n{log}\nenvironment: {' '.join(command[:3])} ... failed, see above\n"
            )
            return process.returncode
    done = f"environment: {lock.name} installed in {time.monotonic() - began:.0f} s"
    sys.stderr.write("\r\x1b[2K" * sys.stderr.isatty() + f"{done}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
