package restapi

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway"
)

// API Gateway's limits for one API.
const (
	maxResources   = 300
	maxAuthorizers = 10
	maxTags        = 50
)

// A Definition is what an API is.
type Definition struct {
	API         apigatewayapi.RestApi            `json:"api"`
	Resources   []apigatewayapi.Resource         `json:"resources"`
	Authorizers []apigatewayapi.Authorizer       `json:"authorizers,omitempty"`
	Models      []apigatewayapi.Model            `json:"models,omitzero"` // nil is an API of before there were models
	Validators  []apigatewayapi.RequestValidator `json:"validators,omitempty"`
	// Responses are API Gateway's own answers that are other than usual.
	Responses map[apigatewayapi.GatewayResponseType]apigatewayapi.GatewayResponse `json:"responses,omitempty"`
}

func read(text []byte) (d Definition, err error) {
	err = json.Unmarshal(text, &d)
	if d.Models == nil {
		d.Models = usualModels()
	}
	return d, err
}

func invalid(format string, args ...any) error {
	return apigatewayapi.BadRequestException(format, args...)
}

func notFound(format string, args ...any) error {
	return apigatewayapi.NotFoundException(format, args...)
}

// Copy lays what an input says over a shape with the same members.
func Copy(over, from any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, over)
}

// Resource returns a resource by its id.
func (d *Definition) Resource(id string) (*apigatewayapi.Resource, error) {
	for i := range d.Resources {
		if *d.Resources[i].Id == id {
			return &d.Resources[i], nil
		}
	}
	return nil, notFound("Invalid Resource identifier specified")
}

// Method returns a method of a resource. It is a copy: PutMethod keeps it.
func (d *Definition) Method(resource, verb string) (apigatewayapi.Method, error) {
	r, err := d.Resource(resource)
	if err != nil {
		return apigatewayapi.Method{}, err
	}
	m, ok := r.ResourceMethods[verb]
	if !ok {
		return m, notFound("Invalid Method identifier specified")
	}
	return m, nil
}

// Authorizer returns an authorizer by its id.
func (d *Definition) Authorizer(id string) (*apigatewayapi.Authorizer, error) {
	for i := range d.Authorizers {
		if *d.Authorizers[i].Id == id {
			return &d.Authorizers[i], nil
		}
	}
	return nil, notFound("Invalid Authorizer identifier specified")
}

var pathPart = regexp.MustCompile(`^(\{[A-Za-z0-9._:-]+\+?\}|[A-Za-z0-9._:~!$&'()*+,;=@%-]+)$`)

// AddResource adds a resource below another one.
func (d *Definition) AddResource(parent, part string) (apigatewayapi.Resource, error) {
	above, err := d.Resource(parent)
	if err != nil {
		return apigatewayapi.Resource{}, err
	}
	if len(d.Resources) >= maxResources {
		return apigatewayapi.Resource{}, apigatewayapi.LimitExceededException("Maximum number of Resources for this API has been reached: %d.", maxResources)
	}
	if strings.HasSuffix(*above.Path, "+}") {
		return apigatewayapi.Resource{}, invalid("Cannot create a child of a resource with a greedy path variable.")
	}
	r := apigatewayapi.Resource{Id: new(apigateway.NewID(6)), ParentId: &parent}
	if err := d.place(&r, *above.Path, part); err != nil {
		return r, err
	}
	d.Resources = append(d.Resources, r)
	return r, nil
}

// place gives a resource its path.
func (d *Definition) place(r *apigatewayapi.Resource, above, part string) error {
	if !pathPart.MatchString(part) {
		return invalid("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.")
	}
	isVariable := strings.HasPrefix(part, "{")
	for _, other := range d.Resources {
		if model.Deref(other.ParentId) != model.Deref(r.ParentId) || *other.Id == *r.Id {
			continue
		}
		name := model.Deref(other.PathPart)
		if name == part {
			return apigatewayapi.ConflictException("Another resource with the same parent already has this name: %s", part)
		}
		if isVariable && strings.HasPrefix(name, "{") {
			return invalid("A sibling (%s) of this resource already has a variable path part -- only one is allowed", name)
		}
	}
	r.PathPart, r.Path = &part, new(strings.TrimSuffix(above, "/")+"/"+part)
	return nil
}

// move recomputes the paths below a resource whose own has changed.
func (d *Definition) move(id string) {
	above, err := d.Resource(id)
	if err != nil {
		return
	}
	for i := range d.Resources {
		if model.Deref(d.Resources[i].ParentId) == id {
			d.Resources[i].Path = new(strings.TrimSuffix(*above.Path, "/") + "/" + *d.Resources[i].PathPart)
			d.move(*d.Resources[i].Id)
		}
	}
}

