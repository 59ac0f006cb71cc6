"""The supervisor with stand-in programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from reference_psa.local.ports import free_port
from reference_psa.local.programs import Program
from reference_psa.local.supervisor import Supervisor
from tests.harness.wait import until

ENV = dict(os.environ)


class Log(list[tuple[str, str]]):
    """Collects what programs say."""

    def __call__(self, name: str, line: str) -> None:
        self.append((name, line))


def python(name: str, source: str, *arguments: str, ready_url: str | None = None) -> Program:
    return Program(name, (sys.executable, "-u", "-c", source, *arguments), ENV, ready_url)


def test_lines_carry_the_name_of_their_program(tmp_path: Path) -> None:
    log = Log()
    supervisor = Supervisor([], log, tmp_path)
    code = supervisor.run_once(
        python("init", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    )
    assert (code, log) == (3, [("init", "out"), ("init", "err")])


def test_dead_program_is_started_again_and_said_once(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    log = Log()
    program = python("moody", "import sys; open(sys.argv[1], 'a').write('x')", str(marks))
    supervisor = Supervisor([program], log, tmp_path, first_pause=0, longest_pause=0)
    supervisor.start()

    def fourth_start() -> bool:
        supervisor.tend()
        return marks.exists() and len(marks.read_text()) >= 4

    until(fourth_start, "four starts")
    supervisor.stop()
    assert log == [("moody", "ended with code 0; it is started again until it stays up")]


def test_pauses_grow(tmp_path: Path) -> None:
    supervisor = Supervisor([python("short", "")], Log(), tmp_path, first_pause=1000, longest_pause=3000)
    supervisor.start()
    running = supervisor._running[0]

    def down() -> bool:
        supervisor.tend()
        return running.process is None

    pauses = []
    for _ in range(4):
        until(down, "the end of the program")
        pauses.append(round((running.due - running.started) / 1000))
        running.due = 0
        supervisor.tend()
    supervisor.stop()
    assert pauses == [1, 2, 3, 3]


def test_readiness_is_asked_for(tmp_path: Path) -> None:
    port = free_port()
    server = python(
        "web",
        "import http.server as h, sys; "
        "h.HTTPServer(('127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()",
        str(port),
        ready_url=f"http://127.0.0.1:{port}/",
    )
    silent = python("silent", "import time; time.sleep(600)", ready_url=f"http://127.0.0.1:{free_port()}/")
    supervisor = Supervisor([server], Log(), tmp_path)
    supervisor.start()
    assert supervisor.wait_ready(20) == []
    supervisor.stop()
    supervisor = Supervisor([silent], Log(), tmp_path)
    supervisor.start()
    assert supervisor.wait_ready(0.2) == ["silent"]
    supervisor.stop()
