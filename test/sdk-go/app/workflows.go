package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/dapr/durabletask-go/workflow"
)

// Work is the input of an activity: the SDK does not tell an activity whose it is.
type Work struct {
	Instance string `json:"instance"`
	Value    int    `json:"value"`
}

// ran leaves a line in the file of RUNS for each activity that runs.
func ran(name string, work Work) error {
	file, err := os.OpenFile(os.Getenv("RUNS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	line, err := json.Marshal(map[string]any{"name": name, "instance": work.Instance, "input": work.Value, "app": os.Getenv("APP_NAME"), "pid": os.Getpid()})
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return err
}

func addOne(ctx workflow.ActivityContext) (any, error) {
	var work Work
	if err := ctx.GetInput(&work); err != nil {
		return nil, err
	}
	return work.Value + 1, ran("add_one", work)
}

func slowAddOne(ctx workflow.ActivityContext) (any, error) {
	var work Work
	if err := ctx.GetInput(&work); err != nil {
		return nil, err
	}
	err := ran("slow_add_one", work)
	time.Sleep(250 * time.Millisecond)
	return work.Value + 1, err
}

var (
	refusals = map[string]int{}
	guard    sync.Mutex
)

// refuse says no as often as told, to each instance.
func refuse(key string, times int) error {
	guard.Lock()
	defer guard.Unlock()
	if refusals[key]++; refusals[key] <= times {
		return errors.New("not yet")
	}
	return nil
}

func failTwice(ctx workflow.ActivityContext) (any, error) {
	var work Work
	if err := ctx.GetInput(&work); err != nil {
		return nil, err
	}
	if err := ran("fail_twice", work); err != nil {
		return nil, err
	}
	return "at last", refuse(work.Instance, 2)
}

func call(ctx *workflow.WorkflowContext, activity string, value int, options ...workflow.CallActivityOption) workflow.Task {
	return ctx.CallActivity(activity, append(options, workflow.WithActivityInput(Work{ctx.ID(), value}))...)
}

func chain(activity string) workflow.Workflow {
	return func(ctx *workflow.WorkflowContext) (any, error) {
		var value int
		if err := ctx.GetInput(&value); err != nil {
			return nil, err
		}
		for range 5 {
			if err := call(ctx, activity, value).Await(&value); err != nil {
				return nil, err
			}
		}
		return value, nil
	}
}

// slowTurns says when it is in a turn; the second does not end before the file RUNS.turn is there.
func slowTurns(ctx *workflow.WorkflowContext) (any, error) {
	value := 1
	for range 2 {
		if err := ran("turn", Work{ctx.ID(), value}); err != nil {
			return nil, err
		}
		for value == 2 {
			if _, err := os.Stat(os.Getenv("RUNS") + ".turn"); err == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if err := call(ctx, "add_one", value).Await(&value); err != nil {
			return nil, err
		}
	}
	return value, nil
}

func steps(ctx *workflow.WorkflowContext) (any, error) {
	var count int
	if err := ctx.GetInput(&count); err != nil {
		return nil, err
	}
	for step := range count {
		if err := call(ctx, "add_one", step).Await(nil); err != nil {
			return nil, err
		}
	}
	return count, nil
}

func fan(ctx *workflow.WorkflowContext) (any, error) {
	var count, sum int
	if err := ctx.GetInput(&count); err != nil {
		return nil, err
	}
	tasks := make([]workflow.Task, count)
	for n := range tasks {
		tasks[n] = call(ctx, "add_one", n)
	}
	for _, task := range tasks {
		var one int
		if err := task.Await(&one); err != nil {
			return nil, err
		}
		sum += one
	}
	return sum, nil
}

func nap(ctx *workflow.WorkflowContext) (any, error) {
	var milliseconds int
	if err := ctx.GetInput(&milliseconds); err != nil {
		return nil, err
	}
	before := ctx.CurrentTimeUTC()
	err := ctx.CreateTimer(time.Duration(milliseconds)*time.Millisecond, workflow.WithTimerName("nap")).Await(nil)
	return ctx.CurrentTimeUTC().Sub(before).Milliseconds(), err
}

func approval(ctx *workflow.WorkflowContext) (any, error) {
	ctx.SetCustomStatus("waiting")
	var first any
	if err := ctx.WaitForExternalEvent("approve", -1).Await(&first); err != nil {
		return nil, err
	}
	var value int
	err := call(ctx, "add_one", 1).Await(&value)
	return []any{first, value}, err
}

func late(ctx *workflow.WorkflowContext) (any, error) {
	if err := ctx.CreateTimer(300 * time.Millisecond).Await(nil); err != nil {
		return nil, err
	}
	var early any
	err := ctx.WaitForExternalEvent("early", -1).Await(&early)
	return early, err
}

func impatient(ctx *workflow.WorkflowContext) (any, error) {
	if err := ctx.WaitForExternalEvent("approve", 200*time.Millisecond).Await(nil); err != nil {
		return "too late", nil
	}
	return "in time", nil
}

type counted struct {
	Left int   `json:"left"`
	Seen []int `json:"seen"`
}

func countdown(ctx *workflow.WorkflowContext) (any, error) {
	var state counted
	if err := ctx.GetInput(&state); err != nil {
		return nil, err
	}
	var value int
	if err := call(ctx, "add_one", state.Left).Await(&value); err != nil {
		return nil, err
	}
	if seen := append(state.Seen, value); state.Left == 0 {
		return seen, nil
	} else {
		ctx.ContinueAsNew(counted{state.Left - 1, seen})
	}
	return nil, nil
}

// tally takes one event per execution.
func tally(ctx *workflow.WorkflowContext) (any, error) {
	var state counted
	if err := ctx.GetInput(&state); err != nil {
		return nil, err
	}
	var item int
	if err := ctx.WaitForExternalEvent("item", -1).Await(&item); err != nil {
		return nil, err
	}
	if seen := append(state.Seen, item); state.Left == 1 {
		return seen, nil
	} else {
		ctx.ContinueAsNew(counted{state.Left - 1, seen}, workflow.WithKeepUnprocessedEvents())
	}
	return nil, nil
}

func family(ctx *workflow.WorkflowContext) (any, error) {
	var value int
	if err := ctx.GetInput(&value); err != nil {
		return nil, err
	}
	err := ctx.CallChildWorkflow("chain", workflow.WithChildWorkflowInput(value)).Await(&value)
	return value, err
}

func brokenFamily(ctx *workflow.WorkflowContext) (any, error) {
	if err := ctx.CallChildWorkflow("broken", workflow.WithChildWorkflowInput("child")).Await(nil); err != nil {
		return "the child failed: " + err.Error(), nil
	}
	return "the child did not fail", nil
}

var again = &workflow.RetryPolicy{MaxAttempts: 3, InitialRetryInterval: 100 * time.Millisecond}

func stubbornFamily(ctx *workflow.WorkflowContext) (any, error) {
	var told string
	err := ctx.CallChildWorkflow("moody", workflow.WithChildWorkflowInput(ctx.ID()), workflow.WithChildWorkflowRetryPolicy(again)).Await(&told)
	return told, err
}

func moody(ctx *workflow.WorkflowContext) (any, error) {
	var parent string
	if err := ctx.GetInput(&parent); err != nil {
		return nil, err
	}
	return "at last", refuse("child of "+parent, 2)
}

// slowFamily waits for a child that waits.
func slowFamily(ctx *workflow.WorkflowContext) (any, error) {
	var child string
	if err := ctx.GetInput(&child); err != nil {
		return nil, err
	}
	var told []any
	err := ctx.CallChildWorkflow("approval", workflow.WithChildWorkflowInstanceID(child)).Await(&told)
	return told, err
}

func retried(ctx *workflow.WorkflowContext) (any, error) {
	var told string
	err := call(ctx, "fail_twice", 0, workflow.WithActivityRetryPolicy(again)).Await(&told)
	return told, err
}

func broken(ctx *workflow.WorkflowContext) (any, error) {
	var what string
	if err := ctx.GetInput(&what); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("no luck with %s", what)
}

func abroad(ctx *workflow.WorkflowContext) (any, error) {
	var value int
	if err := ctx.GetInput(&value); err != nil {
		return nil, err
	}
	if err := call(ctx, "add_one", value, workflow.WithActivityAppID("other")).Await(&value); err != nil {
		return nil, err
	}
	err := ctx.CallChildWorkflow("chain", workflow.WithChildWorkflowInput(value), workflow.WithChildWorkflowAppID("other")).Await(&value)
	return value, err
}

// told waits for "go" and says what it was made with.
func told(what string) workflow.Workflow {
	return func(ctx *workflow.WorkflowContext) (any, error) {
		return what, ctx.WaitForExternalEvent("go", -1).Await(nil)
	}
}

// mended does one step more where its patch is in.
func mended(ctx *workflow.WorkflowContext) (any, error) {
	mended := ctx.IsPatched("one-step-more")
	value := 1
	if err := ctx.WaitForExternalEvent("go", -1).Await(nil); err != nil || !mended {
		return value, err
	}
	err := call(ctx, "add_one", value).Await(&value)
	return value, err
}

func unmended(ctx *workflow.WorkflowContext) (any, error) {
	return 1, ctx.WaitForExternalEvent("go", -1).Await(nil)
}

// changed sleeps in its second version where it called an activity in the first, as nobody should.
func changed(second bool) workflow.Workflow {
	return func(ctx *workflow.WorkflowContext) (any, error) {
		var task workflow.Task
		if second {
			task = ctx.CreateTimer(time.Millisecond)
		} else {
			task = call(ctx, "add_one", 1)
		}
		if err := task.Await(nil); err != nil {
			return nil, err
		}
		return nil, ctx.WaitForExternalEvent("go", -1).Await(nil)
	}
}

// registry has what an app of that age has: "" is the first, "second" a newer one, "late" one that has forgotten the first.
func registry(code string) *workflow.Registry {
	registry := workflow.NewRegistry()
	for name, activity := range map[string]workflow.Activity{"add_one": addOne, "slow_add_one": slowAddOne, "fail_twice": failTwice} {
		must(registry.AddActivityN(name, activity))
	}
	for name, one := range map[string]workflow.Workflow{
		"chain": chain("add_one"), "slow_chain": chain("slow_add_one"), "slow_turns": slowTurns, "steps": steps, "fan": fan, "nap": nap, "approval": approval, "late": late, "impatient": impatient,
		"countdown": countdown, "tally": tally, "family": family, "broken_family": brokenFamily, "stubborn_family": stubbornFamily, "moody": moody,
		"slow_family": slowFamily, "retried": retried, "broken": broken, "abroad": abroad,
	} {
		must(registry.AddWorkflowN(name, one))
	}
	if code == "" {
		must(registry.AddWorkflowN("mended", unmended))
		must(registry.AddWorkflowN("changed", changed(false)))
	} else {
		must(registry.AddWorkflowN("mended", mended))
		must(registry.AddWorkflowN("changed", changed(true)))
		must(registry.AddVersionedWorkflowN("told", "second", true, told("second")))
	}
	if code != "late" {
		must(registry.AddVersionedWorkflowN("told", "first", code == "", told("first")))
	}
	return registry
}
