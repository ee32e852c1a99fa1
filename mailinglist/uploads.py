"""How large a file may be that comes in through the browser. The first of FILE_UPLOAD_HANDLERS."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest


class SizeLimit(FileUploadHandler):
    """Lets nothing of a file reach the disk beyond IMPORT_MAX_MB. The view finds no file, and ``too_large`` says why."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > settings.IMPORT_MAX_MB * 1_000_000:
            request: Any = self.request
            request.file_was_too_large = True
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def too_large(request: HttpRequest) -> bool:
    """Whether a file of this request was refused for its size. Ask after ``request.POST`` was read."""
    return getattr(request, "file_was_too_large", False)
