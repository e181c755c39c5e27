"""A stand-in for Discord on a loopback port, which a bot in another process can't tell from Discord.

It has the routes that the bot uses, and keeps what Discord would keep: messages survive the end of the bot. It is
strict where a restart could go wrong: an interaction is acknowledged once, and within three seconds; a token belongs to
its interaction and expires.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bench.crash.gateway import Gateway
from bench.crash.world import (
    EPHEMERAL,
    INTERACTION_TYPES,
    LOADING,
    SECONDS_OF_A_TOKEN,
    SECONDS_TO_ACKNOWLEDGE,
    File,
    Interaction,
    Json,
    Message,
    Person,
    Place,
    World,
)

_API = "/api/v10"
_LARGEST_UPLOAD = 50 * 2**20
_SEARCHED = 50

_MESSAGE, _DEFERRED_MESSAGE, _DEFERRED_UPDATE = 4, 5, 6
"""Kinds of responses to an interaction: a message, a promise of one, and none as yet, for a press."""

Answer = Json | list[Json] | None
Handler = Callable[[web.Request], Awaitable[Answer]]


class Refused(Exception):
    """An error that Discord answers with."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


class DiscordServer:
    """The HTTP routes and the gateway. Use it in an `async with`.

    `calls` counts the bot's requests, and `unknown` those to routes that are not there. A connection without a request
    is closed after `seconds_idle`.
    """

    def __init__(self, world: World, seconds_idle: float = 60.0, gateway: Gateway | None = None) -> None:
        self.world = world
        self._seconds_idle = seconds_idle
        self.gateway = gateway or Gateway(world)
        self.calls = 0
        self.unknown: Counter[str] = Counter()
        self._held_call = 0
        self._released = asyncio.Event()
        self.holds = asyncio.Event()
        """Set while the answer to a call is held back."""

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=_LARGEST_UPLOAD)
        for method, path, handler in self._routes():
            application.router.add_route(method, _API + path, self._answering(handler))
        application.router.add_get("/gateway", self.gateway.connect)
        application.router.add_get("/attachments/{file}/{name}", self._file)
        application.router.add_route("*", "/{path:.*}", self._note_unknown)
        self._runner = web.AppRunner(application, keepalive_timeout=self._seconds_idle)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, shutdown_timeout=1)
        await site.start()
        host, port = self._runner.addresses[0]
        self.world.address = f"http://{host}:{port}"
        self.gateway.url = f"ws://{host}:{port}/gateway"
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None, /
    ) -> None:
        self.release()
        await self._runner.cleanup()

    def hold(self, count: int) -> None:
        """Hold back the answer to the call that is the `count`th from now, after it has had its effect."""
        self._held_call = self.calls + count
        self._released.clear()
        self.holds.clear()

    async def wait_for_hold(self, seconds: float) -> None:
        """Wait until an answer is held back, for so many seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.holds.wait()

    def release(self) -> None:
        """Hold nothing back any more."""
        self._held_call = 0
        self._released.set()
        self.holds.clear()

    async def command(self, person: Person, place: Place, data: Json) -> Interaction:
        """Let `person` call a command."""
        interaction = self.world.new_interaction("command", person, place, data)
        await self.gateway.deliver(interaction)
        return interaction

    async def press(self, person: Person, message: Message, button: str) -> Interaction:
        """Let `person` press the button with this custom id."""
        data = {"component_type": 2, "custom_id": button}
        interaction = self.world.new_interaction("button", person, message.place, data, message)
        await self.gateway.deliver(interaction)
        return interaction

    async def write(
        self, person: Person, place: Place, text: str, file: File | None = None, reply_to: Message | None = None
    ) -> Message:
        """Let `person` write a message."""
        files = [file] if file else []
        message = Message(self.world.new_id(), place, person, text, files, reply_to=reply_to)
        await self.gateway.report("MESSAGE_CREATE", self.world.add(message))
        return message

    def _routes(self) -> list[tuple[str, str, Handler]]:
        webhook = "/webhooks/{application}/{token}"
        of_webhook = f"{webhook}/messages/{{message}}"
        messages = "/channels/{place}/messages"
        return [
            ("GET", "/users/@me", self._me),
            ("POST", "/users/@me/channels", self._open_direct_messages),
            ("GET", "/users/{person}", self._user),
            ("GET", "/gateway/bot", self._gateway),
            ("GET", "/oauth2/applications/@me", self._application),
            ("GET", "/applications/{application}/commands", self._commands),
            ("PUT", "/applications/{application}/commands", self._register),
            ("POST", "/interactions/{interaction}/{token}/callback", self._respond),
            ("POST", webhook, self._follow_up),
            ("GET", of_webhook, self._get_of_webhook),
            ("PATCH", of_webhook, self._edit_of_webhook),
            ("DELETE", of_webhook, self._delete_of_webhook),
            ("GET", messages, self._history),
            ("POST", messages, self._send),
            ("GET", f"{messages}/{{message}}", self._get),
            ("PATCH", f"{messages}/{{message}}", self._edit),
            ("DELETE", f"{messages}/{{message}}", self._delete),
        ]

    def _answering(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            self.calls += 1
            number = self.calls
            try:
                answer, status = await handler(request), 200
            except Refused as refused:
                answer, status = {"code": refused.code, "message": str(refused)}, refused.status
            if number == self._held_call:
                self.holds.set()
                await self._released.wait()
            return web.Response(status=204) if answer is None else _json(answer, status)

        return answer

    async def _note_unknown(self, request: web.Request) -> web.Response:
        self.unknown[f"{request.method} {request.path}"] += 1
        return _json({"code": 0, "message": "Not modelled"}, 501)

    async def _file(self, request: web.Request) -> web.Response:
        found = self.world.files.get(int(request.match_info["file"]))
        return web.Response(body=found.data) if found else web.Response(status=404)

    # The bot and its commands

    async def _gateway(self, _: web.Request) -> Answer:
        return self.gateway.description()

    async def _me(self, _: web.Request) -> Answer:
        return self.world.bot.payload()

    async def _application(self, _: web.Request) -> Answer:
        bot, owner = self.world.bot, self.world.people[0].payload()
        switches = {"bot_public": True, "bot_require_code_grant": False}
        return {"id": str(bot.id), "name": bot.name, "icon": None, "description": "", "owner": owner} | {
            **switches,
            "verify_key": "",
            "flags": 0,
            "interactions_endpoint_url": None,
        }

    async def _commands(self, _: web.Request) -> Answer:
        return self.world.commands

    async def _register(self, request: web.Request) -> Answer:
        self.world.register(await request.json())
        return self.world.commands

    async def _user(self, request: web.Request) -> Answer:
        return self._person(request.match_info["person"]).payload()

    async def _open_direct_messages(self, request: web.Request) -> Answer:
        person = self._person((await request.json())["recipient_id"])
        return self.world.place(self.world.direct_messages(person))

    def _person(self, number: Any) -> Person:
        for person in self.world.people:
            if person.id == int(number):
                return person
        raise Refused(404, 10013, "Unknown User")

    # Interactions

    async def _respond(self, request: web.Request) -> Answer:
        interaction = self.world.interactions.get(request.match_info["token"])
        body, files = await _body(request)
        if interaction is None or str(interaction.id) != request.match_info["interaction"]:
            raise Refused(404, 10062, "Unknown interaction")
        if interaction.acknowledged:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        if interaction.age > SECONDS_TO_ACKNOWLEDGE:
            raise Refused(404, 10062, "Unknown interaction")
        kind, data = body["type"], body.get("data") or {}
        await self._take_response(interaction, kind, data, files)
        interaction.acknowledged, interaction.seconds_to_acknowledge = True, interaction.age
        return _callback(interaction, kind, self.world) if request.query.get("with_response") in ("1", "true") else None

    async def _take_response(self, interaction: Interaction, kind: int, data: Json, files: list[File]) -> None:
        if kind in (_MESSAGE, _DEFERRED_MESSAGE):
            loading = LOADING if kind == _DEFERRED_MESSAGE else 0
            interaction.response = self._new_of(interaction, data.get("flags", 0) | loading)
            self._fill(interaction.response, data, files)
            await self._publish(interaction.response)
        elif kind == _DEFERRED_UPDATE and interaction.pressed:
            interaction.response = interaction.pressed
        else:
            raise Refused(400, 50035, "Invalid Form Body")

    async def _follow_up(self, request: web.Request) -> Answer:
        interaction = self._owner_of(request)
        body, files = await _body(request)
        first = interaction.response
        edited = first is not None and first.loading and not first.deleted
        message = first if first and edited else self._new_of(interaction, body.get("flags", 0))
        self._fill(message, body, files)
        await self._publish(message, edited=edited)
        return self.world.message(message)

    async def _get_of_webhook(self, request: web.Request) -> Answer:
        return self.world.message(self._message_of(request))

    async def _edit_of_webhook(self, request: web.Request) -> Answer:
        message = self._message_of(request)
        self._fill(message, *await _body(request))
        await self._publish(message, edited=True)
        return self.world.message(message)

    async def _delete_of_webhook(self, request: web.Request) -> Answer:
        await self._remove(self._message_of(request))
        return None

    def _owner_of(self, request: web.Request) -> Interaction:
        """Return the interaction that the token belongs to."""
        interaction = self.world.interactions.get(request.match_info["token"])
        if interaction is None or not interaction.acknowledged:
            raise Refused(404, 10015, "Unknown Webhook")
        if interaction.age > SECONDS_OF_A_TOKEN:
            raise Refused(401, 50027, "Invalid Webhook Token")
        return interaction

    def _message_of(self, request: web.Request) -> Message:
        """Return a message that the token may read and change."""
        interaction, name = self._owner_of(request), request.match_info["message"]
        if name == "@original":
            message = interaction.response
        else:
            known = [*interaction.messages, *([interaction.response] if interaction.response else [])]
            message = next((each for each in known if str(each.id) == name), None)
        if message is None or message.deleted:
            raise Refused(404, 10008, "Unknown Message")
        return message

    def _new_of(self, interaction: Interaction, flags: int) -> Message:
        """Return a new message that belongs to `interaction`."""
        number, first = self.world.new_id(), interaction.pressed or interaction.response
        flags &= EPHEMERAL | LOADING
        message = Message(number, interaction.place, self.world.bot, flags=flags, interaction=interaction)
        message.reply_to = first
        interaction.messages.append(message)
        return message

    # Messages in channels

    async def _history(self, request: web.Request) -> Answer:
        messages = self.world.history(self._place(request))
        limit, before, after = (int(request.query.get(name, 0)) for name in ("limit", "before", "after"))
        if before:
            messages = [message for message in messages if message.id < before]
        if after:
            messages = [message for message in messages if message.id > after][: limit or _SEARCHED]
        return [self.world.message(message) for message in reversed(messages[-(limit or _SEARCHED) :])]

    async def _send(self, request: web.Request) -> Answer:
        place = self._place(request)
        body, files = await _body(request)
        message = Message(self.world.new_id(), place, self.world.bot)
        if reference := body.get("message_reference"):
            message.reply_to = self._shown(reference["message_id"], place)
        self._fill(message, body, files)
        await self._publish(message)
        return self.world.message(message)

    async def _get(self, request: web.Request) -> Answer:
        return self.world.message(self._shown(request.match_info["message"], self._place(request)))

    async def _edit(self, request: web.Request) -> Answer:
        message = self._shown(request.match_info["message"], self._place(request))
        if message.author is not self.world.bot:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        self._fill(message, *await _body(request))
        await self._publish(message, edited=True)
        return self.world.message(message)

    async def _delete(self, request: web.Request) -> Answer:
        await self._remove(self._shown(request.match_info["message"], self._place(request)))
        return None

    def _place(self, request: web.Request) -> Place:
        place = self.world.places.get(int(request.match_info["place"]))
        if place is None:
            raise Refused(404, 10003, "Unknown Channel")
        return place

    def _shown(self, number: Any, place: Place) -> Message:
        """Return a message that everybody sees there."""
        message = self.world.messages.get(int(number))
        if message is None or not message.public or message.place is not place:
            raise Refused(404, 10008, "Unknown Message")
        return message

    # What all messages share

    def _fill(self, message: Message, body: Json, files: list[File]) -> None:
        """Take what the bot sends into a message. A message that was thinking is a usual one after that."""
        message.content = body.get("content", message.content) or ""
        message.components = body.get("components", message.components) or []
        if "attachments" in body or files:
            kept = {str(each["id"]) for each in body.get("attachments") or ()}
            message.files = [file for file in message.files if str(file.id) in kept]
            message.files += [self.world.uploaded(file) for file in files]
        if message.id in self.world.messages:
            message.flags &= ~LOADING

    async def _publish(self, message: Message, *, edited: bool = False) -> None:
        message.edited = edited
        if not edited:
            self.world.add(message)
        await self.gateway.report("MESSAGE_UPDATE" if edited else "MESSAGE_CREATE", message)

    async def _remove(self, message: Message) -> None:
        message.deleted = True
        await self.gateway.report("MESSAGE_DELETE", message)


def _json(answer: Answer, status: int) -> web.Response:
    """Return an answer with the type that discord.py looks for, which has no charset."""
    return web.Response(body=json.dumps(answer).encode(), status=status, content_type="application/json")


def _callback(interaction: Interaction, kind: int, world: World) -> Json:
    """Return what Discord says about the response to an interaction."""
    answer: Json = {"interaction": {"id": str(interaction.id), "type": INTERACTION_TYPES[interaction.kind]}}
    if response := interaction.response:
        answer["interaction"] |= {
            "response_message_id": str(response.id),
            "response_message_loading": response.loading,
            "response_message_ephemeral": response.ephemeral,
        }
        if kind == _MESSAGE:
            answer["resource"] = {"type": kind, "message": world.message(response)}
    return answer


async def _body(request: web.Request) -> tuple[Json, list[File]]:
    """Return the JSON of a request, and the files that come with it."""
    if request.content_type != "multipart/form-data":
        return await request.json() if request.can_read_body else {}, []
    form = await request.post()
    body: Json = json.loads(str(form["payload_json"]))
    files = [File(field.filename, field.file.read()) for field in form.values() if isinstance(field, web.FileField)]
    return body, files
