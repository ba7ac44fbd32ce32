// Package outside is the way to other accounts and endpoints: the services that
// the settings name for a place, in front of those embedded here.
//
// It decides one thing, the same everywhere: does the place have an outside
// service for this? Then that one is called, with the place's credentials; else
// the embedded one. Source reads resources for the recorder, Destination takes
// what delivery sends, Buses what it tells an outside EventBridge, Targets and Functions serve Lambda, Forwarder sends on
// requests for services that are not served here. It keeps clients in memory, and
// in the store only the jobs that call out.
//
//	c := outside.NewClients(s, models)
//	client, err := c.Service(ctx, place, "sns") // nil: the embedded one
package outside
