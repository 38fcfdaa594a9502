"""A workflow worker and its client as an app has them, on the official Python SDK. Reads commands from standard input, one JSON per
line, and answers with one JSON per line: {"start": [name, input]}, {"wait": id}, {"raise": [id, event, data]}, and so on."""

import json
import os
import sys
from datetime import timedelta

import dapr.ext.workflow as wf

runtime = wf.WorkflowRuntime()
RUNS = os.environ.get("RUNS", "/dev/null")


def ran(name, context, value):
    with open(RUNS, "a", encoding="utf8") as runs:
        runs.write(json.dumps({"name": name, "instance": context.workflow_id, "input": value, "app": os.environ.get("APP_NAME")}) + "\n")


@runtime.activity(name="add_one")
def add_one(context: wf.WorkflowActivityContext, value):
    ran("add_one", context, value)
    return value + 1


@runtime.activity(name="fail_twice")
def fail_twice(context: wf.WorkflowActivityContext, value):
    ran("fail_twice", context, value)
    with open(RUNS, encoding="utf8") as runs:
        if sum(1 for line in runs if f'"{context.workflow_id}"' in line) < 3:
            raise ValueError("not yet")
    return "at last"


@runtime.workflow(name="chain")
def chain(context: wf.DaprWorkflowContext, value):
    for _ in range(5):
        value = yield context.call_activity(add_one, input=value)
    return value


@runtime.workflow(name="fan")
def fan(context: wf.DaprWorkflowContext, count):
    results = yield wf.when_all([context.call_activity(add_one, input=n) for n in range(count)])
    return sum(results)


@runtime.workflow(name="family")
def family(context: wf.DaprWorkflowContext, value):
    return (yield context.call_child_workflow(chain, input=value))


@runtime.workflow(name="nap")
def nap(context: wf.DaprWorkflowContext, seconds):
    before = context.current_utc_datetime
    yield context.create_timer(timedelta(seconds=seconds))
    return (context.current_utc_datetime - before).total_seconds()


@runtime.workflow(name="approval")
def approval(context: wf.DaprWorkflowContext, _):
    context.set_custom_status("waiting")
    first = yield context.wait_for_external_event("approve")
    value = yield context.call_activity(add_one, input=1)
    return [first, value]


@runtime.workflow(name="retried")
def retried(context: wf.DaprWorkflowContext, value):
    policy = wf.RetryPolicy(first_retry_interval=timedelta(milliseconds=100), max_number_of_attempts=3)
    return (yield context.call_activity(fail_twice, input=value, retry_policy=policy))


@runtime.workflow(name="broken")
def broken(context: wf.DaprWorkflowContext, value):
    raise ValueError(f"no luck with {value}")
    yield


@runtime.workflow(name="countdown")
def countdown(context: wf.DaprWorkflowContext, state):
    value = yield context.call_activity(add_one, input=state["left"])
    seen = state["seen"] + [value]
    if state["left"] == 0:
        return seen
    context.continue_as_new({"left": state["left"] - 1, "seen": seen})


@runtime.workflow(name="abroad")
def abroad(context: wf.DaprWorkflowContext, value):
    value = yield context.call_activity(add_one, input=value, app_id="other")
    return (yield context.call_child_workflow(chain, input=value, app_id="other"))


def main():
    runtime.start()
    client = wf.DaprWorkflowClient()

    def wait(instance):
        state = client.wait_for_workflow_completion(instance, timeout_in_seconds=30)
        failure = state.failure_details
        return {"status": state.runtime_status.name, "output": state.serialized_output, "failure": failure.message if failure else None}

    verbs = {
        "start": lambda name, value: client.schedule_new_workflow(globals()[name], input=value),
        "wait": wait,
        "raise": lambda instance, event, data: client.raise_workflow_event(instance, event, data=data),
        "pause": client.pause_workflow,
        "resume": client.resume_workflow,
        "terminate": lambda instance, output: client.terminate_workflow(instance, output=output),
        "purge": client.purge_workflow,
        "status": lambda instance: (state := client.get_workflow_state(instance)) and state.runtime_status.name,
    }
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        try:
            print(json.dumps({"answer": verbs[verb](*arguments)}), flush=True)
        except Exception as error:  # told to the test, which knows what it expects
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)


main()
