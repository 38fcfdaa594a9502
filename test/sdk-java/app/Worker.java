import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.dapr.workflows.client.DaprWorkflowClient;
import io.dapr.workflows.client.NewWorkflowOptions;
import io.dapr.workflows.client.WorkflowState;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * A workflow worker and its client as an app has them, on the official Java SDK. Reads commands from standard input, one JSON array per
 * line, and answers with one JSON object per line; the verbs and the workflows are those of test/tools/workflow-suite.ts.
 */
public final class Worker {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private interface Verb {
    Object run(JsonNode words) throws Exception;
  }

  public static void main(String[] args) throws Exception {
    String code = System.getenv().getOrDefault("CODE", "");
    Workflows.registered(code).start(false);
    Map<String, Verb> verbs = verbs(new DaprWorkflowClient());
    say("ready", true);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode words = JSON.readTree(line);
      try {
        say("answer", verbs.get(words.get(0).asText()).run(words));
      } catch (Exception error) {
        // Told to the test, which knows what it expects.
        say("error", error.toString());
      }
    }
    System.exit(0);
  }

  private static void say(String key, Object value) throws Exception {
    Map<String, Object> answer = new HashMap<>();
    answer.put(key, value);
    System.out.println(JSON.writeValueAsString(answer));
  }

  private static Map<String, Verb> verbs(DaprWorkflowClient client) {
    Map<String, Verb> verbs = new HashMap<>();
    verbs.put("start", words -> client.scheduleNewWorkflow(words.get(1).asText(), options(words)));
    verbs.put("wait", words -> endOf(client.waitForWorkflowCompletion(words.get(1).asText(), PATIENCE, true)));
    verbs.put("state", words -> endOf(client.getWorkflowState(words.get(1).asText(), true)));
    verbs.put("raise", words -> done(() -> client.raiseEvent(words.get(1).asText(), words.get(2).asText(), words.get(3))));
    verbs.put("pause", words -> done(() -> client.suspendWorkflow(words.get(1).asText(), null)));
    verbs.put("resume", words -> done(() -> client.resumeWorkflow(words.get(1).asText(), null)));
    verbs.put("terminate", words -> done(() -> client.terminateWorkflow(words.get(1).asText(), words.get(2))));
    verbs.put("terminate_alone", words -> done(() -> client.terminateWorkflow(words.get(1).asText(), null)));
    verbs.put("purge", words -> client.purgeWorkflow(words.get(1).asText()));
    return verbs;
  }

  private static Object done(Runnable call) {
    call.run();
    return null;
  }

  private static NewWorkflowOptions options(JsonNode words) {
    NewWorkflowOptions options = new NewWorkflowOptions().setInput(words.get(2)).setInstanceId(words.get(3).asText());
    int delayMs = words.get(4).asInt();
    return delayMs == 0 ? options : options.setStartTime(Instant.now().plusMillis(delayMs));
  }

  private static Map<String, String> endOf(WorkflowState state) {
    // What is not there comes as one without a name.
    if (state == null || state.getName().isEmpty()) {
      return null;
    }
    Map<String, String> end = new HashMap<>();
    end.put("status", state.getRuntimeStatus().name());
    end.put("output", state.getSerializedOutput());
    // There are details of nothing, too.
    String failure = state.getFailureDetails() == null ? "" : state.getFailureDetails().getErrorMessage();
    end.put("failure", failure.isEmpty() ? null : failure);
    return end;
  }
}
