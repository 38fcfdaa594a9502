// The inventory service: reserves stock for an order or rejects it, once per order. Standard library only, no SDK.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
)

type object = map[string]any

var (
	mecha  = "http://127.0.0.1:" + os.Getenv("DAPR_HTTP_PORT") + "/v1.0"
	stocks = mecha + "/state/stocks"
	once   = object{"concurrency": "first-write"}
)

// load gives value and etag of a key; a nil value when there is none.
func load(key string) (value object, etag string, err error) {
	answer, err := http.Get(stocks + "/" + url.PathEscape(key))
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNoContent {
		return nil, "", nil
	} else if answer.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("reading %s: %s", key, answer.Status)
	}
	return value, answer.Header.Get("ETag"), json.NewDecoder(answer.Body).Decode(&value)
}

func post(target string, body any) error {
	text, _ := json.Marshal(body)
	answer, err := http.Post(target, "application/json", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s: %s", target, answer.Status)
	}
	return nil
}

// reserve changes stock and reservation together or not at all; the etag keeps two orders from taking the same piece.
func reserve(order object) (object, error) {
	item, quantity := order["item"].(string), order["quantity"].(float64)
	stock, etag, err := load("stock-" + item)
	if err != nil {
		return nil, err
	}
	reservation := object{"orderId": order["id"], "item": item, "quantity": 0, "outcome": "rejected"}
	request := object{"key": fmt.Sprint("reservation-", order["id"]), "value": reservation, "options": once}
	operations := []object{{"operation": "upsert", "request": request}}
	if stock != nil && stock["left"].(float64) >= quantity {
		reservation["quantity"], reservation["outcome"] = quantity, "reserved"
		stock["left"] = stock["left"].(float64) - quantity
		taken := object{"key": "stock-" + item, "value": stock, "etag": etag, "options": once}
		operations = append(operations, object{"operation": "upsert", "request": taken})
	}
	return reservation, post(stocks+"/transaction", object{"operations": operations})
}

// orderCreated gives an order that was seen before the same answer again: that is all it takes to be idempotent.
func orderCreated(order object) error {
	reservation, _, err := load(fmt.Sprint("reservation-", order["id"]))
	if err == nil && reservation == nil {
		reservation, err = reserve(order)
	}
	if err != nil {
		return err
	}
	return post(fmt.Sprint(mecha, "/publish/pubsub/stock-", reservation["outcome"]), object{"orderId": order["id"], "item": order["item"]})
}

// handle gives status and body for a request.
func handle(method, path string, body object) (int, object, error) {
	item, isStock := strings.CutPrefix(path, "/stock/")
	switch {
	case method == "POST" && path == "/order-created":
		return http.StatusOK, object{}, orderCreated(body["data"].(object))
	case method == "GET" && isStock:
		if stock, _, err := load("stock-" + item); stock != nil || err != nil {
			return http.StatusOK, stock, err
		}
	case method == "PUT" && isStock:
		quantity, isNumber := body["quantity"].(float64)
		if !isNumber || quantity < 0 || quantity != float64(int(quantity)) {
			return http.StatusBadRequest, object{"error": "a stock needs a quantity that is a whole number"}, nil
		}
		stock := object{"item": item, "initial": quantity, "left": quantity}
		return http.StatusNoContent, nil, post(stocks, []object{{"key": "stock-" + item, "value": stock}})
	}
	return http.StatusNotFound, object{"error": "no such item or path"}, nil
}

func main() {
	fmt.Println("inventory service (Go) on port", os.Getenv("APP_PORT"))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("APP_PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body object
		json.NewDecoder(r.Body).Decode(&body) // no body is an empty one
		status, answer, err := handle(r.Method, r.URL.Path, body)
		if err != nil {
			log.Print(err)
			status, answer = http.StatusInternalServerError, object{"error": err.Error()}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if answer != nil {
			json.NewEncoder(w).Encode(answer)
		}
	})))
}
