"""A transport for requests that hands a call to an application of this process."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Any

from flask import Flask
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict


class InProcess(BaseAdapter):
    """Answers every request from the application; no socket is opened."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._client = app.test_client()

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """The application's answer."""
        headers = [(name, value) for name, value in request.headers.items() if name != "Content-Length"]
        answer = self._client.open(
            request.path_url, method=request.method or "GET", headers=headers, data=request.body
        )
        response = Response()
        response.status_code = answer.status_code
        response.reason = HTTPStatus(answer.status_code).phrase
        response.headers = CaseInsensitiveDict(answer.headers.items())
        response.raw = BytesIO(answer.data)
        response.url = request.url or ""
        response.request = request
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Nothing is held open."""
