import com.fasterxml.jackson.databind.ObjectMapper;
import io.dapr.durabletask.Task;
import io.dapr.durabletask.TaskCanceledException;
import io.dapr.durabletask.TaskFailedException;
import io.dapr.workflows.Workflow;
import io.dapr.workflows.WorkflowActivity;
import io.dapr.workflows.WorkflowContext;
import io.dapr.workflows.WorkflowStub;
import io.dapr.workflows.WorkflowTaskOptions;
import io.dapr.workflows.WorkflowTaskRetryPolicy;
import io.dapr.workflows.runtime.WorkflowRuntime;
import io.dapr.workflows.runtime.WorkflowRuntimeBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What the worker runs: the workflows and activities that the suite knows, under its names. */
final class Workflows {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, Integer> REFUSALS = new ConcurrentHashMap<>();
  private static final WorkflowTaskOptions AGAIN = new WorkflowTaskOptions(
      WorkflowTaskRetryPolicy.newBuilder().setMaxNumberOfAttempts(3).setFirstRetryInterval(Duration.ofMillis(100)).build());
  private static final WorkflowTaskOptions ABROAD = new WorkflowTaskOptions("other");

  private Workflows() {
  }

  /** The input of an activity: the SDK does not tell an activity whose it is. */
  record Work(String instance, int value) {
  }

  record Counted(int left, List<Integer> seen) {
    Counted next(int value) {
      List<Integer> more = new ArrayList<>(seen);
      more.add(value);
      return new Counted(left - 1, more);
    }
  }

  /** What an app of that age has: "" is the first, "second" a newer one, "late" one that has forgotten the first. */
  static WorkflowRuntime registered(String code) {
    WorkflowRuntimeBuilder builder = new WorkflowRuntimeBuilder();
    builder.registerActivity("add_one", activity("add_one", 0));
    builder.registerActivity("slow_add_one", activity("slow_add_one", 250));
    builder.registerActivity("fail_twice", (WorkflowActivity) context -> {
      Work work = context.getInput(Work.class);
      ran("fail_twice", work);
      return refuse(work.instance(), 2);
    });
    boolean first = code.isEmpty();
    workflows(!first).forEach((name, stub) -> builder.registerWorkflow(name, (Workflow) () -> stub, null, null));
    if (!code.equals("late")) {
      builder.registerWorkflow("told", told("first"), "first", first);
    }
    if (!first) {
      builder.registerWorkflow("told", told("second"), "second", true);
    }
    return builder.build();
  }

  private static Map<String, WorkflowStub> workflows(boolean second) {
    return Map.ofEntries(
        Map.entry("chain", chain("add_one")),
        Map.entry("slow_chain", chain("slow_add_one")),
        Map.entry("slow_turns", Workflows::slowTurns),
        Map.entry("steps", Workflows::steps),
        Map.entry("fan", Workflows::fan),
        Map.entry("nap", Workflows::nap),
        Map.entry("approval", Workflows::approval),
        Map.entry("late", Workflows::late),
        Map.entry("impatient", Workflows::impatient),
        Map.entry("countdown", Workflows::countdown),
        Map.entry("tally", Workflows::tally),
        Map.entry("uuids", Workflows::uuids),
        Map.entry("family", context -> context.complete(context.callChildWorkflow("chain", context.getInput(Integer.class), Integer.class).await())),
        Map.entry("broken_family", Workflows::brokenFamily),
        Map.entry("stubborn_family", context -> context.complete(context.callChildWorkflow("moody", context.getInstanceId(), null, AGAIN, String.class).await())),
        Map.entry("moody", context -> context.complete(refuse("child of " + context.getInput(String.class), 2))),
        Map.entry("slow_family", context -> context.complete(context.callChildWorkflow("approval", null, context.getInput(String.class), Object.class).await())),
        Map.entry("retried", context -> context.complete(context.callActivity("fail_twice", new Work(context.getInstanceId(), 0), AGAIN, String.class).await())),
        Map.entry("broken", context -> {
          throw new IllegalStateException("no luck with " + context.getInput(String.class));
        }),
        Map.entry("abroad", Workflows::abroad),
        Map.entry("mended", context -> mended(context, second)));
  }

