package main

import (
	"context"

	"github.com/dapr/go-sdk/client"
	"github.com/dapr/go-sdk/service/common"
	daprd "github.com/dapr/go-sdk/service/http"
)

// blockVerbs are the other building blocks, in brief.
func blockVerbs(dapr client.Client) map[string]func(words) (any, error) {
	ctx := context.Background()
	var subscription *client.Subscription
	return map[string]func(words) (any, error){
		"save": func(w words) (any, error) {
			return nil, dapr.SaveState(ctx, w.text(0), w.text(1), w[2], nil)
		},
		"get": func(w words) (any, error) {
			item, err := dapr.GetState(ctx, w.text(0), w.text(1), nil)
			if err != nil {
				return nil, err
			}
			return string(item.Value), nil
		},
		"publish": func(w words) (any, error) {
			return nil, dapr.PublishEvent(ctx, w.text(0), w.text(1), w[2], client.PublishEventWithContentType("application/json"))
		},
		"subscribe": func(w words) (any, error) {
			subscribed, err := dapr.Subscribe(ctx, client.SubscriptionOptions{PubsubName: w.text(0), Topic: w.text(1)})
			subscription = subscribed
			return nil, err
		},
		"receive": func(words) (any, error) {
			event, err := subscription.Receive()
			if err != nil {
				return nil, err
			}
			return event.Data, event.Success()
		},
		"invoke": func(w words) (any, error) {
			content := &client.DataContent{ContentType: "text/plain", Data: []byte(w.text(2))}
			answer, err := dapr.InvokeMethodWithContent(ctx, w.text(0), w.text(1), "post", content)
			return string(answer), err
		},
	}
}

// serve answers the calls of other apps, on the port that the sidecar knows.
func serve(port string) {
	service := daprd.NewService(":" + port)
	must(service.AddServiceInvocationHandler("/greet", func(_ context.Context, in *common.InvocationEvent) (*common.Content, error) {
		return &common.Content{Data: []byte("hello " + string(in.Data)), ContentType: "text/plain"}, nil
	}))
	go func() { must(service.Start()) }()
}
