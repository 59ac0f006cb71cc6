"""Runs programs side by side: one log, restarts with back-off, one end for all."""

from __future__ import annotations

import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from reference_psa.local.guarded import Command, Guarded
from reference_psa.local.programs import Program

Say = Callable[[str, str], None]
"""Takes the name of a program and one line of its log."""


@dataclass
class Running:
    """A program, its process and its record of deaths."""

    program: Program
    process: Guarded | None = None
    reader: threading.Thread | None = None
    started: float = 0.0
    deaths: int = 0
    """Deaths in a row, without a steady time between them."""
    due: float = 0.0
    """When to start it again."""


@dataclass
class Supervisor:
    """Keeps programs running. All methods are for one thread."""

    programs: Iterable[Program]
    say: Say
    folder: Path
    """Working folder of the programs."""
    first_pause: float = 1.0
    longest_pause: float = 30.0
    steady: float = 30.0
    """Seconds after which a program counts as recovered."""
    _running: list[Running] = field(default_factory=list)

    def start(self) -> None:
        """Start every program."""
        for program in self.programs:
            running = Running(program)
            self._running.append(running)
            self._launch(running)

    def wait_ready(self, seconds: float) -> list[str]:
        """Wait until every program with a ready address answers; return the names of those that do not."""
        waiting = [running.program for running in self._running if running.program.ready_url]
        deadline = time.monotonic() + seconds
        while waiting and time.monotonic() < deadline:
            self.tend()
            waiting = [program for program in waiting if not answers(program.ready_url)]
            time.sleep(0.05 if waiting else 0)
        return [program.name for program in waiting]

    def tend(self) -> None:
        """Start again what has died and is due."""
        now = time.monotonic()
        for running in self._running:
            if running.process is None:
                if now >= running.due:
                    self._launch(running)
            elif (code := running.process.poll()) is not None:
                self._note_death(running, code)
            elif running.deaths and now - running.started > self.steady:
                running.deaths = 0
                self.say(running.program.name, "is running steadily again")

    def run(self, pause: float = 0.2) -> None:
        """Tend for ever; only an exception (KeyboardInterrupt) ends it."""
        while True:
            self.tend()
            time.sleep(pause)

    def stop(self) -> None:
        """End every program, all at once, and wait for them."""
        alive = [running for running in self._running if running.process is not None]
        for running in alive:
            if running.process is not None:
                running.process.request_stop()
        for running in alive:
            self._collect(running)
        self._running.clear()

    def run_once(self, program: Program) -> int:
        """Run a program to its end; return its exit code."""
        running = Running(program)
        self._launch(running)
        if running.process is None:
            return 127
        while (code := running.process.poll()) is None:
            time.sleep(0.02)
        self._collect(running)
        return code

    def _launch(self, running: Running) -> None:
        program = running.program
        command = Command(program.argv, env=program.env, cwd=self.folder, grace=program.grace)
        running.process = Guarded(command, subprocess.PIPE)
        running.started = time.monotonic()
        running.reader = threading.Thread(
            target=self._copy_log, args=(program.name, running.process), daemon=True
        )
        running.reader.start()

    def _copy_log(self, name: str, process: Guarded) -> None:
        for line in process.stdout or ():
            self.say(name, line.decode(errors="replace").rstrip())

    def _note_death(self, running: Running, code: int) -> None:
        self._collect(running)
        pause = min(self.first_pause * 2**running.deaths, self.longest_pause)
        running.due = time.monotonic() + pause
        running.deaths += 1
        if running.deaths == 1:
            self.say(running.program.name, f"ended with code {code}; it is started again until it stays up")

    def _collect(self, running: Running) -> None:
        """Wait for the end of process and log."""
        process, running.process = running.process, None
        if process is None:
            return
        process.wait()
        if running.reader is not None:
            running.reader.join()  # the guard has ended all that could still write
        process.collect()


def answers(url: str | None) -> bool:
    """Whether a web server answers there, whatever it says."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(str(url), timeout=2).close()
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, ValueError):
        return False
    return True
