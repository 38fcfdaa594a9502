"""An app with bindings, on the official Python SDK: it calls them over gRPC and receives them by the protocol that it is started with (grpc,
http). Writes {"result": …} for what it called, {"event": …} with the id of each tick and {"order": …} with the data of each order."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dapr.clients import DaprClient
from dapr.ext.grpc import App, BindingRequest

PORT = int(os.environ["APP_PORT"])
writing = threading.Lock()


def say(line):
    with writing:
        print(json.dumps(line), flush=True)


def serve_grpc():
    app = App()

    @app.binding("tick")
    def on_tick(request: BindingRequest):
        say({"event": request.binding_metadata["mecha-event-id"]})

    @app.binding("orders")
    def on_order(request: BindingRequest):
        say({"order": json.loads(request.data)})

    app.run(PORT)


class Handler(BaseHTTPRequestHandler):
    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_OPTIONS(self):
        self.answer(200 if self.path in ("/tick", "/orders") else 404)

    def do_GET(self):
        self.answer(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        say({"order": json.loads(body)} if self.path == "/orders" else {"event": self.headers["mecha-event-id"]})
        self.answer(200)

    def log_message(self, *_):
        pass


def serve_http():
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()


threading.Thread(target=serve_grpc if os.environ["APP_PROTOCOL"] == "grpc" else serve_http, daemon=True).start()

with DaprClient(address=f"127.0.0.1:{os.environ['DAPR_GRPC_PORT']}") as client:
    client.invoke_binding("files", "create", json.dumps({"order": 7}), {"fileName": "orders/7"})
    read = client.invoke_binding("files", "get", binding_metadata={"fileName": "orders/7"})
    say({"result": read.json(), "metadata": dict(read.binding_metadata)})
    try:
        client.invoke_binding("files", "fly", "")
    except Exception as error:
        say({"result": str(error)})
    client.invoke_binding("orders", "create", json.dumps({"order": 7, "customer": "Zoë"}))
    threading.Event().wait()
