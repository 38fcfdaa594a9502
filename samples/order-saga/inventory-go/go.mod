module mecha/samples/order-saga/inventory

go 1.21
