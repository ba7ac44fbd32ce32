package lambda

import (
	"cmp"
	"context"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/lambda"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/source/httpevent"
)

func registerURLs(s *lambdaapi.Service, f face) {
	s.CreateFunctionUrlConfig(f.CreateFunctionUrlConfig)
	s.GetFunctionUrlConfig(f.GetFunctionUrlConfig)
	s.UpdateFunctionUrlConfig(f.UpdateFunctionUrlConfig)
	s.ListFunctionUrlConfigs(f.ListFunctionUrlConfigs)
	s.DeleteFunctionUrlConfig(f.DeleteFunctionUrlConfig)
}

// urlTime is how the API writes the times of URLs.
const urlTime = "2006-01-02T15:04:05.000000Z"

// CreateFunctionUrlConfig gives a function or an alias an address.
func (f face) CreateFunctionUrlConfig(
	ctx context.Context, in *lambdaapi.CreateFunctionUrlConfigInput,
) (*lambdaapi.CreateFunctionUrlConfigOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	u, err := f.functions.CreateURL(ctx, r, lambda.URLSettings{
		Auth: string(in.AuthType), Mode: cmp.Or(string(in.InvokeMode), "BUFFERED"), CORS: corsOf(in.Cors),
	})
	if err != nil {
		return nil, err
	}
	c := urlShape(ctx, u)
	return &lambdaapi.CreateFunctionUrlConfigOutput{
		FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors, CreationTime: c.CreationTime, InvokeMode: c.InvokeMode,
	}, nil
}

// GetFunctionUrlConfig returns a URL.
func (f face) GetFunctionUrlConfig(
	ctx context.Context, in *lambdaapi.GetFunctionUrlConfigInput,
) (*lambdaapi.GetFunctionUrlConfigOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	u, err := f.functions.URL(ctx, r)
	if err != nil {
		return nil, err
	}
	c := urlShape(ctx, u)
	return &lambdaapi.GetFunctionUrlConfigOutput{
		FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors, CreationTime: c.CreationTime,
		LastModifiedTime: c.LastModifiedTime, InvokeMode: c.InvokeMode,
	}, nil
}

// UpdateFunctionUrlConfig changes what is given of a URL.
func (f face) UpdateFunctionUrlConfig(
	ctx context.Context, in *lambdaapi.UpdateFunctionUrlConfigInput,
) (*lambdaapi.UpdateFunctionUrlConfigOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	u, err := f.functions.UpdateURL(ctx, r, func(s *lambda.URLSettings) {
		s.Auth, s.Mode = cmp.Or(string(in.AuthType), s.Auth), cmp.Or(string(in.InvokeMode), s.Mode)
		if in.Cors != nil {
			s.CORS = corsOf(in.Cors)
		}
	})
	if err != nil {
		return nil, err
	}
	c := urlShape(ctx, u)
	return &lambdaapi.UpdateFunctionUrlConfigOutput{
		FunctionUrl: c.FunctionUrl, FunctionArn: c.FunctionArn, AuthType: c.AuthType, Cors: c.Cors, CreationTime: c.CreationTime,
		LastModifiedTime: c.LastModifiedTime, InvokeMode: c.InvokeMode,
	}, nil
}

// ListFunctionUrlConfigs lists the URLs of a function and its aliases.
func (f face) ListFunctionUrlConfigs(
	ctx context.Context, in *lambdaapi.ListFunctionUrlConfigsInput,
) (*lambdaapi.ListFunctionUrlConfigsOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	var after *string
	if in.Marker != nil {
		after = new(strings.TrimPrefix(*in.Marker, "after:"))
	}
	n := limit(in.MaxItems, 50)
	found, err := f.functions.URLs(ctx, r, after, n+1)
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListFunctionUrlConfigsOutput{FunctionUrlConfigs: []lambdaapi.FunctionUrlConfig{}}
	if len(found) > n {
		found = found[:n]
		out.NextMarker = new("after:" + found[n-1].Ref.Qualifier) // the function's own URL has no qualifier
	}
	for _, u := range found {
		out.FunctionUrlConfigs = append(out.FunctionUrlConfigs, urlShape(ctx, u))
	}
	return out, nil
}

// DeleteFunctionUrlConfig takes a URL away.
func (f face) DeleteFunctionUrlConfig(
	ctx context.Context, in *lambdaapi.DeleteFunctionUrlConfigInput,
) (*lambdaapi.DeleteFunctionUrlConfigOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return nil, f.functions.DeleteURL(ctx, r)
}

func urlShape(ctx context.Context, u lambda.URL) lambdaapi.FunctionUrlConfig {
	return lambdaapi.FunctionUrlConfig{
		FunctionUrl: new(addressOf(ctx, u)), FunctionArn: new(u.Ref.ARN()), AuthType: lambdaapi.FunctionUrlAuthType(u.Auth), Cors: corsShape(u.CORS),
		CreationTime: new(u.Created.UTC().Format(urlTime)), LastModifiedTime: new(u.Modified.UTC().Format(urlTime)), InvokeMode: lambdaapi.InvokeMode(u.Mode),
	}
}

func corsOf(c *lambdaapi.Cors) *lambda.CORS {
	if c == nil {
		return nil
	}
	return &lambda.CORS{
		Credentials: c.AllowCredentials, Headers: c.AllowHeaders, Methods: c.AllowMethods, Origins: c.AllowOrigins, Expose: c.ExposeHeaders,
		MaxAge: number(c.MaxAge),
	}
}

func corsShape(c *lambda.CORS) *lambdaapi.Cors {
	if c == nil {
		return nil
	}
	return &lambdaapi.Cors{
		AllowCredentials: c.Credentials, AllowHeaders: c.Headers, AllowMethods: c.Methods, AllowOrigins: c.Origins, ExposeHeaders: c.Expose,
		MaxAge: number32(c.MaxAge),
	}
}

// addressOf returns the address of a URL.
func addressOf(ctx context.Context, u lambda.URL) string {
	domain := "on.aws"
	if arn.Partition(u.Ref.Region) == "aws-cn" {
		domain = "on.amazonwebservices.com.cn"
	}
	return httpevent.Address(ctx, u.ID+".lambda-url."+u.Ref.Region+".", domain) + "/"
}
