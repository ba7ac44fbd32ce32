// Package usage keeps API keys and usage plans of API Gateway's REST APIs, and decides
// whether a request with a key may pass: a plan that has the key must cover the API's
// stage, and say how fast and how often it is used. It knows nothing of how APIs answer.
//
//	p := usage.New(db, now)
//	key, err := p.Find(ctx, place, value, api, stage)
//	err = p.Spend(ctx, key, "/pets/GET")
//
// A definition is AWS's own shape in AWS's spelling, which stays. The value of a key is
// sealed, and found by its digest. What was used is counted for each day of UTC, in the
// transaction that lets a request pass, so that all servers on a store count together.
//
// Limits that a stage itself has for a method are held here, too: Throttle.
//
// It keeps gateway_key, gateway_usage_plan, gateway_plan_key, gateway_usage and
// gateway_bucket.
package usage
