"""A way between a server and what it needs that can be closed, or left open and silent."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class Between:
    """Passes connections on from a port of 127.0.0.1 to a port there, or to a socket in the file system.

    `state` is "open", "away" (nobody answers, what is under way is cut off) or "hung" (all is taken, nothing is passed on).
    """

    def __init__(self, target: int | str) -> None:
        self.target, self.state, self.port = target, "open", 0
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        listening = threading.Event()
        threading.Thread(target=self._run, args=(listening,), daemon=True).start()
        listening.wait(10)

    def be(self, state: str) -> None:
        """Change to another state."""
        asyncio.run_coroutine_threadsafe(self._be(state), self._loop).result(10)

    def _run(self, listening: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._flowing.set()
        listening.set()
        self._loop.run_forever()

    async def _be(self, state: str) -> None:
        self.state = state
        (self._flowing.clear if state == "hung" else self._flowing.set)()
        if state == "away":
            for one in list(self._open):
                one.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.state == "away":
                return
            await self._flowing.wait()
            there, back = await (asyncio.open_connection("127.0.0.1", self.target) if isinstance(self.target, int)
                                 else asyncio.open_unix_connection(self.target))
            self._open |= {writer, back}
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
            self._open -= {writer, back}
        except OSError:
            pass
        finally:
            writer.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()
        with suppress(OSError):
            sink.close()
