"""Work handed to Cloud Tasks, which calls our functions back with an OIDC token."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from google.api_core import exceptions as google
from google.api_core.retry import Retry, if_exception_type
from google.cloud import tasks_v2

from mailbridge.adapters.google_errors import translated
from mailbridge.config import Config

_TIMEOUT_SECONDS = 4.0
# Safe to repeat: a named task that exists already is no error, and an unnamed one may run twice.
_RETRY = Retry(if_exception_type(google.ServiceUnavailable, google.DeadlineExceeded), initial=0.1, timeout=4.0)


class CloudTasks:
    """`ports.Tasks`; the client is made on first use and is safe to share between threads."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def deliver(self, message_id: str, number: int, at: datetime | None = None) -> None:
        """One task per message and number, at once or at `at`; the name is hashed, as Cloud Tasks spreads by name."""
        name = f"{hashlib.sha256(message_id.encode()).hexdigest()}-{number}"
        self._create(self._config.delivery_queue, "deliver_message", {"messageId": message_id}, at, name)

    def store_attachments(self, location_id: str, message_id: str, at: datetime) -> None:
        """A task without a name of ours, so that a repeat runs."""
        work = {"task": "store_attachments", "locationId": location_id, "messageId": message_id}
        self._create(self._config.background_queue, "run_task", work, at)

    def _create(
        self, queue: str, function: str, work: Mapping[str, str], at: datetime | None, name: str | None = None
    ) -> None:
        task = tasks_v2.Task(http_request=self._call(function, work), schedule_time=at)
        if name:
            task.name = f"{queue}/tasks/{name}"
        with translated("Cloud Tasks"):
            try:
                self._client.create_task(parent=queue, task=task, retry=_RETRY, timeout=_TIMEOUT_SECONDS)
            except google.AlreadyExists:
                return

    def _call(self, function: str, work: Mapping[str, str]) -> Any:
        url = self._config.function_url(function)
        return tasks_v2.HttpRequest(
            http_method=tasks_v2.HttpMethod.POST,
            url=url,
            headers={"Content-Type": "application/json"},
            body=json.dumps(work).encode(),
            oidc_token=tasks_v2.OidcToken(
                service_account_email=self._config.tasks_service_account,
                audience=url,
            ),
        )

    @cached_property
    def _client(self) -> Any:
        endpoint = self._config.cloud_tasks_endpoint
        if not endpoint:
            return tasks_v2.CloudTasksClient()
        import grpc
        from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

        return tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=grpc.insecure_channel(endpoint)))
