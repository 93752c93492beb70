"""Two creates over TLS with a pause between them, in which the server goes away without a word: run by a test.

A process of its own, since aiohttp reads `SSL_CERT_FILE` once. Prints what each create gave, as JSON.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time

from certrecon.api.blocking import Blocking
from certrecon.api.delays import RetryPolicy
from certrecon.api.endpoint import AccessToken, FourHseEndpoint
from certrecon.api.fourhse import FourHseClient
from certrecon.api.fourhse_api.blocking import WritableLists

ID = "e3a1f5d2-8c4b-4e7a-9f6d-2b1c3d4e5f6a"
NEW = {"date_release": "2024-01-15", "name": "Fire", "action_type": "TRAINING", "resource_id": ID, "tenant_id": ID}
BODY = json.dumps({"certificate_id": ID}).encode()
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
LINGERS, PAUSE = 0.15, 0.6
ONCE = RetryPolicy(attempts=1, rate_limited_attempts=1, base=0.001, cap=0.001, total=5.0)


def answer_once(plain: socket.socket, context: ssl.SSLContext) -> None:
    """Answer one request, stay for a moment, and close without TLS's own end, as a load balancer may."""
    with context.wrap_socket(plain, server_side=True) as connection:
        if connection.recv(65_536):
            connection.sendall(ANSWER)
            time.sleep(LINGERS)


def serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    """Answer every connection in a thread of its own."""
    while True:
        plain, _ = listening.accept()
        threading.Thread(target=answer_once, args=(plain, context), daemon=True).start()


def main(certificate: str, key: str) -> None:
    """Serve, and create twice in one session."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listening, context), daemon=True).start()
    endpoint = FourHseEndpoint(base_url=f"https://localhost:{listening.getsockname()[1]}", token=AccessToken("secret"))
    given = []
    with Blocking(lambda: FourHseClient(endpoint, retry=ONCE)) as session:
        certificates = WritableLists(session, lambda fourhse: fourhse.certificates)
        for pause in (PAUSE, 0.0):
            given.append(certificates.create(NEW).certificate_id)
            time.sleep(pause)
    sys.stdout.write(json.dumps(given))


if __name__ == "__main__":
    main(*sys.argv[1:])
