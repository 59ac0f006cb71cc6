"""Which account a server runs as, and what that account can reach.

PostgreSQL refuses to run as root. Root starts it as `nobody`; folders that are not ours stay as they are.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """The account of a server: `name` is None when it is the one we run as."""

    name: str | None = None

    @classmethod
    def unprivileged(cls) -> Account:
        """Our own account, or `nobody` when we are root."""
        return cls("nobody" if os.geteuid() == 0 else None)

    def give(self, path: Path) -> None:
        """Make the account own a file or folder of ours."""
        if self.name:
            entry = pwd.getpwnam(self.name)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end as the account; its error output is part of its output."""
        entry = pwd.getpwnam(self.name) if self.name else None
        return subprocess.run(
            argv,
            user=entry.pw_uid if entry else None,
            group=entry.pw_gid if entry else None,
            extra_groups=[] if entry else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def reaches(self, folder: Path) -> bool:
        """Whether the account may go into a folder (a 0700 folder above it, /root say, forbids it)."""
        return not self.name or self.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]).returncode == 0


def private_folder(prefix: str, account: Account, where: str | None = None) -> Path:
    """New folder, 0700, of the account; with a short path, as a socket's may have about 100 characters."""
    parent = where or ("/tmp" if os.access("/tmp", os.W_OK) else None)  # noqa: S108 - mkdtemp makes it ours alone
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    account.give(folder)
    return folder


def reachable_home(wanted: Path, account: Account) -> Path:
    """The folder `wanted`, or when the account cannot reach it, one in /var/tmp.

    The other folder's name is written to `<wanted>.location`, so that the next start finds the same data.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if account.reaches(wanted.parent):
        wanted.mkdir(mode=0o700, exist_ok=True)
        account.give(wanted)
        return wanted
    note = wanted.with_name(wanted.name + ".location")
    if note.exists() and (known := Path(note.read_text().strip())).is_dir():
        return known
    home = private_folder("rmm-data-", account, where="/var/tmp")  # noqa: S108 - survives a restart of the machine
    note.write_text(f"{home}\n")
    return home


def reachable_copy(folders: list[Path], account: Account, target: Path) -> Path:
    """The first folder; when the account cannot reach it, its copy in `target` beside those of the others."""
    if account.reaches(folders[0]):
        return folders[0]
    root = Path(os.path.commonpath([folder.parent for folder in folders]))
    for folder in folders:
        shutil.copytree(folder, target / folder.relative_to(root), symlinks=True, dirs_exist_ok=True)
    return target / folders[0].relative_to(root)
