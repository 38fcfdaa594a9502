// The app of the workflow scenarios on the official Go SDK; its activities do nothing. The sidecar's address comes from the environment,
// as for any app of the SDK (DAPR_GRPC_ENDPOINT).
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/dapr/durabletask-go/workflow"
	"github.com/dapr/go-sdk/client"
)

const (
	steps    = 5
	branches = 100
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func addOne(ctx workflow.ActivityContext) (any, error) {
	var value int
	if err := ctx.GetInput(&value); err != nil {
		return nil, err
	}
	return value + 1, nil
}

func chain(ctx *workflow.WorkflowContext) (any, error) {
	value := 1
	for range steps {
		if err := ctx.CallActivity("addOne", workflow.WithActivityInput(value)).Await(&value); err != nil {
			return nil, err
		}
	}
	return value, nil
}

func fanout(ctx *workflow.WorkflowContext) (any, error) {
	tasks := make([]workflow.Task, branches)
	for branch := range tasks {
		tasks[branch] = ctx.CallActivity("addOne", workflow.WithActivityInput(branch))
	}
	for _, task := range tasks {
		if err := task.Await(nil); err != nil {
			return nil, err
		}
	}
	return branches, nil
}

func timer(ctx *workflow.WorkflowContext) (any, error) {
	if err := ctx.CreateTimer(time.Second).Await(nil); err != nil {
		return nil, err
	}
	return 1, nil
}

func main() {
	dapr, err := client.NewClient()
	must(err)
	registry := workflow.NewRegistry()
	must(registry.AddActivityN("addOne", addOne))
	must(registry.AddWorkflowN("chain", chain))
	must(registry.AddWorkflowN("fanout", fanout))
	must(registry.AddWorkflowN("timer", timer))
	must(workflow.NewClient(dapr.GrpcClientConn()).StartWorker(context.Background(), registry))
	fmt.Fprintln(os.Stderr, "worker started")
	select {}
}
