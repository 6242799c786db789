"""The simulator as one web application."""

from collections.abc import AsyncIterator

from aiohttp import web

from infra.local.gmail import control, gmail_routes, oauth, token_routes, weather
from infra.local.gmail.discovery import load
from infra.local.gmail.edge import WORLD
from infra.local.gmail.push import PubSub, publish_nowhere
from infra.local.gmail.world import World

LARGEST_BODY = 160 * 2**20


def create_app(
    pubsub: str | None = None,
    *,
    client_id: str | None = None,
    client_secret: str | None = None,
    seed: int | None = None,
) -> web.Application:
    """A fresh Google with no accounts.

    `pubsub` is the HOST:PORT of a Pub/Sub emulator (none: notifications are only counted); `client_id` and
    `client_secret` name the one OAuth client that is known (none: any); `seed` makes ids repeatable.
    """
    publisher = PubSub(pubsub) if pubsub else None
    world = World(load(), client_id, client_secret, seed, publisher or publish_nowhere)
    app = web.Application(client_max_size=LARGEST_BODY)
    app[WORLD] = world
    app.add_routes([*gmail_routes.routes(world), *oauth.ROUTES, *token_routes.ROUTES, *control.ROUTES, *weather.ROUTES])

    async def run(_app: web.Application) -> AsyncIterator[None]:
        yield
        world.push.clear()
        if publisher:
            await publisher.close()

    app.cleanup_ctx.append(run)
    return app
