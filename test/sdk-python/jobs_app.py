"""An app that has jobs, on the official Python SDK: it schedules over gRPC and is called by the protocol that it is started with (grpc, http).
Reads commands from standard input, one JSON per line, and writes {"answer": …} or {"error": …} for each, and {"tick": …} for each tick."""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dapr.clients import DaprClient
from dapr.clients.grpc._jobs import ConstantFailurePolicy, DropFailurePolicy, Job
from dapr.ext.grpc import App, JobEvent
from google.protobuf.any_pb2 import Any as GrpcAny

PORT = int(os.environ["APP_PORT"])
NAMES = ["plain", "flaky", "repeated"]
writing = threading.Lock()
seen = {}


def say(line):
    with writing:
        print(json.dumps(line), flush=True)


def tick(name, data):
    """False: the tick has failed, as the first of each flaky job does."""
    seen[name] = seen.get(name, 0) + 1
    say({"tick": {"name": name, "data": data}})
    return name != "flaky" or seen[name] > 1


def serve_grpc():
    app = App()
    for name in NAMES:

        @app.job_event(name)
        def on_job(event: JobEvent, name=name):
            if not tick(name, event.get_data_as_string()):
                raise RuntimeError("not yet")

    app.run(PORT)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf8")
        name = self.path.removeprefix("/job/")
        self.send_response((200 if tick(name, data) else 500) if name in NAMES else 404)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self):
        self.send_response(404)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def serve_http():
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()


threading.Thread(target=serve_grpc if os.environ["APP_PROTOCOL"] == "grpc" else serve_http, daemon=True).start()


def job_of(fields):
    data = GrpcAny(value=json.dumps(fields["data"]).encode("utf8")) if "data" in fields else None
    policy = fields.get("policy")
    failure = DropFailurePolicy() if policy == "drop" else ConstantFailurePolicy(*policy) if policy else None
    return Job(fields["name"], fields.get("schedule"), fields.get("repeats"), fields.get("due"), fields.get("ttl"), data, failure)


def told(job):
    return {"name": job.name, "schedule": job.schedule, "repeats": job.repeats, "due": job.due_time, "data": job.data.value.decode("utf8") if job.data else None, "retries": getattr(job.failure_policy, "max_retries", None)}


with DaprClient(address=f"127.0.0.1:{os.environ['DAPR_GRPC_PORT']}") as client:
    say({"ready": True})
    for line in sys.stdin:
        verb, value = json.loads(line)
        try:
            if verb == "schedule":
                client.schedule_job(job_of(value), overwrite=value.get("overwrite", False))
                say({"answer": None})
            elif verb == "schedule_alpha1":
                client.schedule_job_alpha1(job_of(value))
                say({"answer": None})
            elif verb == "get":
                say({"answer": told(client.get_job(value))})
            elif verb == "delete":
                client.delete_job(value)
                say({"answer": None})
        except Exception as error:
            say({"error": str(error)})
