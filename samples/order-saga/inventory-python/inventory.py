"""The inventory service: reserves stock for an order or rejects it, once per order. Standard library only, no SDK."""
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

MECHA = f"http://127.0.0.1:{os.environ['DAPR_HTTP_PORT']}/v1.0"
STOCKS = f"{MECHA}/state/stocks"
http = build_opener(ProxyHandler({}))  # the sidecar is on this host: never through a proxy


def load(key):
    """(value, etag) of a key; (None, None) when there is none."""
    with http.open(f"{STOCKS}/{quote(key, safe='')}") as answer:
        if answer.status == 204:
            return None, None
        return json.load(answer), answer.headers.get("etag")


def post(url, body):
    request = Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        http.open(request).close()
    except HTTPError as error:
        raise RuntimeError(f"{url}: {error.code} {error.read().decode()}") from error


def reserve(order):
    """Stock and reservation change together or not at all; the etag keeps two orders from taking the same piece."""
    stock, etag = load(f"stock-{order['item']}")
    enough = stock is not None and stock["left"] >= order["quantity"]
    reservation = {
        "orderId": order["id"],
        "item": order["item"],
        "quantity": order["quantity"] if enough else 0,
        "outcome": "reserved" if enough else "rejected",
    }
    once = {"concurrency": "first-write"}
    operations = [upsert(f"reservation-{order['id']}", reservation, options=once)]
    if enough:
        left = {**stock, "left": stock["left"] - order["quantity"]}
        operations.append(upsert(f"stock-{order['item']}", left, etag=etag, options=once))
    post(f"{STOCKS}/transaction", {"operations": operations})
    return reservation


def upsert(key, value, **conditions):
    return {"operation": "upsert", "request": {"key": key, "value": value, **conditions}}


def order_created(order):
    """An order that was seen before gets the same answer again: that is all it takes to be idempotent."""
    known, _ = load(f"reservation-{order['id']}")
    reservation = known or reserve(order)
    post(f"{MECHA}/publish/pubsub/stock-{reservation['outcome']}", {"orderId": order["id"], "item": order["item"]})


def handle(method, path, body):
    """(status, body) for a request."""
    if (method, path) == ("POST", "/order-created"):
        order_created(body["data"])
        return 200, {}
    if path.startswith("/stock/"):
        item = unquote(path.removeprefix("/stock/"))
        if method == "GET":
            stock, _ = load(f"stock-{item}")
            return (200, stock) if stock else (404, {"error": "no such item"})
        if method == "PUT":
            quantity = body.get("quantity") if isinstance(body, dict) else None
            if type(quantity) is not int or quantity < 0:
                return 400, {"error": "a stock needs a quantity that is a whole number"}
            post(STOCKS, [{"key": f"stock-{item}", "value": {"item": item, "initial": quantity, "left": quantity}}])
            return 204, None
    return 404, {"error": "no such path"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        try:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, answer = handle(self.command, urlsplit(self.path).path, json.loads(raw) if raw else None)
        except Exception as error:
            print(error, file=sys.stderr, flush=True)
            status, answer = 500, {"error": str(error)}
        text = b"" if status == 204 else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        if status != 204:
            self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = serve

    def log_message(self, format, *args):
        pass


ThreadingHTTPServer.request_queue_size = 128
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["APP_PORT"])), Handler)
print(f"inventory service (Python) on port {os.environ['APP_PORT']}", flush=True)
server.serve_forever()