  /** Leaves a line in the file of RUNS for each activity that runs. */
  private static void ran(String name, Work work) {
    try {
      Map<String, Object> line = Map.of("name", name, "instance", work.instance(), "input", work.value(), "app", System.getenv("APP_NAME"), "pid", ProcessHandle.current().pid());
      Files.writeString(Path.of(System.getenv("RUNS")), JSON.writeValueAsString(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** Says no as often as told, to each key. */
  private static String refuse(String key, int times) {
    if (REFUSALS.merge(key, 1, Integer::sum) <= times) {
      throw new IllegalStateException("not yet");
    }
    return "at last";
  }

  private static void pause(long delayMs) {
    try {
      Thread.sleep(delayMs);
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  private static WorkflowActivity activity(String name, long delayMs) {
    return context -> {
      Work work = context.getInput(Work.class);
      ran(name, work);
      pause(delayMs);
      return work.value() + 1;
    };
  }

  private static Task<Integer> call(WorkflowContext context, String activity, int value) {
    return context.callActivity(activity, new Work(context.getInstanceId(), value), Integer.class);
  }

  private static WorkflowStub chain(String activity) {
    return context -> {
      int value = context.getInput(Integer.class);
      for (int step = 0; step < 5; step++) {
        value = call(context, activity, value).await();
      }
      context.complete(value);
    };
  }

  /** Says when it is in a turn; the second does not end before the file RUNS.turn is there. */
  private static void slowTurns(WorkflowContext context) {
    int value = 1;
    for (int turn = 0; turn < 2; turn++) {
      ran("turn", new Work(context.getInstanceId(), value));
      while (value == 2 && !Files.exists(Path.of(System.getenv("RUNS") + ".turn"))) {
        pause(20);
      }
      value = call(context, "add_one", value).await();
    }
    context.complete(value);
  }

  private static void steps(WorkflowContext context) {
    int count = context.getInput(Integer.class);
    for (int step = 0; step < count; step++) {
      call(context, "add_one", step).await();
    }
    context.complete(count);
  }

  private static void fan(WorkflowContext context) {
    List<Task<Integer>> tasks = IntStream.range(0, context.getInput(Integer.class)).mapToObj(n -> call(context, "add_one", n)).collect(Collectors.toList());
    context.complete(context.allOf(tasks).await().stream().mapToInt(Integer::intValue).sum());
  }

  private static void nap(WorkflowContext context) {
    var before = context.getCurrentInstant();
    context.createTimer(Duration.ofMillis(context.getInput(Integer.class))).await();
    context.complete(Duration.between(before, context.getCurrentInstant()).toMillis());
  }

  private static void approval(WorkflowContext context) {
    context.setCustomStatus("waiting");
    Object first = context.waitForExternalEvent("approve", Object.class).await();
    context.complete(List.of(first, call(context, "add_one", 1).await()));
  }

  private static void late(WorkflowContext context) {
    context.createTimer(Duration.ofMillis(300)).await();
    context.complete(context.waitForExternalEvent("early", String.class).await());
  }

  private static void impatient(WorkflowContext context) {
    String told = "in time";
    try {
      context.waitForExternalEvent("approve", Duration.ofMillis(200), String.class).await();
    } catch (TaskCanceledException error) {
      told = "too late";
    }
    context.complete(told);
  }

  private static void countdown(WorkflowContext context) {
    Counted state = context.getInput(Counted.class);
    Counted next = state.next(call(context, "add_one", state.left()).await());
    if (state.left() == 0) {
      context.complete(next.seen());
    } else {
      context.continueAsNew(next);
    }
  }

  /** Takes one event per execution. */
  private static void tally(WorkflowContext context) {
    Counted state = context.getInput(Counted.class);
    Counted next = state.next(context.waitForExternalEvent("item", Integer.class).await());
    if (next.left() == 0) {
      context.complete(next.seen());
    } else {
      context.continueAsNew(next, true);
    }
  }

  record Made(int left, List<String> seen) {
  }

  /** Two unique ids in each of its executions. */
  private static void uuids(WorkflowContext context) {
    Made made = context.getInput(Made.class);
    List<String> seen = new ArrayList<>(made.seen());
    seen.add(context.newUuid().toString());
    seen.add(context.newUuid().toString());
    if (made.left() == 1) {
      context.complete(seen);
    } else {
      context.continueAsNew(new Made(made.left() - 1, seen));
    }
  }

  private static void brokenFamily(WorkflowContext context) {
    String told = "the child did not fail";
    try {
      context.callChildWorkflow("broken", "child").await();
    } catch (TaskFailedException error) {
      told = "the child failed: " + error.getMessage();
    }
    context.complete(told);
  }

  private static void abroad(WorkflowContext context) {
    Work work = new Work(context.getInstanceId(), context.getInput(Integer.class));
    int value = context.callActivity("add_one", work, ABROAD, Integer.class).await();
    context.complete(context.callChildWorkflow("chain", value, null, ABROAD, Integer.class).await());
  }

  /** Does one step more where its patch is in. */
  private static void mended(WorkflowContext context, boolean second) {
    boolean more = second && context.isPatched("one-step-more");
    context.waitForExternalEvent("go", Object.class).await();
    context.complete(more ? call(context, "add_one", 1).await() : 1);
  }

  private static Workflow told(String what) {
    return () -> context -> {
      context.waitForExternalEvent("go", Object.class).await();
      context.complete(what);
    };
  }
}
