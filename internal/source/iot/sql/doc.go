// Package sql is a subset of the SQL of AWS IoT's topic rules: what a rule selects of a
// message, which topics it is for, and which messages.
//
// It knows nothing of rules, of what is done with the result, or of MQTT. What it has:
//
//	SELECT *, topic(2) AS serial FROM 'iotbutton/+' WHERE clickType = 'SINGLE' AND cast(batteryVoltage AS Decimal) > 1000
//
// paths into JSON with dots and indexes, literals with objects and arrays, arithmetic,
// comparisons, AND, OR, NOT, IN, CASE, and the functions in functions.go. Nested
// queries, and functions that call other services, are refused where a rule is made.
//
//	q, err := sql.Parse("SELECT * FROM 'iotbutton/+'")
//	body, ok, err := q.Run(sql.Message{Topic: "iotbutton/G030", Payload: payload, Time: now})
package sql
