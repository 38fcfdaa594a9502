// A workflow worker and its client as an app has them, on the official Go SDK. Reads commands from standard input, one JSON array per line,
// and answers with one JSON object per line; the verbs and the workflows are those of test/tools/workflow-suite.ts.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/dapr/durabletask-go/workflow"
	"github.com/dapr/go-sdk/client"
)

// The arguments of a command, still as JSON.
type words []json.RawMessage

func (w words) read(at int, value any) {
	if at < len(w) {
		must(json.Unmarshal(w[at], value))
	}
}

func (w words) text(at int) (text string) {
	w.read(at, &text)
	return text
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

type end struct {
	Status       string  `json:"status"`
	Output       *string `json:"output"`
	Failure      *string `json:"failure"`
	CustomStatus *string `json:"customStatus"`
}

func endOf(state *workflow.WorkflowMetadata) end {
	told := end{Status: state.String()}
	if state.Output != nil {
		told.Output = &state.Output.Value
	}
	if state.FailureDetails != nil {
		told.Failure = &state.FailureDetails.ErrorMessage
	}
	if state.CustomStatus != nil {
		told.CustomStatus = &state.CustomStatus.Value
	}
	return told
}

const patience = 30 * time.Second

func verbs(workflows *workflow.Client) map[string]func(words) (any, error) {
	ctx := context.Background()
	return map[string]func(words) (any, error){
		"start": func(w words) (any, error) {
			options := []workflow.NewWorkflowOptions{workflow.WithInput(w[1])}
			if id := w.text(2); id != "" {
				options = append(options, workflow.WithInstanceID(id))
			}
			var delayMs int
			if w.read(3, &delayMs); delayMs > 0 {
				options = append(options, workflow.WithStartTime(time.Now().Add(time.Duration(delayMs)*time.Millisecond)))
			}
			return workflows.ScheduleWorkflow(ctx, w.text(0), options...)
		},
		"wait": func(w words) (any, error) {
			waiting, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			state, err := workflows.WaitForWorkflowCompletion(waiting, w.text(0), workflow.WithFetchPayloads(true))
			if err != nil {
				return nil, err
			}
			return endOf(state), nil
		},
		"state": func(w words) (any, error) {
			state, err := workflows.FetchWorkflowMetadata(ctx, w.text(0), workflow.WithFetchPayloads(true))
			if err != nil {
				return nil, err
			}
			return endOf(state), nil
		},
		"raise": func(w words) (any, error) {
			return nil, workflows.RaiseEvent(ctx, w.text(0), w.text(1), workflow.WithEventPayload(w[2]))
		},
		"pause":  func(w words) (any, error) { return nil, workflows.SuspendWorkflow(ctx, w.text(0), "") },
		"resume": func(w words) (any, error) { return nil, workflows.ResumeWorkflow(ctx, w.text(0), "") },
		"terminate": func(w words) (any, error) {
			return nil, workflows.TerminateWorkflow(ctx, w.text(0), workflow.WithOutput(w[1]), workflow.WithRecursiveTerminate(true))
		},
		"terminate_alone": func(w words) (any, error) {
			return nil, workflows.TerminateWorkflow(ctx, w.text(0), workflow.WithRecursiveTerminate(false))
		},
		"purge": func(w words) (any, error) { return nil, workflows.PurgeWorkflowState(ctx, w.text(0)) },
		"rerun": func(w words) (any, error) {
			var eventID uint32
			w.read(1, &eventID)
			return workflows.RerunWorkflowFromEvent(ctx, w.text(0), eventID)
		},
		"history": func(w words) (any, error) {
			history, err := workflows.GetInstanceHistory(ctx, w.text(0))
			if err != nil {
				return nil, err
			}
			return len(history.Events), nil
		},
		"list": func(words) (any, error) {
			page, err := workflows.ListInstanceIDs(ctx, workflow.WithListInstanceIDsPageSize(1000))
			if err != nil {
				return nil, err
			}
			return page.InstanceIds, nil
		},
	}
}

func say(answer map[string]any) {
	line, err := json.Marshal(answer)
	must(err)
	fmt.Println(string(line))
}

func main() {
	dapr, err := client.NewClient()
	must(err)
	workflows := workflow.NewClient(dapr.GrpcClientConn())
	must(workflows.StartWorker(context.Background(), registry(os.Getenv("CODE"))))
	known := verbs(workflows)
	for name, verb := range blockVerbs(dapr) {
		known[name] = verb
	}
	if port := os.Getenv("APP_PORT"); port != "" {
		serve(port)
	}
	say(map[string]any{"ready": true})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var told words
		must(json.Unmarshal(lines.Bytes(), &told))
		if answer, err := known[told.text(0)](told[1:]); err != nil {
			say(map[string]any{"error": err.Error()})
		} else {
			say(map[string]any{"answer": answer})
		}
	}
}
