"""HTTP calls to the deployed API, with the caller's signature or without one.

botocore's own signer and HTTP session do the work, so that credentials, CA bundles and proxies act
as in every boto3 tool.
"""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.exceptions import HTTPClientError, SSLError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from paycli import __version__
from paycli.errors import PaycliError

if TYPE_CHECKING:
    from paycli.aws import Aws

# The rules of AWS WAF refuse a request that doesn't say what sent it.
_USER_AGENT = f"paycli/{__version__}"
_CONNECTIONS = 32  # kept open to the one host; more than the checks have threads


@dataclass(frozen=True)
class Answer:
    """What the API answered; the names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the parsed body. Raises ValueError where it isn't JSON."""
        return json.loads(self.body)


class ApiClient:
    """Calls one API on connections that stay open; safe to share between threads."""

    def __init__(self, aws: "Aws", endpoint: str, *, timeout: float = 30.0, connections: int = _CONNECTIONS) -> None:
        """Take the API's URL, which paths are appended to; `timeout` is seconds for connect and for read.

        API Gateway itself gives up after 29 s. More than `connections` requests at once are sent, too, but their
        connections aren't kept.
        """
        self._aws = aws
        self._endpoint = endpoint
        embedded = aws.endpoint_url is not None  # on this machine, whatever HTTP_PROXY says
        self._http = URLLib3Session(
            verify=True if embedded else _ca_bundle(aws),
            proxies={} if embedded else get_environ_proxies(endpoint),
            timeout=timeout,
            max_pool_connections=connections,
            # Without it a POST, sent as headers and then body, waits 40 ms for the server's delayed ACK.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        signed: bool,
    ) -> Answer:
        """Send one request and return whatever was answered, errors of the API included.

        Nothing is retried. Raises PaycliError (code `unreachable`) where no answer came, which doesn't
        say that nothing was done; and botocore's NoCredentialsError where there is nothing to sign with.
        """
        said = {"User-Agent": _USER_AGENT, **({"Content-Type": "application/json"} if body else {})}
        request = AWSRequest(method=method, url=self._endpoint + path, data=body, headers={**said, **(headers or {})})
        if signed:
            credentials = self._aws.credentials().get_frozen_credentials()
            SigV4Auth(credentials, "execute-api", self._aws.region).add_auth(request)
        try:
            answer = self._http.send(request.prepare())
        except (BotoConnectionError, HTTPClientError) as error:
            raise _unreachable(error) from error
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, lowered, answer.content)

    def close(self) -> None:
        """Close the connections that are open."""
        self._http.close()


def call(
    aws: "Aws",
    method: str,
    url: str,
    *,
    body: bytes | None,
    headers: Mapping[str, str],
    signed: bool,
    timeout: float,
) -> Answer:
    """Send one request on a connection of its own: see ApiClient.call."""
    client = ApiClient(aws, url, timeout=timeout)
    try:
        return client.call(method, "", body=body, headers=headers, signed=signed)
    finally:
        client.close()


def _ca_bundle(aws: "Aws") -> bool | str:
    """Return the CA bundle that the clients of `aws` trust; True stands for botocore's own.

    boto3 has no public way to ask for it: the order is that of botocore's Session.create_client and
    EndpointCreator.
    """
    from botocore.session import Session

    profile = aws.session.profile_name
    settings = Session(profile=None if profile == "default" else profile)
    return settings.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _unreachable(error: Exception) -> PaycliError:
    if isinstance(error, SSLError):
        hint = "Check the clock; behind a proxy that inspects TLS, name its CA bundle in AWS_CA_BUNDLE."
    else:
        hint = "Check the network, HTTPS_PROXY and the API's URL; for the embedded AWS: `paycli local status`."
    return PaycliError(f"The API gave no answer: {error}", hint=hint, code="unreachable")
