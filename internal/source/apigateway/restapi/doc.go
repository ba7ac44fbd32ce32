// Package restapi is API Gateway's REST APIs: resources, methods, integrations, stages and
// deployments, and how a request is matched, authorized, mapped with templates, handed to a
// function or sent on, and answered.
//
// It is not the API by which they are made: api/apigateway speaks that. What is kept of an
// API, by package apigateway, is AWS's own shapes in AWS's spelling, which stays.
// Cognito authorizers, VPC links and integrations with other services are refused.
//
//	rest := restapi.New(log, d, invoker, client, now)
//	err := rest.Change(ctx, place, id, func(d *restapi.Definition) error { ... })
package restapi
