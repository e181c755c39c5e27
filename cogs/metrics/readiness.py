"""Whether the bot can answer: it is connected to Discord, and its models are where they can be used."""

from __future__ import annotations

from cogs.metrics.gateway import Gateway
from inference import Engine


class Readiness:
    """Finds the reasons why the bot is not ready."""

    def __init__(self, engine: Engine, gateway: Gateway) -> None:
        self._engine = engine
        self._gateway = gateway

    async def reasons(self) -> list[str]:
        """Return a sentence for each reason; an empty list if the bot is ready."""
        reasons = [] if self._gateway.is_connected else ["The bot is not connected to Discord's gateway."]
        return [*reasons, *await self._missing_models()]

    async def _missing_models(self) -> list[str]:
        """Name the models that no request can use. One that is downloaded at its first use is not missing."""
        if self._engine.config.download:
            return []
        return [
            f"The model {status.spec.name} for {status.spec.task} is not downloaded, and `download` is false."
            for status in await self._engine.statuses()
            if status.state == "not downloaded"
        ]
