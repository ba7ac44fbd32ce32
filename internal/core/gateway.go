package core

import (
	"net/http"

	"plumb/internal/source/apigateway"
	"plumb/internal/source/apigateway/httpapi"
	"plumb/internal/source/apigateway/restapi"
)

// addGateway makes API Gateway's APIs. client makes the calls of integrations that lead to
// an address.
func (m *Machine) addGateway(client *http.Client) {
	invoker := apigateway.Invoker{DB: m.DB, Functions: m.Functions}
	m.HTTPAPIs = httpapi.New(m.log, m.DB, invoker, client, m.Clock.Now)
	m.RESTAPIs = restapi.New(m.log, m.DB, invoker, client, m.Clock.Now)
}
