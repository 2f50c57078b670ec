"""The page: a Starlette application with templates rendered here and no script in the browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

import jinja2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hashbench.errors import InputError
from hashbench.parsing import in_number
from hashbench.serve.shelves import Ball, Shelf
from hashbench.serve.uploads import form_of, picture_of

#: Pictures a page of the gallery, and of one distance.
PAGE, MOST = 24, 60

#: Pixels of a thumbnail's longer side.
THUMBNAIL = 160

#: Radii one may choose.
RADII = (0, 1, 2, 3, 4)

#: Nothing is loaded from elsewhere, and nothing runs.
POLICY = "default-src 'none'; img-src 'self' data:; style-src 'self'; form-action 'self'"

Shelves = Mapping[tuple[str, int], Shelf]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Selection:
    """What the reader has chosen.

    Attributes:
        methods: the two methods, left and right.
        bits: code length.
        radius: Hamming radius.
    """

    methods: tuple[str, str]
    bits: int
    radius: int

    @property
    def link(self) -> dict[str, Any]:
        """As it is written into links."""
        left, right = self.methods
        return {"left": left, "right": right, "bits": self.bits, "radius": self.radius}


@dataclass(frozen=True)
class Side:
    """One half of the page.

    Attributes:
        method: its method.
        ball: what was found, or None.
        sentence: why nothing could be.
    """

    method: str
    ball: Ball | None
    sentence: str = ""


def application(shelves: Shelves, hosts: tuple[str, ...] = ("127.0.0.1", "localhost")) -> Starlette:
    """The application that serves shelves.

    Args:
        shelves: of indexes or of cells, by method and code length; at least one.
        hosts: names under which it answers: a page elsewhere that points its name here is refused.
    """
    page = _Page(shelves)
    routes = [
        Route("/", _guarded(page.gallery)),
        Route("/look", _guarded(page.look), methods=["GET", "POST"]),
        Route("/failures", _guarded(page.failures)),
        Route("/picture", _guarded(page.picture)),
        Route("/style.css", _guarded(page.style)),
    ]
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    return Starlette(routes=routes, middleware=[guard])


def _guarded(endpoint: Endpoint) -> Endpoint:
    """Bad input is one sentence on a page; every answer has the headers that close it off."""

    async def call(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except InputError as error:
            response = _html("error.html", 400, sentence=str(error))
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return call


class _Page:
    def __init__(self, shelves: Shelves) -> None:
        self.shelves = shelves
        floors = {method: shelf.floor for (method, _), shelf in shelves.items()}
        self.methods = sorted(floors, key=lambda method: (floors[method], method))
        self.lengths = sorted({bits for _, bits in shelves})

    async def gallery(self, request: Request) -> Response:
        choice = self._choice(request.query_params)
        shelf = self._any(choice)
        names = shelf.queries.ids
        pages = max(1, -(-len(names) // PAGE))
        page = min(max(_whole(request.query_params.get("page"), 1), 1), pages)
        return self._show(
            "gallery.html",
            choice,
            shelf=shelf,
            names=names[(page - 1) * PAGE : page * PAGE],
            page=page,
            pages=pages,
            total=len(names),
        )

    async def look(self, request: Request) -> Response:
        if request.method == "POST":
            form = await form_of(request)
            choice = self._choice({key: str(value) for key, value in form.items()})
            image, name = await picture_of(form), ""
        else:
            choice = self._choice(request.query_params)
            name = request.query_params.get("query", "")
            image = await run_in_threadpool(self._any(choice).picture, name)
        sides = [
            await run_in_threadpool(self._side, m, choice, image, name) for m in choice.methods
        ]
        return self._show(
            "look.html",
            choice,
            sides=sides,
            name=name,
            query=_inline(image),
            classes=self._classes(choice, name),
        )

    async def failures(self, request: Request) -> Response:
        choice = self._choice(request.query_params)
        shelf = self.shelves.get((choice.methods[0], choice.bits))
        if shelf is None:
            raise InputError(
                f"{choice.methods[0]} has no codes of {choice.bits} bits: choose another"
            )
        found = await run_in_threadpool(shelf.failures, choice.radius)
        return self._show(
            "failures.html", choice, shelf=shelf, failures=found[:PAGE], count=len(found)
        )

    async def picture(self, request: Request) -> Response:
        shelf = self._any(self._choice(request.query_params))
        image = await run_in_threadpool(shelf.picture, request.query_params.get("name", ""))
        return Response(
            _thumbnail(image),
            media_type="image/png",
            headers={"Cache-Control": "private, max-age=600"},
        )

    async def style(self, _request: Request) -> Response:
        text = (files("hashbench.serve") / "templates" / "style.css").read_text("utf-8")
        return Response(text, media_type="text/css")

    def _choice(self, given: Mapping[str, str]) -> Selection:
        left = given.get("left", self.methods[0])
        others = [method for method in self.methods if method != left]
        right = given.get("right", (others or [left])[-1])
        for method in (left, right):
            if method not in self.methods:
                raise InputError("there is no such method here: choose one of the list")
        bits = _whole(given.get("bits"), self.lengths[-1])
        radius = _whole(given.get("radius"), 2)
        if bits not in self.lengths or radius not in RADII:
            raise InputError("there is no such code length or radius here: choose one of the list")
        return Selection((left, right), bits, radius)

    def _any(self, choice: Selection) -> Shelf:
        """An index of the chosen ones, for the pictures themselves."""
        for method in choice.methods:
            if (method, choice.bits) in self.shelves:
                return self.shelves[method, choice.bits]
        return next(shelf for (_, bits), shelf in self.shelves.items() if bits == choice.bits)

    def _classes(self, choice: Selection, name: str) -> list[str]:
        shelf = self._any(choice)
        if not name:
            return []
        entries, row = shelf.place(name)
        return entries.classes_of(row)

    def _side(self, method: str, choice: Selection, image: NDArray[np.uint8], name: str) -> Side:
        shelf = self.shelves.get((method, choice.bits))
        if shelf is None:
            return Side(method, None, f"There are no codes of {method} at {choice.bits} bits.")
        try:
            ball = shelf.look(name, choice.radius) if name else shelf.look_at(image, choice.radius)
        except InputError as error:
            return Side(method, None, str(error))
        return Side(method, ball)

    def _show(self, template: str, choice: Selection, **values: Any) -> Response:
        return _html(
            template,
            choice=choice,
            methods=self.methods,
            lengths=self.lengths,
            radii=RADII,
            most=MOST,
            **values,
        )


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hashbench.serve", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # A file's name may hold what is no UTF-8; such a link leads nowhere, and breaks nothing.
    environment.globals["in_number"] = in_number
    environment.filters["query"] = lambda values: urlencode(values, errors="replace")
    return environment


def _html(template: str, status: int = 200, **values: Any) -> Response:
    body = _templates().get_template(template).render(**values)
    return Response(body.encode("utf-8", "replace"), status, media_type="text/html")


def _thumbnail(image: NDArray[np.uint8]) -> bytes:
    picture = Image.fromarray(image)
    if max(picture.size) > THUMBNAIL:
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _inline(image: NDArray[np.uint8]) -> str:
    return "data:image/png;base64," + base64.b64encode(_thumbnail(image)).decode()


def _whole(text: str | None, default: int) -> int:
    if text is None:
        return default
    return int(text) if text.isdecimal() and len(text) < 6 else -1
