// Package httpapi is API Gateway's HTTP APIs: routes, integrations, authorizers, stages and
// deployments, and how a request is matched, authorized, handed to a function or sent on,
// and answered.
//
// It is not the API by which they are made: api/apigatewayv2 speaks that. What is kept of
// an API, by package apigateway, is AWS's own shapes in AWS's spelling, which stays.
// WebSocket APIs, JWT authorizers, VPC links and integrations with other services are
// refused.
//
//	web := httpapi.New(log, d, invoker, httpapi.Options{...})
//	err := web.Change(ctx, place, id, func(d *httpapi.Definition) error { return d.PutRoute(route) })
package httpapi
