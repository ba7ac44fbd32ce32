package restapi

import (
	"maps"
	"mime"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayapi"
	"plumb/internal/source/apigateway"
)

// API Gateway's limits of models.
const (
	maxModels     = 60
	maxSchema     = 400 << 10
	maxValidators = 60
)

// usualModels are those that every API begins with.
func usualModels() []apigatewayapi.Model {
	one := func(name, description, schema string) apigatewayapi.Model {
		return apigatewayapi.Model{Id: new(apigateway.NewID(6)), Name: &name, Description: &description, ContentType: new("application/json"), Schema: &schema}
	}
	return []apigatewayapi.Model{
		one("Empty", "This is a default empty schema model", `{
  "$schema": "http://json-schema.org/draft-04/schema#",
  "title" : "Empty Schema",
  "type" : "object"
}`),
		one("Error", "This is a default error schema model", `{
  "$schema" : "http://json-schema.org/draft-04/schema#",
  "title" : "Error Schema",
  "type" : "object",
  "properties" : {
    "message" : { "type" : "string" }
  }
}`),
	}
}

// Model returns a model by its name.
func (d *Definition) Model(name string) (*apigatewayapi.Model, error) {
	for i := range d.Models {
		if *d.Models[i].Name == name {
			return &d.Models[i], nil
		}
	}
	return nil, notFound("Invalid model name specified: %s", name)
}

var modelName = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// AddModel adds a model.
func (d *Definition) AddModel(m apigatewayapi.Model) (apigatewayapi.Model, error) {
	if _, err := d.Model(model.Deref(m.Name)); err == nil {
		return m, apigatewayapi.ConflictException("Model name already exists for this REST API")
	}
	if len(d.Models) >= maxModels {
		return m, apigatewayapi.LimitExceededException("Maximum number of Models for this API has been reached: %d.", maxModels)
	}
	m.Id = new(apigateway.NewID(6))
	d.Models = append(d.Models, m)
	return m, d.CheckModel(&d.Models[len(d.Models)-1])
}

// CheckModel refuses a model whose schema cannot be read, or leads nowhere.
func (d *Definition) CheckModel(m *apigatewayapi.Model) error {
	if !modelName.MatchString(model.Deref(m.Name)) {
		return invalid("Model name must be alphanumeric: %s", model.Deref(m.Name))
	}
	text := model.Deref(m.Schema)
	if len(text) > maxSchema {
		return invalid("The schema of a model has up to %d bytes", maxSchema)
	}
	if text == "" {
		return nil
	}
	v, err := decode([]byte(text))
	if _, ok := v.(map[string]any); err != nil || !ok {
		return invalid("Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified]")
	}
	c := &checking{def: d, parsed: map[string]any{}, regexp: map[string]*regexp.Regexp{}}
	if err := c.sound(place{*m.Name, v}, v, 0); err != nil {
		return invalid("Invalid model specified: Validation Result: warnings : [], errors : [Invalid model schema specified. %v]", err)
	}
	return nil
}

