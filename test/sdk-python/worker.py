"""A workflow worker and its client as an app has them, on the official Python SDK. Reads commands from standard input, one JSON array per
line, and answers with one JSON object per line; the verbs and the workflows are those of test/tools/workflow-suite.ts."""

import json
import os
import sys
import time
from datetime import datetime, timedelta, timezone

import dapr.ext.workflow as wf

# How many histories it keeps between turns; what it has dropped it asks for.
runtime = wf.WorkflowRuntime(history_cache_max_instances=int(os.environ.get("HISTORIES_MAX", "0")))
RUNS = os.environ.get("RUNS", "/dev/null")
CODE = os.environ.get("CODE", "")
refusals = {}


def ran(name, context, value):
    line = {"name": name, "instance": context.workflow_id, "input": value, "app": os.environ.get("APP_NAME"), "pid": os.getpid()}
    with open(RUNS, "a", encoding="utf8") as runs:
        runs.write(json.dumps(line) + "\n")


def refuse(key, times):
    """Says no as often as told, to each instance."""
    refusals[key] = refusals.get(key, 0) + 1
    if refusals[key] <= times:
        raise ValueError("not yet")


@runtime.activity(name="add_one")
def add_one(context: wf.WorkflowActivityContext, value):
    ran("add_one", context, value)
    return value + 1


@runtime.activity(name="slow_add_one")
def slow_add_one(context: wf.WorkflowActivityContext, value):
    ran("slow_add_one", context, value)
    time.sleep(0.25)
    return value + 1


@runtime.activity(name="fail_twice")
def fail_twice(context: wf.WorkflowActivityContext, value):
    ran("fail_twice", context, value)
    refuse(context.workflow_id, 2)
    return "at last"


@runtime.workflow(name="chain")
def chain(context: wf.DaprWorkflowContext, value):
    for _ in range(5):
        value = yield context.call_activity(add_one, input=value)
    return value


@runtime.workflow(name="slow_chain")
def slow_chain(context: wf.DaprWorkflowContext, value):
    for _ in range(5):
        value = yield context.call_activity(slow_add_one, input=value)
    return value


@runtime.workflow(name="slow_turns")
def slow_turns(context: wf.DaprWorkflowContext, _):
    """Says when it is in a turn; the second does not end before the file RUNS.turn is there."""
    value = 1
    for _ in range(2):
        line = {"name": "turn", "instance": context.instance_id, "input": value, "app": os.environ.get("APP_NAME"), "pid": os.getpid()}
        with open(RUNS, "a", encoding="utf8") as runs:
            runs.write(json.dumps(line) + "\n")
        while value == 2 and not os.path.exists(RUNS + ".turn"):
            time.sleep(0.02)
        value = yield context.call_activity(add_one, input=value)
    return value


@runtime.workflow(name="steps")
def steps(context: wf.DaprWorkflowContext, count):
    for step in range(count):
        yield context.call_activity(add_one, input=step)
    return count


@runtime.workflow(name="fan")
def fan(context: wf.DaprWorkflowContext, count):
    results = yield wf.when_all([context.call_activity(add_one, input=n) for n in range(count)])
    return sum(results)


@runtime.workflow(name="nap")
def nap(context: wf.DaprWorkflowContext, milliseconds):
    before = context.current_utc_datetime
    yield context.create_timer(timedelta(milliseconds=milliseconds))
    return (context.current_utc_datetime - before) / timedelta(milliseconds=1)


@runtime.workflow(name="approval")
def approval(context: wf.DaprWorkflowContext, _):
    context.set_custom_status("waiting")
    first = yield context.wait_for_external_event("approve")
    value = yield context.call_activity(add_one, input=1)
    return [first, value]


@runtime.workflow(name="late")
def late(context: wf.DaprWorkflowContext, _):
    yield context.create_timer(timedelta(milliseconds=300))
    return (yield context.wait_for_external_event("early"))


@runtime.workflow(name="impatient")
def impatient(context: wf.DaprWorkflowContext, _):
    try:
        yield context.wait_for_external_event("approve", timeout=timedelta(milliseconds=200))
    except TimeoutError:
        return "too late"
    return "in time"


@runtime.workflow(name="countdown")
def countdown(context: wf.DaprWorkflowContext, state):
    value = yield context.call_activity(add_one, input=state["left"])
    seen = state["seen"] + [value]
    if state["left"] == 0:
        return seen
    context.continue_as_new({"left": state["left"] - 1, "seen": seen})


