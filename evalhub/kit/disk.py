"""What a full disk looks like, and uploads that leave nothing on one."""

from __future__ import annotations

import contextlib
import errno

from django.core.files.uploadhandler import TemporaryFileUploadHandler


def is_full(error: object) -> bool:
    """Whether an exception says that nothing more can be written."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class UploadHandler(TemporaryFileUploadHandler):
    """Removes a file at once that could not be written whole, instead of some time later: what
    there is of it fills the disk."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            self.file.write(raw_data)
        except OSError:
            with contextlib.suppress(OSError):
                self.file.close()
            raise
