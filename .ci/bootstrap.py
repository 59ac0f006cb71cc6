"""Make `.venv` ready: the locked packages and this project, with nothing but Python and pip.

Does nothing when the lock, pyproject.toml and the interpreter are those of the last time. Safe to interrupt
(an unfinished installation is made anew) and safe to run twice at once (the second waits for the first).

Runs on the standard library alone; parses on Python 3.6, so that an old interpreter is told what is missing.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no flock; two bootstraps at once are not guarded there.
    fcntl = None  # type: ignore[assignment]

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
LOCK = PROJECT / ".ci" / "requirements.txt"
OLDEST, NEWEST = (3, 11), (3, 13)
UNFINISHED = VENV / ".unfinished"
STAMP = VENV / ".stamp"
HELD = []  # descriptor of the lock; children get it, so a pip left by a killed bootstrap still holds it


class Failure(Exception):
    """Something a person has to put right; the text says what."""


def main():
    """Return the exit code."""
    try:
        if ready():
            return 0
        switch_interpreter()
        with alone():
            if not ready():
                build()
    except Failure as failure:
        print("bootstrap: %s" % failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbootstrap: interrupted; the next start goes on from here", file=sys.stderr)
        return 130
    return 0


def say(text):
    """One line of progress."""
    print("bootstrap: %s" % text, flush=True)


def ready():
    """Whether the stamp of the last complete installation is that of today's files."""
    try:
        return not UNFINISHED.exists() and python().exists() and STAMP.read_text() == fingerprint()
    except (OSError, Failure):
        return False


def fingerprint():
    """Hash of all that decides what is installed, the interpreter in the environment included."""
    digest = hashlib.sha256()
    for part in (LOCK, PROJECT / "pyproject.toml", VENV / "pyvenv.cfg"):
        digest.update(part.read_bytes() + b"\0")
    digest.update(str(PROJECT).encode())  # an editable installation points at its folder
    return digest.hexdigest()


def python():
    """The interpreter inside the environment."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def switch_interpreter():
    """Go on in a supported Python when this one is not; leave with a sentence when there is none."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    other = find_interpreter()
    if other:
        say("python3 is %d.%d here; going on with %s" % (*sys.version_info[:2], other))
        os.execv(other, [other, str(Path(__file__).resolve())])
    if sys.version_info[:2] < OLDEST:
        raise Failure(
            "this project needs Python 3.11, 3.12 or 3.13, and this is %d.%d. Install one of them "
            "(or name one: make test PYTHON=/path/to/python3.12)." % sys.version_info[:2]
        )
    say("Python %d.%d is newer than what this project is tested with (3.11 to 3.13)" % sys.version_info[:2])


def find_interpreter():
    """Path of a supported Python on PATH, or None."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        path = shutil.which("python3.%d" % minor)
        # A pyenv shim exists for versions that are not active, and then fails: ask it.
        if (
            path
            and subprocess.call([path, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
        ):
            return path
    return None


@contextmanager
def alone():
    """Hold the lock of the environment; wait for another bootstrap that holds it."""
    VENV.mkdir(exist_ok=True)
    with open(VENV / ".lock", "w") as handle:
        if fcntl:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say("another bootstrap is at work here; waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
            HELD.append(handle.fileno())
        yield
        HELD.clear()


def build():
    """Make what is missing. The stamp comes last, so that an interrupted run is seen as such."""
    if UNFINISHED.exists() or not usable():
        clear()
        create()
    UNFINISHED.touch()
    pip = find_pip()
    say("installing %d locked packages" % len(re.findall(r"^[A-Za-z0-9]", LOCK.read_text(), re.M)))
    install(pip, "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK))
    say("installing the project")
    install(pip, "--no-deps", "--no-build-isolation", "-e", str(PROJECT))
    STAMP.write_text(fingerprint())
    UNFINISHED.unlink()
    say("ready")


def usable():
    """Whether there is an environment whose interpreter runs and is supported."""
    if not python().exists() or not (VENV / "pyvenv.cfg").exists():
        return False
    test = "import sys; sys.exit(sys.version_info[:2] < (3, 11) or sys.prefix == sys.base_prefix)"
    return subprocess.call([str(python()), "-c", test], stderr=subprocess.DEVNULL) == 0


def clear():
    """Empty the environment, all but the lock file that we hold."""
    for entry in VENV.iterdir():
        if entry.name == ".lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(str(entry))
        else:
            entry.unlink()


def create():
    """Make the environment, without pip where this Python cannot bring it."""
    say("making .venv with Python %d.%d" % sys.version_info[:2])
    UNFINISHED.touch()
    command = [sys.executable, "-m", "venv"]
    if run([*command, str(VENV)]).returncode == 0:
        return
    bare = run([*command, "--without-pip", str(VENV)])
    if bare.returncode:
        raise Failure(
            "`python3 -m venv` does not work here: %s\nOn Debian and Ubuntu: apt-get install python3-venv"
            % (bare.stdout.strip().splitlines() or ["no reason given"])[-1]
        )


def find_pip():
    """The command of a pip that installs into the environment."""
    inside = [str(python()), "-m", "pip"]
    if works(inside):
        return inside
    for outside in ([sys.executable, "-m", "pip"], ["pip3"], ["pip"]):
        command = [*outside, "--python", str(python())]
        if works(command):
            say("this Python brings no pip into .venv; using the one of the system")
            return command
    raise Failure(
        "there is no pip: neither ensurepip nor a pip of 22.3 or newer was found. "
        "On Debian and Ubuntu: apt-get install python3-venv (or python3-pip)"
    )


def works(pip):
    """Whether that pip answers."""
    try:
        return run([*pip, "--version"]).returncode == 0
    except OSError:
        return False


def install(pip, *arguments):
    """Run one `pip install`; its output is shown only when it fails."""
    done = run([*pip, "install", "--quiet", "--no-input", "--disable-pip-version-check", *arguments])
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        raise Failure("pip could not install (see above)")


def run(command):
    """Run a command with an environment in which nothing redirects pip out of the virtual environment."""
    astray = {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "__PYVENV_LAUNCHER__"}
    env = {name: value for name, value in os.environ.items() if name not in astray}
    env["PIP_USER"] = "0"
    # Old enough for Python 3.6: no capture_output, no text.
    return subprocess.run(
        command,
        cwd=str(PROJECT),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        pass_fds=HELD,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
