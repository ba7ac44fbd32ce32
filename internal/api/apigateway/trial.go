package apigateway

import (
	"context"
	"net/http"

	"plumb/internal/caller"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway/restapi"
)

// TestInvokeMethod tries a method as it is now, deployed or not.
func (o operations) TestInvokeMethod(ctx context.Context, in *apigatewayapi.TestInvokeMethodInput) (*apigatewayapi.TestInvokeMethodOutput, error) {
	if in.ClientCertificateId != nil {
		return nil, invalid("Client certificates are not supported here.")
	}
	header := http.Header{}
	for name, values := range in.MultiValueHeaders {
		for _, v := range values {
			header.Add(name, v)
		}
	}
	for name, v := range in.Headers {
		header.Set(name, v)
	}
	out, err := o.apis.Try(ctx, caller.Place(ctx), *in.RestApiId, restapi.Trial{
		Resource: *in.ResourceId, Method: *in.HttpMethod, Path: model.Deref(in.PathWithQueryString), Header: header, Body: []byte(model.Deref(in.Body)),
		Variables: in.StageVariables,
	})
	if err != nil {
		return nil, err
	}
	single := map[string]string{}
	for name := range out.Header {
		single[name] = out.Header[name][len(out.Header[name])-1]
	}
	return &apigatewayapi.TestInvokeMethodOutput{
		Status: new(int32(out.Status)), Body: new(string(out.Body)), Headers: single, MultiValueHeaders: out.Header, Log: &out.Log, Latency: new(out.Latency.Milliseconds()),
	}, nil
}