// DeleteResource removes a resource with those below it.
func (d *Definition) DeleteResource(id string) error {
	r, err := d.Resource(id)
	if err != nil {
		return err
	}
	if r.ParentId == nil {
		return invalid("Root resource cannot be deleted")
	}
	gone := []string{id}
	for i := 0; i < len(gone); i++ {
		for _, other := range d.Resources {
			if model.Deref(other.ParentId) == gone[i] {
				gone = append(gone, *other.Id)
			}
		}
	}
	d.Resources = slices.DeleteFunc(d.Resources, func(r apigatewayapi.Resource) bool { return slices.Contains(gone, *r.Id) })
	return nil
}

var verbs = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"}

// PutMethod keeps a method of a resource.
func (d *Definition) PutMethod(resource, verb string, m apigatewayapi.Method) error {
	r, err := d.Resource(resource)
	if err != nil {
		return err
	}
	if !slices.Contains(verbs, verb) {
		return invalid("Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,HEAD,OPTIONS,ANY")
	}
	if err := d.checkMethod(&m); err != nil {
		return err
	}
	m.HttpMethod = &verb
	if r.ResourceMethods == nil {
		r.ResourceMethods = map[string]apigatewayapi.Method{}
	}
	r.ResourceMethods[verb] = m
	return nil
}

func (d *Definition) checkMethod(m *apigatewayapi.Method) error {
	if m.ApiKeyRequired == nil {
		m.ApiKeyRequired = new(false)
	}
	switch model.Deref(m.AuthorizationType) {
	case "NONE", "AWS_IAM":
	case "CUSTOM":
		if _, err := d.Authorizer(model.Deref(m.AuthorizerId)); err != nil {
			return invalid("Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.")
		}
	case "COGNITO_USER_POOLS":
		return invalid("Cognito user pools are not supported here: use a TOKEN or REQUEST authorizer.")
	default:
		return invalid("Invalid authorizationType specified. Valid options are NONE, AWS_IAM, CUSTOM")
	}
	if err := d.checkNames(m); err != nil {
		return err
	}
	if m.MethodIntegration != nil {
		return checkIntegration(m.MethodIntegration)
	}
	return nil
}

// maxTimeout is how long an integration may take, in milliseconds.
const maxTimeout = 29_000

func checkIntegration(i *apigatewayapi.Integration) error {
	if i.ConnectionType == apigatewayapi.ConnectionTypeVpcLink {
		return invalid("VPC links are not supported here.")
	}
	if model.Deref(i.TimeoutInMillis) == 0 {
		i.TimeoutInMillis = new(int32(maxTimeout))
	}
	if t := *i.TimeoutInMillis; t < 50 || t > maxTimeout {
		return invalid("Timeout should be between 50 ms and %d ms", maxTimeout)
	}
	if i.PassthroughBehavior == nil {
		i.PassthroughBehavior = new("WHEN_NO_MATCH")
	}
	if !slices.Contains([]string{"WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"}, *i.PassthroughBehavior) {
		return invalid("Invalid passthrough behavior specified")
	}
	switch i.Type {
	case apigatewayapi.IntegrationTypeMock:
		return CheckTemplates(i.RequestTemplates)
	case apigatewayapi.IntegrationTypeHttp, apigatewayapi.IntegrationTypeHttpProxy:
		if model.Deref(i.HttpMethod) == "" {
			return invalid("Enumeration value for HttpMethod must be non-empty")
		}
		if !strings.HasPrefix(model.Deref(i.Uri), "http://") && !strings.HasPrefix(model.Deref(i.Uri), "https://") {
			return invalid("Invalid HTTP endpoint specified for URI")
		}
		return CheckTemplates(i.RequestTemplates)
	}
	if model.Deref(i.HttpMethod) == "" {
		return invalid("Enumeration value for HttpMethod must be non-empty")
	}
	if err := checkURI(i.Type, model.Deref(i.Uri)); err != nil {
		return err
	}
	return CheckTemplates(i.RequestTemplates)
}

// CheckResponse refuses a response of an integration that cannot be made.
func CheckResponse(r apigatewayapi.IntegrationResponse) error {
	if _, err := regexp.Compile(model.Deref(r.SelectionPattern)); err != nil {
		return invalid("Invalid selection pattern specified: %s", *r.SelectionPattern)
	}
	if r.ContentHandling != "" {
		return invalid("ContentHandling is not supported here.")
	}
	return CheckTemplates(r.ResponseTemplates)
}

// serviceURI is the form of an integration's URI for a service.
var serviceURI = regexp.MustCompile(`^arn:aws[a-z-]*:apigateway:[a-z0-9-]+:([a-z0-9.-]+):(path|action)/`)

func checkURI(kind apigatewayapi.IntegrationType, text string) error {
	if !strings.HasPrefix(text, "arn:") {
		return invalid("Invalid ARN specified in the request")
	}
	m := serviceURI.FindStringSubmatch(text)
	switch {
	case m == nil:
		return invalid("AWS ARN for integration must contain path or action")
	case m[1] != "lambda" && kind == apigatewayapi.IntegrationTypeAwsProxy:
		return invalid("Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.")
	case m[1] != "lambda":
		return invalid("Integrations with other services than Lambda are not supported here.")
	case strings.Contains(text, "${stageVariables."):
		return nil
	}
	if _, err := lambda.ParseARN(apigateway.FunctionARN(text)); err != nil {
		return invalid("Invalid function ARN or invalid uri")
	}
	return nil
}

