package httpapi

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/apigateway"
)

// API Gateway's limits for one API.
const (
	maxRoutes       = 300
	maxIntegrations = 300
	maxAuthorizers  = 10
	maxTags         = 50
)

// Default is the name of the route that takes what no other does, and of the stage without
// a path.
const Default = "$default"

// A Definition is what an API is.
type Definition struct {
	API          apigatewayv2api.Api           `json:"api"`
	Routes       []apigatewayv2api.Route       `json:"routes,omitempty"`
	Integrations []apigatewayv2api.Integration `json:"integrations,omitempty"`
	Authorizers  []apigatewayv2api.Authorizer  `json:"authorizers,omitempty"`
}

func read(text []byte) (d Definition, err error) {
	err = json.Unmarshal(text, &d)
	return d, err
}

func invalid(format string, args ...any) error {
	return apigatewayv2api.BadRequestException(format, args...)
}

func notFound(kind string, id string) error {
	return apigatewayv2api.NotFoundException("Unable to find %s by ID %s within the provided API", kind, id)
}

// Merge lays what an update says over what is there: members that it does not name stay,
// and maps are joined.
func Merge(over any, update any) error {
	text, err := json.Marshal(update)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, over)
}

// dropEmpty removes what an update has emptied, which is how a client removes it.
func dropEmpty(m map[string]string) {
	for key, value := range m {
		if value == "" {
			delete(m, key)
		}
	}
}

// Route returns a route by its id.
func (d *Definition) Route(id string) (*apigatewayv2api.Route, error) {
	for i := range d.Routes {
		if *d.Routes[i].RouteId == id {
			return &d.Routes[i], nil
		}
	}
	return nil, notFound("Route", id)
}

// Integration returns an integration by its id.
func (d *Definition) Integration(id string) (*apigatewayv2api.Integration, error) {
	for i := range d.Integrations {
		if *d.Integrations[i].IntegrationId == id {
			return &d.Integrations[i], nil
		}
	}
	return nil, notFound("Integration", id)
}

// Authorizer returns an authorizer by its id.
func (d *Definition) Authorizer(id string) (*apigatewayv2api.Authorizer, error) {
	for i := range d.Authorizers {
		if *d.Authorizers[i].AuthorizerId == id {
			return &d.Authorizers[i], nil
		}
	}
	return nil, notFound("Authorizer", id)
}

// AddRoute adds a route and gives it its id.
func (d *Definition) AddRoute(r apigatewayv2api.Route) (*apigatewayv2api.Route, error) {
	if len(d.Routes) >= maxRoutes {
		return nil, invalid("Maximum number of Routes for this API has been reached: %d.", maxRoutes)
	}
	r.RouteId = new(apigateway.NewID(7))
	d.Routes = append(d.Routes, r)
	out := &d.Routes[len(d.Routes)-1]
	return out, d.CheckRoute(out)
}

// AddIntegration adds an integration and gives it its id.
func (d *Definition) AddIntegration(i apigatewayv2api.Integration) (*apigatewayv2api.Integration, error) {
	if len(d.Integrations) >= maxIntegrations {
		return nil, invalid("Maximum number of Integrations for this API has been reached: %d.", maxIntegrations)
	}
	i.IntegrationId = new(apigateway.NewID(7))
	d.Integrations = append(d.Integrations, i)
	out := &d.Integrations[len(d.Integrations)-1]
	return out, CheckIntegration(out)
}

// AddAuthorizer adds an authorizer and gives it its id.
func (d *Definition) AddAuthorizer(a apigatewayv2api.Authorizer) (*apigatewayv2api.Authorizer, error) {
	if len(d.Authorizers) >= maxAuthorizers {
		return nil, invalid("Maximum number of Authorizers for this API has been reached: %d.", maxAuthorizers)
	}
	a.AuthorizerId = new(apigateway.NewID(6))
	d.Authorizers = append(d.Authorizers, a)
	out := &d.Authorizers[len(d.Authorizers)-1]
	return out, d.CheckAuthorizer(out)
}

// DeleteRoute removes a route.
func (d *Definition) DeleteRoute(id string) error {
	if _, err := d.Route(id); err != nil {
		return err
	}
	d.Routes = slices.DeleteFunc(d.Routes, func(r apigatewayv2api.Route) bool { return *r.RouteId == id })
	return nil
}