// sound goes through all of a schema.
func (c *checking) sound(at place, v any, depth int) error {
	if depth > maxDepth {
		return errTooMuch
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if err := c.sound(at, x, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			if _, err := c.resolve(at, ref); err != nil {
				return err
			}
		}
		if pattern, ok := v["pattern"].(string); ok {
			if _, err := c.pattern(pattern); err != nil {
				return err
			}
		}
		patterns, _ := v["patternProperties"].(map[string]any)
		for pattern := range patterns {
			if _, err := c.pattern(pattern); err != nil {
				return err
			}
		}
		for _, name := range keys(v) {
			if err := c.sound(at, v[name], depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// DeleteModel removes a model that no method names.
func (d *Definition) DeleteModel(name string) error {
	if _, err := d.Model(name); err != nil {
		return err
	}
	for _, r := range d.Resources {
		for verb, m := range r.ResourceMethods {
			used := slices.Contains(slices.Collect(maps.Values(m.RequestModels)), name)
			for _, response := range m.MethodResponses {
				used = used || slices.Contains(slices.Collect(maps.Values(response.ResponseModels)), name)
			}
			if used {
				return apigatewayapi.ConflictException("Cannot delete model '%s', is referenced in method: %s %s", name, verb, *r.Path)
			}
		}
	}
	for _, other := range d.Models {
		if *other.Name != name && strings.Contains(model.Deref(other.Schema), "/models/"+name+`"`) {
			return apigatewayapi.ConflictException("Cannot delete model '%s', is referenced in model: %s", name, *other.Name)
		}
	}
	d.Models = slices.DeleteFunc(d.Models, func(m apigatewayapi.Model) bool { return *m.Name == name })
	return nil
}

// Validator returns a request validator by its id.
func (d *Definition) Validator(id string) (*apigatewayapi.RequestValidator, error) {
	for i := range d.Validators {
		if *d.Validators[i].Id == id {
			return &d.Validators[i], nil
		}
	}
	return nil, notFound("Invalid Request Validator identifier specified")
}

// AddValidator adds a request validator.
func (d *Definition) AddValidator(v apigatewayapi.RequestValidator) (apigatewayapi.RequestValidator, error) {
	if len(d.Validators) >= maxValidators {
		return v, apigatewayapi.LimitExceededException("Maximum number of Request Validators for this API has been reached: %d.", maxValidators)
	}
	v.Id = new(apigateway.NewID(6))
	v.ValidateRequestBody, v.ValidateRequestParameters = new(model.Deref(v.ValidateRequestBody)), new(model.Deref(v.ValidateRequestParameters))
	d.Validators = append(d.Validators, v)
	return v, nil
}

// DeleteValidator removes a request validator that no method names.
func (d *Definition) DeleteValidator(id string) error {
	if _, err := d.Validator(id); err != nil {
		return err
	}
	for _, r := range d.Resources {
		for verb, m := range r.ResourceMethods {
			if model.Deref(m.RequestValidatorId) == id {
				return apigatewayapi.ConflictException("Cannot delete validator '%s', is referenced in method: %s %s", id, verb, *r.Path)
			}
		}
	}
	d.Validators = slices.DeleteFunc(d.Validators, func(v apigatewayapi.RequestValidator) bool { return *v.Id == id })
	return nil
}

// checkNames refuses a method that names a model or a validator that is not there.
func (d *Definition) checkNames(m *apigatewayapi.Method) error {
	if id := model.Deref(m.RequestValidatorId); id != "" {
		if _, err := d.Validator(id); err != nil {
			return invalid("Invalid Request Validator identifier specified")
		}
	} else {
		m.RequestValidatorId = nil
	}
	for _, name := range m.RequestModels {
		if _, err := d.Model(name); err != nil {
			return invalid("Invalid model identifier specified: %s", name)
		}
	}
	return nil
}

// validate says why a request does not get to the integration; nil if it does.
func (s *Service) validate(x *exchange) *failure {
	id := model.Deref(x.match.method.RequestValidatorId)
	if id == "" {
		return nil
	}
	v, err := x.def.Validator(id)
	if err != nil {
		return &internal
	}
	if model.Deref(v.ValidateRequestParameters) {
		if missing := x.missingParameters(); len(missing) > 0 {
			return &failure{400, "BadRequestException", "Missing required request parameters: [" + strings.Join(missing, ", ") + "]", "",
				apigatewayapi.GatewayResponseTypeBadRequestParameters, ""}
		}
	}
	name := x.bodyModel()
	if !model.Deref(v.ValidateRequestBody) || name == "" {
		return nil
	}
	wrong, err := x.def.checkBody(name, x.body)
	if err != nil {
		s.log.Warn("a body could not be checked", "api", x.API.ID, "request", x.id, "err", err)
		wrong = []string{err.Error()}
	}
	if len(wrong) == 0 {
		return nil
	}
	x.note("Request body does not match model schema for content type: [%s]", strings.Join(wrong, ", "))
	return &failure{400, "BadRequestException", "Invalid request body", "", apigatewayapi.GatewayResponseTypeBadRequestBody, "[" + strings.Join(wrong, ", ") + "]"}
}

// missingParameters are those that a method requires and the request has not, or has empty.
func (x *exchange) missingParameters() (out []string) {
	for _, name := range slices.Sorted(maps.Keys(x.match.method.RequestParameters)) {
		if !x.match.method.RequestParameters[name] || x.value(name) != "" {
			continue
		}
		_, key, _ := strings.Cut(strings.TrimPrefix(name, "method.request."), ".")
		out = append(out, key)
	}
	return out
}

// bodyModel is the model for the request's media type; none, where there is none.
func (x *exchange) bodyModel() string {
	kind := "application/json"
	if parsed, _, err := mime.ParseMediaType(x.Header.Get("Content-Type")); err == nil {
		kind = parsed
	}
	if name, ok := x.match.method.RequestModels[kind]; ok {
		return name
	}
	return x.match.method.RequestModels["$default"]
}
