"""Reading a file of another program in a process of its own: hostile until shown otherwise, bounded in memory and time.

The process is forked, so that it has the plugins of this one, and tells what it reads over a socket. It never uses the
database. A server with threads forks a reader before it has them (`start`), which forks in turn for each file: a process
that is forked while another thread holds a lock would wait for it for ever.

Each message is its kind (a letter), a number of records, the length of what follows, and that. Edits are written to a file in the
folder of what is read, one a line; of each only its length is told, so that whoever reads need not wait for whoever writes.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import select
import shutil
import signal
import socket
import sqlite3
import struct
import tempfile
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol

from flask import Flask

from core.archive.canonical import NotCanonical
from core.base.db import db
from core.base.errors import AppkeepError, ImportFailed, TookTooLong
from core.extension.field_type import Definition
from core.extension.importer import Corrections
from core.imports.staging import Tally, file_value, line_of
from core.server import server

LOOK_S = 0.5
"""So often whoever waits for a file looks whether to go on waiting."""
MOST_TIMES, MOST_BESIDES_BYTES = 200, 2**28
"""A file's edits may take so many times its size, and so much besides: a text that is written once can be repeated in each record."""
GATHER_S, FEW_BYTES = 0.05, 64 * 1024
"""So long more edits are waited for where those that are there have fewer bytes together."""
READY_S = 10
MOST_FORKS = 4
"""A process that does not say in time that it is ready is ended, and another one forked; the last one is waited for."""
NICE = 5
"""Who reads files stands back behind who serves pages."""
EDITS = "edits"
"""The file of edits in the folder of what is read."""
_HEAD, _SIZE = struct.Struct(">cIQ"), struct.Struct(">Q")
_reader: _Reader | None = None
_left: list[object] = []
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """Which file is read how; `folder` is an empty one for what is read of it. Without *edits* only their numbers are told."""

    importer: str
    path: str
    app_name: str | None
    stem: str
    person: str
    corrections: Corrections
    folder: str
    edits: bool
    memory_bytes: int
    time_s: float

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(self.path).name

    @property
    def size_bytes(self) -> int:
        """How large the file is, with what lies beside it; 0 for what is no file."""
        path = Path(self.path)
        return sum(one.stat().st_size for one in path.parent.glob(f"{path.stem}.*") if one.is_file())


@dataclass
class Heard:
    """What came of reading a file: how many "documents" and "records" its edits make, and which documents."""

    counts: Counter[str] = field(default_factory=Counter)
    outline: list[dict[str, Any]] = field(default_factory=list)


class Hears(Protocol):
    """Whoever has a file read, and hears of it."""

    def file(self, path: Path) -> str:
        """Take a file that the importer made, and return the digest of its content."""

    def show(self, guesses: dict[str, Any]) -> None:
        """See `ImportContext.show`."""

    def note(self, what: str, name: str, reason: str) -> None:
        """See `ImportContext.unsupported`."""

    def watch(self) -> None:
        """Hear now and then that it goes on; what this raises ends the reading."""