// DeleteIntegration removes an integration that no route has as its target.
func (d *Definition) DeleteIntegration(id string) error {
	if _, err := d.Integration(id); err != nil {
		return err
	}
	for _, r := range d.Routes {
		if model.Deref(r.Target) == "integrations/"+id {
			return apigatewayv2api.ConflictException("Cannot delete Integration %s due to existing references in Route %s", id, *r.RouteId)
		}
	}
	d.Integrations = slices.DeleteFunc(d.Integrations, func(i apigatewayv2api.Integration) bool { return *i.IntegrationId == id })
	return nil
}

// DeleteAuthorizer removes an authorizer that no route asks.
func (d *Definition) DeleteAuthorizer(id string) error {
	if _, err := d.Authorizer(id); err != nil {
		return err
	}
	for _, r := range d.Routes {
		if model.Deref(r.AuthorizerId) == id {
			return apigatewayv2api.ConflictException("Cannot delete Authorizer %s due to existing references in Route %s", id, *r.RouteId)
		}
	}
	d.Authorizers = slices.DeleteFunc(d.Authorizers, func(a apigatewayv2api.Authorizer) bool { return *a.AuthorizerId == id })
	return nil
}

var (
	routeKey = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|ANY) (/\S*)$`)
	variable = regexp.MustCompile(`^\{[A-Za-z0-9._:-]+\+?\}$`)
)

// CheckRoute refuses a route that cannot work, and sets what it leaves out.
func (d *Definition) CheckRoute(r *apigatewayv2api.Route) error {
	key := model.Deref(r.RouteKey)
	if err := checkKey(key); err != nil {
		return err
	}
	for _, other := range d.Routes {
		if *other.RouteKey == key && *other.RouteId != *r.RouteId {
			return apigatewayv2api.ConflictException("Route with key %s already exists for this API", key)
		}
	}
	if r.ApiKeyRequired == nil {
		r.ApiKeyRequired = new(false)
	}
	if *r.ApiKeyRequired {
		return invalid("ApiKeyRequired is not supported for HTTP APIs.")
	}
	if target := model.Deref(r.Target); target != "" {
		id, ok := strings.CutPrefix(target, "integrations/")
		if !ok {
			return invalid("Invalid target specified: %s", target)
		}
		if _, err := d.Integration(id); err != nil {
			return err
		}
	}
	return d.checkAuthorization(r)
}

func (d *Definition) checkAuthorization(r *apigatewayv2api.Route) error {
	switch r.AuthorizationType {
	case "", apigatewayv2api.AuthorizationTypeNone:
		r.AuthorizationType, r.AuthorizerId = apigatewayv2api.AuthorizationTypeNone, nil
	case apigatewayv2api.AuthorizationTypeAwsIam:
		r.AuthorizerId = nil
	case apigatewayv2api.AuthorizationTypeCustom:
		if model.Deref(r.AuthorizerId) == "" {
			return invalid("AuthorizerId must be specified for CUSTOM authorization type")
		}
		if _, err := d.Authorizer(*r.AuthorizerId); err != nil {
			return err
		}
	default:
		return invalid("JWT authorizers are not supported here: use a REQUEST authorizer.")
	}
	return nil
}

func checkKey(key string) error {
	if key == Default {
		return nil
	}
	m := routeKey.FindStringSubmatch(key)
	if m == nil {
		return invalid("The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"")
	}
	segments := strings.Split(m[2], "/")[1:]
	for i, s := range segments {
		if strings.ContainsAny(s, "{}") && !variable.MatchString(s) || strings.HasSuffix(s, "+}") && i < len(segments)-1 {
			return invalid("Unable to parse the route key %s: a path variable is a whole segment, and a greedy one the last.", key)
		}
	}
	return nil
}

// CheckIntegration refuses an integration that cannot work, and sets what it leaves out.
func CheckIntegration(i *apigatewayv2api.Integration) error {
	if i.ConnectionType == apigatewayv2api.ConnectionTypeVpcLink {
		return invalid("VPC links are not supported here.")
	}
	i.ConnectionType = apigatewayv2api.ConnectionTypeInternet
	if model.Deref(i.IntegrationSubtype) != "" {
		return invalid("Integrations with other services than Lambda are not supported here.")
	}
	if i.TimeoutInMillis == nil {
		i.TimeoutInMillis = new(int32(maxTimeout.Milliseconds()))
	}
	if t := *i.TimeoutInMillis; t < 50 || int64(t) > maxTimeout.Milliseconds() {
		return invalid("Timeout should be between 50 ms and %d ms", maxTimeout.Milliseconds())
	}
	if v := model.Deref(i.PayloadFormatVersion); v != "" && v != "1.0" && v != "2.0" {
		return invalid("Invalid PayloadFormatVersion specified: %s. Allowed values are 1.0 and 2.0.", v)
	}
	to := model.Deref(i.IntegrationUri)
	switch i.IntegrationType {
	case apigatewayv2api.IntegrationTypeAwsProxy:
		if i.PayloadFormatVersion == nil {
			return invalid("PayloadFormatVersion is a required parameter for integration")
		}
		if _, err := lambda.ParseARN(apigateway.FunctionARN(to)); err != nil && !strings.Contains(to, "${stageVariables.") {
			return invalid("Invalid integration URI specified: %s", to)
		}
		i.IntegrationMethod = new("POST")
	case apigatewayv2api.IntegrationTypeHttpProxy:
		if i.PayloadFormatVersion == nil {
			i.PayloadFormatVersion = new("1.0")
		}
		if *i.PayloadFormatVersion != "1.0" {
			return invalid("PayloadFormatVersion of an HTTP_PROXY integration is 1.0.")
		}
		if model.Deref(i.IntegrationMethod) == "" {
			return invalid("HttpMethod must be specified for HTTP_PROXY integrations")
		}
		u, err := url.Parse(placeholder.ReplaceAllString(strings.NewReplacer("{", "", "}", "", "+", "").Replace(to), "x"))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return invalid("Invalid HTTP endpoint specified for URI: %s", to)
		}
	default:
		return invalid("IntegrationType %s is not supported for HTTP APIs: AWS_PROXY and HTTP_PROXY are.", i.IntegrationType)
	}
	dropEmpty(i.RequestParameters)
	return checkParameters(*i)
}

// placeholder is a variable of the stage in a URI, without its braces.
var placeholder = regexp.MustCompile(`\$stageVariables\.\w+`)

// CheckAuthorizer refuses an authorizer that cannot work, and sets what it leaves out.
func (d *Definition) CheckAuthorizer(a *apigatewayv2api.Authorizer) error {
	if a.AuthorizerType != apigatewayv2api.AuthorizerTypeRequest {
		return invalid("JWT authorizers are not supported here: use a REQUEST authorizer.")
	}
	for _, other := range d.Authorizers {
		if *other.Name == *a.Name && *other.AuthorizerId != *a.AuthorizerId {
			return apigatewayv2api.ConflictException("Authorizer with name %s already exists for this API", *a.Name)
		}
	}
	if v := model.Deref(a.AuthorizerPayloadFormatVersion); v != "1.0" && v != "2.0" {
		return invalid("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer: 1.0 or 2.0")
	}
	if model.Deref(a.EnableSimpleResponses) && *a.AuthorizerPayloadFormatVersion == "1.0" {
		return invalid("EnableSimpleResponses is supported for AuthorizerPayloadFormatVersion 2.0 only")
	}
	if _, err := lambda.ParseARN(apigateway.FunctionARN(model.Deref(a.AuthorizerUri))); err != nil && !strings.Contains(model.Deref(a.AuthorizerUri), "${stageVariables.") {
		return invalid("Invalid Authorizer URI: %s", model.Deref(a.AuthorizerUri))
	}
	for _, source := range a.IdentitySource {
		if !identitySource.MatchString(source) {
			return invalid("Invalid identity source specified: %s", source)
		}
	}
	ttl := model.Deref(a.AuthorizerResultTtlInSeconds)
	if ttl < 0 || ttl > 3600 {
		return invalid("AuthorizerResultTtlInSeconds must be between 0 and 3600")
	}
	if ttl > 0 && len(a.IdentitySource) == 0 {
		return invalid("IdentitySource must be specified when caching is enabled")
	}
	a.AuthorizerResultTtlInSeconds = &ttl
	return nil
}

// identitySource is where a REQUEST authorizer's identity stands in a request.
var identitySource = regexp.MustCompile(`^\$(request\.(header|querystring)\.[^.\s]+|context\.[\w.]+|stageVariables\.\w+)$`)
