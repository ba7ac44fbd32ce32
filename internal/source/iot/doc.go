// Package iot is the embedded AWS IoT: topic rules, the messages that they are asked of,
// the broker of MQTT that devices talk to, retained messages, and things.
//
// It is not IoT's API: api/iot and api/iotdata speak that. The language of rules is
// package sql below it. It stores iot_rules, iot_things, iot_retained, and in
// iot_endpoints the places whose address for devices somebody asked for.
//
// A message comes by MQTT, from a client that publishes it by HTTP, or from a button
// that is pressed. Where a rule is for its topic it is kept, as a job, before its sender
// is told that it was taken. The job asks the rules, and its commit hands what they
// select to functions, topics and queues; objects are written by a job of their own.
// What is refused goes to the rule's error action.
//
//	e := iot.New(log, d, jobs, clk.Now, iot.Options{Functions: functions, Send: send, Put: put})
//	b := iot.NewBroker(log, iot.BrokerOptions{Engine: func() *iot.Engine { return e }, Identify: identify})
//	stop, err := b.Serve(listener)
//	err = e.Publish(ctx, iot.Message{Place: p, Topic: "iotbutton/G030", Payload: payload})
package iot
