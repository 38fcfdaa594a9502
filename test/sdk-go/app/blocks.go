package main

import (
	"context"

	"github.com/dapr/go-sdk/client"
)

// blockVerbs are the other building blocks, in brief.
func blockVerbs(dapr client.Client) map[string]func(words) (any, error) {
	ctx := context.Background()
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
		"receive": func(w words) (any, error) {
			subscription, err := dapr.Subscribe(ctx, client.SubscriptionOptions{PubsubName: w.text(0), Topic: w.text(1)})
			if err != nil {
				return nil, err
			}
			defer subscription.Close()
			event, err := subscription.Receive()
			if err != nil {
				return nil, err
			}
			return event.Data, event.Success()
		},
		"invoke": func(w words) (any, error) {
			answer, err := dapr.InvokeMethod(ctx, w.text(0), w.text(1), "get")
			return string(answer), err
		},
	}
}