@runtime.workflow(name="tally")
def tally(context: wf.DaprWorkflowContext, state):
    seen = state["seen"] + [(yield context.wait_for_external_event("item"))]
    if state["left"] == 1:
        return seen
    context.continue_as_new({"left": state["left"] - 1, "seen": seen}, save_events=True)


@runtime.workflow(name="family")
def family(context: wf.DaprWorkflowContext, value):
    return (yield context.call_child_workflow(chain, input=value))


@runtime.workflow(name="broken_family")
def broken_family(context: wf.DaprWorkflowContext, _):
    try:
        yield context.call_child_workflow(broken, input="child")
    except Exception as error:  # the SDK's own kind of error
        return f"the child failed: {error}"
    return "the child did not fail"


again = wf.RetryPolicy(first_retry_interval=timedelta(milliseconds=100), max_number_of_attempts=3)


@runtime.workflow(name="stubborn_family")
def stubborn_family(context: wf.DaprWorkflowContext, _):
    return (yield context.call_child_workflow(moody, input=context.instance_id, retry_policy=again))


@runtime.workflow(name="moody")
def moody(context: wf.DaprWorkflowContext, parent):
    refuse(f"child of {parent}", 2)
    return "at last"
    yield


@runtime.workflow(name="slow_family")
def slow_family(context: wf.DaprWorkflowContext, child):
    return (yield context.call_child_workflow(approval, instance_id=child))


@runtime.workflow(name="retried")
def retried(context: wf.DaprWorkflowContext, value):
    return (yield context.call_activity(fail_twice, input=0, retry_policy=again))


@runtime.workflow(name="broken")
def broken(context: wf.DaprWorkflowContext, value):
    raise ValueError(f"no luck with {value}")
    yield


@runtime.workflow(name="abroad")
def abroad(context: wf.DaprWorkflowContext, value):
    value = yield context.call_activity(add_one, input=value, app_id="other")
    return (yield context.call_child_workflow(chain, input=value, app_id="other"))


@runtime.workflow(name="mended")
def mended(context: wf.DaprWorkflowContext, _):
    """Does one step more where its patch is in."""
    more = CODE != "" and context.is_patched("one-step-more")
    yield context.wait_for_external_event("go")
    return (yield context.call_activity(add_one, input=1)) if more else 1


@runtime.workflow(name="changed")
def changed(context: wf.DaprWorkflowContext, _):
    """Sleeps in its second version where it called an activity in the first, as nobody should."""
    yield context.call_activity(add_one, input=1) if CODE == "" else context.create_timer(timedelta(milliseconds=1))
    yield context.wait_for_external_event("go")


def told(what):
    def workflow(context: wf.DaprWorkflowContext, _):
        yield context.wait_for_external_event("go")
        return what

    return workflow


# What an app of that age has: "" is the first, "second" a newer one, "late" one that has forgotten the first.
if CODE != "late":
    runtime.register_versioned_workflow(told("first"), name="told", version_name="first", is_latest=CODE == "")
if CODE != "":
    runtime.register_versioned_workflow(told("second"), name="told", version_name="second", is_latest=True)


def end_of(state):
    failure = state.failure_details
    return {
        "status": state.runtime_status.name,
        "output": state.serialized_output,
        "failure": failure.message if failure else None,
        "customStatus": state.serialized_custom_status,
    }


def main():
    runtime.start()
    client = wf.DaprWorkflowClient()

    def start(name, value, instance, delay_ms):
        start_at = datetime.now(timezone.utc) + timedelta(milliseconds=delay_ms) if delay_ms else None
        return client.schedule_new_workflow(name, input=value, instance_id=instance, start_at=start_at)

    verbs = {
        "start": start,
        "wait": lambda instance: end_of(client.wait_for_workflow_completion(instance, timeout_in_seconds=30)),
        "state": lambda instance: (state := client.get_workflow_state(instance)) and end_of(state),
        "raise": lambda instance, event, data: client.raise_workflow_event(instance, event, data=data),
        "pause": client.pause_workflow,
        "resume": client.resume_workflow,
        "terminate": lambda instance, output: client.terminate_workflow(instance, output=output),
        "terminate_alone": lambda instance: client.terminate_workflow(instance, recursive=False),
        "purge": client.purge_workflow,
    }
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        try:
            print(json.dumps({"answer": verbs[verb](*arguments)}), flush=True)
        except Exception as error:  # told to the test, which knows what it expects
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)


main()
