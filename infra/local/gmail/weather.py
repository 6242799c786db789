"""`/_sim`, the weather: faults, how notifications travel, time, expiry, revocation, tariffs, counts."""

import msgspec
from aiohttp import web

from infra.local.gmail.api import json_object
from infra.local.gmail.clock import rfc3339
from infra.local.gmail.control_edge import OfAccount, control, owner, read
from infra.local.gmail.errors import JSON, invalid
from infra.local.gmail.faults import Fault, Faults
from infra.local.gmail.quota import UNITS
from infra.local.gmail.stats import Stats
from infra.local.gmail.switches import changed
from infra.local.gmail.world import World


class GrantEnds(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Whose grants end, and whether the watch ends with them (null: as Google does, as far as known)."""

    email: str
    end_watch: bool | None = None


class TimePasses(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Seconds that pass at once, or what time it is now (seconds since the epoch)."""

    advance_seconds: float = 0
    now: float | None = None


def add_faults(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST faults: append to the script."""
    faults = read(body, list[Fault])
    known = {method.name for method in world.discovery.methods} | {"token", "revoke", "certs", "tokeninfo", "userinfo"}
    for fault in faults:
        if fault.method not in known | {"batch", "*"}:
            raise invalid(
                f"There is no method {fault.method!r}: name it as in messages.send, history.list, token, batch"
            )
    world.faults.add(faults)
    return show_faults(world, _request, body)


def clear_faults(world: World, _request: web.Request, _body: bytes) -> JSON:
    """DELETE faults."""
    world.faults = Faults()
    return {"faults": []}


def show_faults(world: World, _request: web.Request, _body: bytes) -> JSON:
    """GET faults: the script, with the calls that each has seen."""
    pairs = zip(world.faults.script, world.faults.seen, strict=True)
    return {"faults": [{**msgspec.to_builtins(fault), "seen": seen} for fault, seen in pairs]}


def set_push(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST push: how notifications travel from now on."""
    world.push.travel = changed(world.push.travel, json_object(body))
    if world.push.travel.surplus not in {"coalesce", "drop"}:
        raise invalid("surplus is coalesce or drop")
    return dict(msgspec.to_builtins(world.push.travel))


def set_behaviour(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST behaviour: Gmail's uncertain traits."""
    world.behaviour = changed(world.behaviour, json_object(body))
    return dict(msgspec.to_builtins(world.behaviour))


def set_lag(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST lag: how far the history index is behind."""
    world.lag = changed(world.lag, json_object(body))
    return dict(msgspec.to_builtins(world.lag))


def set_tariff(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST tariff: what calls cost, and whether the minute's limit is held."""
    tariff = changed(world.tariff, json_object(body))
    if tariff.name not in UNITS:
        raise invalid(f"name is one of {', '.join(UNITS)}")
    world.tariff = tariff
    return dict(msgspec.to_builtins(world.tariff))


def set_clock(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST clock: let time pass."""
    spec = read(body, TimePasses)
    if spec.now is not None:
        world.clock.set(spec.now)
    world.clock.advance(spec.advance_seconds)
    return {"now": world.clock.now(), "time": rfc3339(world.clock.now())}


def expire_history(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST expire-history: ids given out so far answer 404 (but the present one)."""
    mailbox = owner(world, read(body, OfAccount).email)
    mailbox.history.expire()
    return {"historyId": str(mailbox.history.last)}


def revoke(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST revoke: the user withdraws the access in their Google account; watches end at once."""
    spec = read(body, GrantEnds)
    email = owner(world, spec.email).account.email
    world.end_grant(email, None, end_watch=spec.end_watch is not False)
    return {"email": email}


def change_password(world: World, _request: web.Request, body: bytes) -> JSON:
    """POST password-change: tokens with Gmail scopes die; watches go on unless told otherwise (?)."""
    spec = read(body, GrantEnds)
    email = owner(world, spec.email).account.email
    world.end_grant(email, None, end_watch=spec.end_watch is True)
    return {"email": email}


def show_stats(world: World, _request: web.Request, _body: bytes) -> JSON:
    """GET stats: calls, units and bytes per method and mailbox; messages sent."""
    return world.stats.resource()


def clear_stats(world: World, _request: web.Request, _body: bytes) -> JSON:
    """DELETE stats: count anew."""
    world.stats = world.push.stats = Stats()
    return world.stats.resource()


def health(world: World, _request: web.Request, _body: bytes) -> JSON:
    """GET health."""
    return {"status": "ok", "mailboxes": len(world.mailboxes), "time": rfc3339(world.clock.now())}


def reset(world: World, _request: web.Request, _body: bytes) -> JSON:
    """DELETE /_sim: as after the start."""
    world.reset()
    return {"status": "empty"}


ROUTES = [
    web.post("/_sim/faults", control(add_faults)),
    web.get("/_sim/faults", control(show_faults)),
    web.delete("/_sim/faults", control(clear_faults)),
    web.post("/_sim/push", control(set_push)),
    web.post("/_sim/behaviour", control(set_behaviour)),
    web.post("/_sim/lag", control(set_lag)),
    web.post("/_sim/tariff", control(set_tariff)),
    web.post("/_sim/clock", control(set_clock)),
    web.post("/_sim/expire-history", control(expire_history)),
    web.post("/_sim/revoke", control(revoke)),
    web.post("/_sim/password-change", control(change_password)),
    web.get("/_sim/stats", control(show_stats)),
    web.delete("/_sim/stats", control(clear_stats)),
    web.get("/_sim/health", control(health)),
    web.delete("/_sim", control(reset)),
]