// AddAuthorizer adds an authorizer.
func (d *Definition) AddAuthorizer(a apigatewayapi.Authorizer) (*apigatewayapi.Authorizer, error) {
	if len(d.Authorizers) >= maxAuthorizers {
		return nil, apigatewayapi.LimitExceededException("Maximum number of Authorizers for this API has been reached: %d.", maxAuthorizers)
	}
	a.Id = new(apigateway.NewID(6))
	d.Authorizers = append(d.Authorizers, a)
	out := &d.Authorizers[len(d.Authorizers)-1]
	return out, d.CheckAuthorizer(out)
}

var identitySource = regexp.MustCompile(`^(method\.request\.(header|querystring)\.[^.,\s]+|context\.[\w.]+|stageVariables\.\w+)$`)

// CheckAuthorizer refuses an authorizer that cannot work, and sets what it leaves out.
func (d *Definition) CheckAuthorizer(a *apigatewayapi.Authorizer) error {
	if a.Type == apigatewayapi.AuthorizerTypeCognitoUserPools {
		return invalid("Cognito user pools are not supported here: use a TOKEN or REQUEST authorizer.")
	}
	for _, other := range d.Authorizers {
		if model.Deref(other.Name) == model.Deref(a.Name) && *other.Id != *a.Id {
			return invalid("Authorizer name must be unique. Authorizer %s already exists in this RestApi.", model.Deref(a.Name))
		}
	}
	if err := checkURI(apigatewayapi.IntegrationTypeAwsProxy, model.Deref(a.AuthorizerUri)); err != nil {
		return invalid("Invalid Authorizer URI: %s. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.", model.Deref(a.AuthorizerUri))
	}
	if a.AuthorizerResultTtlInSeconds == nil {
		a.AuthorizerResultTtlInSeconds = new(int32(300))
	}
	ttl := *a.AuthorizerResultTtlInSeconds
	if ttl < 0 || ttl > 3600 {
		return invalid("Authorizer result TTL must be between 0 and 3600 seconds")
	}
	sources := sourcesOf(*a)
	if len(sources) == 0 && (ttl > 0 || a.Type == apigatewayapi.AuthorizerTypeToken) {
		return invalid("Identity source is required when caching is enabled, and for a TOKEN authorizer")
	}
	for _, s := range sources {
		if !identitySource.MatchString(s) || a.Type == apigatewayapi.AuthorizerTypeToken && (len(sources) > 1 || !strings.HasPrefix(s, "method.request.header.")) {
			return invalid("Invalid identity source specified: %s", s)
		}
	}
	if _, err := regexp.Compile(model.Deref(a.IdentityValidationExpression)); err != nil {
		return invalid("Invalid identity validation expression: %s", *a.IdentityValidationExpression)
	}
	a.AuthType = new("custom")
	return nil
}

func sourcesOf(a apigatewayapi.Authorizer) (out []string) {
	for s := range strings.SplitSeq(model.Deref(a.IdentitySource), ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// DeleteAuthorizer removes an authorizer that no method asks.
func (d *Definition) DeleteAuthorizer(id string) error {
	if _, err := d.Authorizer(id); err != nil {
		return err
	}
	for _, r := range d.Resources {
		for _, m := range r.ResourceMethods {
			if model.Deref(m.AuthorizerId) == id {
				return apigatewayapi.ConflictException("Cannot delete authorizer '%s', is referenced in method: %s %s", id, *m.HttpMethod, *r.Path)
			}
		}
	}
	d.Authorizers = slices.DeleteFunc(d.Authorizers, func(a apigatewayapi.Authorizer) bool { return *a.Id == id })
	return nil
}

// PatchResource moves or renames a resource.
func (d *Definition) PatchResource(id string, operations []apigatewayapi.PatchOperation) (apigatewayapi.Resource, error) {
	r, err := d.Resource(id)
	if err != nil {
		return apigatewayapi.Resource{}, err
	}
	if r.ParentId == nil {
		return *r, invalid("Root resource cannot be updated")
	}
	if err := Patch(r, operations, "pathPart", "parentId"); err != nil {
		return *r, err
	}
	for at := *r.ParentId; at != ""; { // it must not be below itself
		if at == id {
			return *r, invalid("Resource cannot be its own parent")
		}
		above, err := d.Resource(at)
		if err != nil {
			return *r, err
		}
		at = model.Deref(above.ParentId)
	}
	above, err := d.Resource(*r.ParentId)
	if err != nil {
		return *r, err
	}
	if err := d.place(r, *above.Path, model.Deref(r.PathPart)); err != nil {
		return *r, err
	}
	d.move(id)
	return *r, nil
}
