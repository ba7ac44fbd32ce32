// Package apigateway is what the two kinds of API Gateway's APIs share: where APIs,
// deployments and stages are kept, by which names and paths requests for them come, and
// how the functions behind them are invoked.
//
// What an API is, and how it answers, is for the packages below: httpapi and restapi. To
// this package a definition is text. A deployment is a copy of it, which never changes; a
// stage shows one, so what is changed afterwards is not live.
//
//	s := apigateway.NewStore(d, now)
//	g := apigateway.New(log, s, map[string]apigateway.Server{apigateway.HTTP: web, apigateway.REST: rest})
//	if g.Takes(r) {
//		g.ServeHTTP(w, r)
//	}
//
// It keeps gateway_api, gateway_deployment and gateway_stage.
package apigateway