class Reading:
    """A file that is being read: the `edits` that are there, and, once it is read, what came of it in `made`."""

    def __init__(self, asked: Asked, channel: _Channel, written: BinaryIO | None, heard: Hears) -> None:
        self.made: Heard | None = None
        self.records = 0
        """How many were read so far."""
        self._asked, self._channel, self._written, self._heard = asked, channel, written, heard
        self._begun, self._told, self._bytes, self._ready = time.monotonic(), deque[int](), 0, 0
        self._most = MOST_TIMES * asked.size_bytes + MOST_BESIDES_BYTES

    def listen(self) -> None:
        """Take in what was said meanwhile; wait where no edit is there, until one is or the file is read.

        Where only small ones are there, more are waited for a moment: each time that edits are done costs a commit.

        Raises:
            ImportFailed: the file is not what it claims to be, or needs more memory than it may.
            TookTooLong: it needs more time.
        """
        until = time.monotonic() + GATHER_S
        while self.made is None and (not self._told or self._channel.is_said(until if self._ready < FEW_BYTES else 0)):
            self._take(self._channel.message(self._heard.watch))

    def edits(self) -> Iterator[bytes]:
        """Yield the edits that are there, as lines of JSON, until none is left."""
        while self._told and self._written is not None:
            size = self._told.popleft()
            self._ready -= size
            line = self._written.read(size)
            if len(line) != size:
                raise self._stopped()
            yield line

    def _take(self, message: tuple[bytes, int, bytes] | None) -> None:
        if message is None:
            raise self._stopped()
        kind, count, said = message
        self.records += count
        if kind == b"E":
            self._take_edit(*_SIZE.unpack(said))
        elif kind == b"F":
            self._channel.answer(self._heard.file(Path(self._asked.folder, Path(said.decode()).name)))  # never a path from there
        elif kind == b"S":
            self._heard.show(json.loads(said))
        elif kind == b"N":
            self._heard.note(*json.loads(said))
        elif kind == b"D":
            ended = json.loads(said)
            self.made = Heard(Counter(ended["counts"]), ended["outline"])
        elif kind == b"X":
            raise _refusal(json.loads(said), self._asked)
        self._heard.watch()

    def _take_edit(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._most:
            raise ImportFailed(f"{self._asked.name} would become more than {self._most // 10**6} MB of data, far more than the file "
                               "holds. Leave long repeated texts out, or split the file.")
        self._told.append(size)
        self._ready += size

    def _stopped(self) -> AppkeepError:
        if time.monotonic() - self._begun >= self._asked.time_s - LOOK_S:
            return TookTooLong(f"{self._asked.name} takes longer than {self._asked.time_s:.0f} seconds to read. "
                               "Split it into smaller files.")
        return ImportFailed(f"{self._asked.name} cannot be read: the process that read it stopped. Try again, or split the file.")


@contextmanager
def reading(asked: Asked, heard: Hears) -> Iterator[Reading]:
    """Have a file read while the block runs; what is left of it then is not read."""
    with ExitStack() as stack:
        written = None
        if asked.edits:
            path = Path(asked.folder, EDITS)
            path.touch(exist_ok=False)
            written = stack.enter_context(path.open("rb"))
        yield Reading(asked, stack.enter_context(_opened(asked)), written, heard)


def _refusal(said: Mapping[str, Any], asked: Asked) -> AppkeepError:
    if said["broke"]:
        log.error("The importer %s failed:\n%s", asked.importer, said["broke"])
    kinds: list[type[AppkeepError]] = [AppkeepError]
    for kind in kinds:
        if kind.__name__ == said["class"]:
            return kind(said["message"], **said["details"])
        kinds += kind.__subclasses__()
    return ImportFailed(said["message"])


def start(app: Flask) -> None:
    """Fork the process that forks for each file, before this one has threads; it ends when this one does."""
    global _reader
    _reader = _Reader(app)


class _Reader:
    """A process without threads that forks one for each socket that it is sent."""

    def __init__(self, app: Flask) -> None:
        self._control, theirs = socket.socketpair()
        self._lock = threading.Lock()
        if os.fork() == 0:
            try:
                self._control.close()
                self._fork_for_each(app, theirs)
            except Exception:
                log.exception("The process that reads files has failed")
            finally:
                os._exit(0)
        theirs.close()

    def ask(self, theirs: socket.socket) -> None:
        """Start a process that serves a socket.

        Raises:
            OSError: the reader is gone.
        """
        with self._lock:
            socket.send_fds(self._control, [b"f"], [theirs.fileno()])

    @staticmethod
    def _fork_for_each(app: Flask, control: socket.socket) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts both; this one ends after the server
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            said, descriptors, *_ = socket.recv_fds(control, 1, 1)
            if not said:
                return
            if os.fork() == 0:
                control.close()
                with app.app_context():
                    _serve(socket.socket(fileno=descriptors[0]))
            os.close(descriptors[0])


@contextmanager
def _opened(asked: Asked) -> Iterator[_Channel]:
    """Give the channel to a process that reads a file, gone when the block ends."""
    for attempt in range(MOST_FORKS):
        with _forked(asked, patience=READY_S if attempt < MOST_FORKS - 1 else asked.time_s) as channel:
            if channel is not None:
                yield channel
                return
        log.warning("A process that should read a file was forked at a bad moment and hangs; another one is forked")


@contextmanager
def _forked(asked: Asked, patience: float) -> Iterator[_Channel | None]:
    """Give the channel to one process that reads a file; None where it was not ready in time, and so never will be.

    Another thread of this process, that of a run's lease, may hold a lock of a library (SQLite's, of its memory) when it is forked.
    """
    ours, theirs = socket.socketpair()
    child = pid = 0
    with ours:
        if not _reader_takes(theirs):
            child = os.fork()
            if child == 0:
                ours.close()
                _serve(theirs)
        theirs.close()
        channel = _Channel(ours)
        try:
            channel.tell(b"A", _json({**vars(asked), "corrections": asked.corrections.as_dict()}))
            try:
                pid = channel.number(time.monotonic() + patience)
            except TimeoutError:
                yield None
            else:
                yield channel
        finally:
            with suppress(ProcessLookupError):
                if child or pid:
                    os.kill(child or pid, signal.SIGKILL)
            if child:
                os.waitpid(child, 0)


def _reader_takes(theirs: socket.socket) -> bool:
    if _reader is None:
        return False
    try:
        _reader.ask(theirs)
    except OSError as error:
        log.error("The process that reads files is gone (%s). Restart this server.", error)
        return False
    return True


class _Channel:
    """Messages over a socket. What is said to a process that is gone is not heard, and nothing comes from there."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._waiting, self._poll = connection, bytearray(), select.poll()
        self._poll.register(connection, select.POLLIN)
        connection.settimeout(LOOK_S)

    def tell(self, kind: bytes, said: bytes, count: int = 0) -> None:
        """Send a message, as soon as the other side takes it."""
        left = memoryview(_HEAD.pack(kind, count, len(said)) + said)
        while left:
            try:
                left = left[self._connection.send(left):]
            except TimeoutError:
                continue
            except ConnectionError:
                return

    def message(self, look: Callable[[], None] = lambda: None) -> tuple[bytes, int, bytes] | None:
        """Return the next message, None where the other side is gone; *look* is called while there is none."""
        if (head := self._taken(_HEAD.size, look)) is None:
            return None
        kind, count, size = _HEAD.unpack(head)
        said = self._taken(size, look)
        return None if said is None else (kind, count, said)

    def is_said(self, until: float) -> bool:
        """Say whether a message has begun to come, or the other side is gone; wait for that until a moment of the monotonic clock."""
        return bool(self._waiting) or bool(self._poll.poll(1000 * max(0, until - time.monotonic())))

    def answer(self, said: str) -> None:
        """Answer what was asked."""
        self.tell(b"=", said.encode())

    def number(self, until: float) -> int:
        """Return the number of the process on the other side, 0 where it is gone.

        Raises:
            TimeoutError: it has not told until a moment of the monotonic clock.
        """
        def look() -> None:
            if time.monotonic() > until:
                raise TimeoutError

        told = self.message(look)
        return 0 if told is None else int(told[2])

    def _taken(self, size: int, look: Callable[[], None]) -> bytes | None:
        while len(self._waiting) < size:
            try:
                some = self._connection.recv(1024 * 1024)
            except TimeoutError:
                look()
                continue
            except ConnectionError:
                return None
            if not some:
                return None
            self._waiting += some
        taken = bytes(self._waiting[:size])
        del self._waiting[:size]
        return taken


# In the process that reads.


def _serve(connection: socket.socket) -> NoReturn:
    """Read the file that is asked for over a socket, tell what is in it, and end."""
    try:
        channel = _Channel(connection)
        told = channel.message()
        if told is not None:
            given = json.loads(told[2])
            _answer(Asked(**{**given, "corrections": Corrections.of(given["corrections"])}), channel)
    finally:
        os._exit(0)  # nothing of the process that was forked is tidied here


def _answer(asked: Asked, channel: _Channel) -> None:
    _bound(asked)
    sqlite3.connect(":memory:").close()  # hangs here, and not later, where its lock was held when this process was forked
    channel.tell(b"=", str(os.getpid()).encode())
    try:
        channel.tell(b"D", _json(_told(asked, channel)))
    except AppkeepError as error:
        _refuse(channel, error)
    except (NotCanonical, UnicodeDecodeError, RecursionError) as error:
        _refuse(channel, ImportFailed(f"{asked.name} cannot be read: {error}"))
    except MemoryError:
        _refuse(channel, ImportFailed(f"{asked.name} needs more than {asked.memory_bytes // 10**6} MB of memory to read. "
                                      "Split it into smaller files."))
    except Exception:
        # Importers are plugins and files are hostile: whatever they raise, the answer is that this file cannot come in.
        _refuse(channel, ImportFailed(f"{asked.name} cannot be read. The server's log has the details."), traceback.format_exc())


def _refuse(channel: _Channel, error: AppkeepError, broke: str = "") -> None:
    channel.tell(b"X", _json({"class": type(error).__name__, "message": error.message, "details": error.details, "broke": broke}))


def _bound(asked: Asked) -> None:
    """Leave the database to whom it belongs, and let this process be ended when it takes too much."""
    sessions = db.session.registry.registry
    _left.extend((dict(sessions), db.engine))  # kept, so that nobody ends what they hold
    sessions.clear()
    db.engine.dispose(close=False)
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, asked.time_s)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError):  # not every system tells, or lets it be bounded
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + asked.memory_bytes,) * 2)
    os.nice(NICE)
    tempfile.tempdir = asked.folder  # whoever asked removes what an ended process leaves


def _told(asked: Asked, channel: _Channel) -> dict[str, Any]:
    """Tell the edits of a file, and return what they make."""
    tally, context = Tally(), _Context(asked, channel)
    with Path(asked.folder, EDITS).open("ab") if asked.edits else nullcontext() as written:
        for edit, records in tally.counted(server().registry.importers[asked.importer].operations(Path(asked.path), context)):
            if written is None:
                channel.tell(b"P", b"", records)
                continue
            line = line_of(edit)
            written.write(line)
            written.flush()
            channel.tell(b"E", _SIZE.pack(len(line)), records)
    return {"counts": tally.counts, "outline": list(tally.outline.values())}


class _Context:
    """What an importer works with; see `core.extension.importer.ImportContext`."""

    def __init__(self, asked: Asked, channel: _Channel) -> None:
        self.app_name, self.stem, self.person, self.corrections = asked.app_name, asked.stem, asked.person, asked.corrections
        self._channel, self._folder, self._files = channel, Path(asked.folder), 0

    def show(self, guesses: Mapping[str, Any]) -> None:
        self._channel.tell(b"S", _json(guesses))

    def put_file(self, stream: BinaryIO, name: str, media_type: str | None = None) -> dict[str, Any]:
        self._files += 1
        path = self._folder / f"file-{self._files}"
        with path.open("xb") as file:
            shutil.copyfileobj(stream, file, 1024 * 1024)
            size = file.tell()
        self._channel.tell(b"F", path.name.encode())
        told = self._channel.message()
        return file_value("" if told is None else told[2].decode(), size, name, media_type)

    def check_field(self, definition: Definition) -> None:
        server().registry.hook.check_field(definition=definition)

    def unsupported(self, what: str, name: str, reason: str) -> None:
        self._channel.tell(b"N", _json([what, name, reason]))


def _json(value: object) -> bytes:
    return json.dumps(value, default=str).encode()
