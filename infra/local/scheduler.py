"""Cloud Scheduler on one machine: calls a function at fixed intervals, with a service token."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """What is posted as JSON `{"job": name}`, and how often, in seconds."""

    name: str
    every_seconds: float


async def run(url: str, jobs: list[Job], token_for: Callable[[str], str]) -> None:
    """Post each job to `url` at its interval, for ever; `token_for` takes the audience."""
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_repeat(session, url, job, token_for))


async def _repeat(session: aiohttp.ClientSession, url: str, job: Job, token_for: Callable[[str], str]) -> None:
    while True:
        await asyncio.sleep(job.every_seconds)
        await _fire(session, url, job, token_for(url))


async def _fire(session: aiohttp.ClientSession, url: str, job: Job, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "Google-Cloud-Scheduler"}
    try:
        async with session.post(url, json={"job": job.name}, headers=headers) as answer:
            _log.info("job_called job=%s status=%d", job.name, answer.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        _log.warning("job_failed job=%s error=%r", job.name, error)
