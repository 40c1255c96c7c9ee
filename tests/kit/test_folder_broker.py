"""The broker of embedded mode: a folder of messages, several senders and several readers."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from evalhub.kit import folder_broker
from evalhub.kit.folder_broker import Channel

QUEUE = "evalhub"
Open = Callable[[], Channel]


@pytest.fixture
def open_channel(tmp_path: Path) -> Iterator[Open]:
    """Channels on one folder, each of a connection of its own."""
    opened: list[Connection] = []

    def make() -> Channel:
        transport = "evalhub.kit.folder_broker:Transport"
        options = {"folder": str(tmp_path)}
        opened.append(
            Connection("folder://localhost", transport=transport, transport_options=options)
        )
        return opened[-1].channel()

    yield make
    for connection in opened:
        connection.close()


def test_messages_come_out_in_their_order_and_leave_nothing(
    open_channel: Open, tmp_path: Path
) -> None:
    sender, reader = open_channel(), open_channel()
    for n in range(3):
        sender._put(QUEUE, {"n": n, "text": "ä"})
    sender._put("other", {"n": 9})
    assert reader._size(QUEUE) == 3
    assert [reader._get(QUEUE)["n"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Empty):
        reader._get(QUEUE)
    assert reader._purge("other") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b'{"body": "W1', b"\xff\xfe", b"[1]"])
def test_what_is_no_message_is_thrown_away(
    open_channel: Open, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / f"0_x.{QUEUE}.msg").write_bytes(content)
    channel = open_channel()
    channel._put(QUEUE, {"n": 1})
    assert channel._get(QUEUE) == {"n": 1}
    assert list(tmp_path.iterdir()) == []


def test_senders_and_readers_at_once_lose_double_and_break_nothing(
    open_channel: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    senders, each = 4, 150
    sent = threading.Event()

    def send(first: int) -> None:
        channel = open_channel()
        for n in range(first, first + each):
            channel._put(QUEUE, {"n": n, "pad": "x" * 20_000})

    def read() -> list[int]:
        channel, got = open_channel(), []
        while True:
            over = sent.is_set()
            try:
                got.append(channel._get(QUEUE)["n"])
            except Empty:
                if over:
                    return got

    with ThreadPoolExecutor(senders + 2) as pool, caplog.at_level(logging.WARNING):
        reading = [pool.submit(read) for _ in range(2)]
        list(pool.map(send, range(0, senders * each, each)))
        sent.set()
        got = [n for reader in reading for n in reader.result()]
    assert sorted(got) == list(range(senders * each))
    assert caplog.records == []
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_read_is_removed_by_the_next_sender(open_channel: Open, tmp_path: Path) -> None:
    channel = open_channel()
    channel._put(QUEUE, {"n": 1})
    (tmp_path / "0_x.partial").write_text("{")
    old = time.time() - folder_broker.STALE_SECONDS - 1
    for path in tmp_path.iterdir():
        os.utime(path, (old, old))
    channel._put(QUEUE, {"n": 2})
    assert len(list(tmp_path.iterdir())) == 1
    assert channel._get(QUEUE) == {"n": 2}


def test_a_message_that_could_not_be_written_leaves_nothing(
    open_channel: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        open_channel()._put(QUEUE, {"n": 1})
    assert list(tmp_path.iterdir()) == []
