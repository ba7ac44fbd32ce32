package kind_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/stack/kind"
	"plumb/models"
)

// services answer the calls of a resource and keep them.
type services struct {
	calls  []string
	inputs map[string]map[string]any
	answer map[string]any // by operation: a map, a list of them, one for each call, or an error
}

func (s *services) call(_ context.Context, _, operation string, in map[string]any) (map[string]any, error) {
	s.calls = append(s.calls, operation)
	if s.inputs == nil {
		s.inputs = map[string]map[string]any{}
	}
	s.inputs[operation] = in
	switch v := s.answer[operation].(type) {
	case error:
		return nil, v
	case map[string]any:
		return v, nil
	case []any: // pages
		s.answer[operation] = v[1:]
		page, _ := v[0].(map[string]any)
		return page, nil
	}
	return map[string]any{}, nil
}

func code(name string) error { return &awsclient.Error{Code: name, Message: name} }

type properties = map[string]any

// handled returns a type and a request for it.
func handled(t *testing.T, name string, s *services, p properties) (kind.Type, *kind.Request) {
	t.Helper()
	typ, ok := kind.NewCatalogue().Type(name)
	if !ok {
		t.Fatalf("there is no type %s", name)
	}
	return typ, &kind.Request{
		Place: config.Place{Account: "123456789012", Region: "us-east-1"}, Name: "s-R-1A2B", Properties: p, Attributes: map[string]any{}, Call: s.call,
		APIs: awsclient.NewModels(models.FS),
	}
}

func TestStatementsOfABusThatPutPermissionCannotSayAreRefused(t *testing.T) {
	statement := func(more properties) properties {
		out := properties{"Sid": "a", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "arn:aws:events:us-east-1:123456789012:event-bus/b"}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	organization := properties{"aws:PrincipalOrgID": "o-1234567890"}
	for name, c := range map[string]struct {
		more properties
		ok   bool
	}{
		"an organization":       {properties{"Condition": properties{"StringEquals": organization}}, true},
		"another key":           {properties{"Condition": properties{"StringEquals": properties{"aws:PrincipalOrgID": "o-1234567890", "events:source": "a"}}}, false},
		"another operator":      {properties{"Condition": properties{"StringEquals": organization, "Bool": properties{"aws:SecureTransport": "true"}}}, false},
		"an operator with Like": {properties{"Condition": properties{"StringLike": organization}}, false},
		"a condition of text":   {properties{"Condition": "a"}, false},
		"organizations":         {properties{"Condition": properties{"StringEquals": properties{"aws:PrincipalOrgID": []any{"o-1", "o-2"}}}}, false},
		"all but an action":     {properties{"NotAction": "events:PutRule"}, false},
		"all but a principal":   {properties{"NotPrincipal": properties{"AWS": "210987654321"}}, false},
		"another principal":     {properties{"Principal": properties{"AWS": "210987654321", "Service": "s3.amazonaws.com"}}, false},
		"two actions":           {properties{"Action": []any{"events:PutEvents", "events:PutRule"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &services{}
			typ, r := handled(t, "AWS::Events::EventBusPolicy", s, properties{"EventBusName": "b", "StatementId": "a", "Statement": statement(c.more)})
			if err := typ.Create(t.Context(), r); (err == nil) != c.ok {
				t.Errorf("the error is %v, with the calls %v", err, s.calls)
			} else if err != nil && !strings.Contains(err.Error(), "Put other policies into the Policy of AWS::Events::EventBus.") {
				t.Error(err)
			}
		})
	}
}

// A document that is put with mode overwrite takes what it does not say away.
func TestAnAPIKeepsItsSettingsWhenItsDocumentChanges(t *testing.T) {
	s := &services{answer: map[string]any{"PutRestApi": properties{
		"binaryMediaTypes": []any{"image/gif"}, "endpointConfiguration": properties{"types": []any{"EDGE"}},
	}}}
	typ, r := handled(t, "AWS::ApiGateway::RestApi", s, properties{
		"Body": properties{"swagger": "2.0"}, "BinaryMediaTypes": []any{"image/png"}, "DisableExecuteApiEndpoint": true,
		"EndpointConfiguration": properties{"Types": []any{"REGIONAL"}},
	})
	r.Old = properties{"Body": properties{"swagger": "1.2"}}
	for _, p := range []string{"BinaryMediaTypes", "DisableExecuteApiEndpoint", "EndpointConfiguration"} {
		r.Old[p] = r.Properties[p]
	}
	if err := typ.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(s.inputs["UpdateRestApi"])
	for _, want := range []string{"/binaryMediaTypes/image~1png", "/disableExecuteApiEndpoint", "/endpointConfiguration/types/EDGE"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not set again: %s", want, text)
		}
	}
	if strings.Contains(text, "image~1gif") {
		t.Errorf("what the document says is taken away: %s", text)
	}
}

// The object of a document may be gone by the time that something else changes.
func TestAnHTTPAPIReadsItsDocumentOnlyWhenThatChanges(t *testing.T) {
	at := properties{"Bucket": "b", "Key": "k"}
	s := &services{answer: map[string]any{"GetObject": code("NoSuchKey")}}
	typ, r := handled(t, "AWS::ApiGatewayV2::Api", s, properties{"BodyS3Location": at, "Description": "new"})
	r.Old = properties{"BodyS3Location": at, "Description": "old", "CorsConfiguration": properties{"AllowOrigins": []any{"*"}}}
	if err := typ.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.calls, []string{"DeleteCorsConfiguration", "UpdateApi"}) {
		t.Errorf("the calls are %v", s.calls)
	}
}

// A name of the template is not another one's that looks like it.
func TestATopicRuleHasTheNameThatItIsGiven(t *testing.T) {
	for given, want := range map[string]string{"": "s_R_1A2B", "a-b": "a-b"} {
		s := &services{}
		typ, r := handled(t, "AWS::IoT::TopicRule", s, properties{"TopicRulePayload": properties{"Sql": "SELECT *", "Actions": []any{}}})
		if given != "" {
			r.Properties["RuleName"] = given
		}
		if err := typ.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got := s.inputs["CreateTopicRule"]["ruleName"]; got != want {
			t.Errorf("the rule %q is called %v", given, got)
		}
	}
}

// CreateThing is no error where the thing is there with the same attributes.
func TestAThingOfAnotherIsNotTakenOver(t *testing.T) {
	there := properties{"thingName": "button", "thingId": "id-1"}
	s := &services{answer: map[string]any{"DescribeThing": there, "CreateThing": there}}
	typ, r := handled(t, "AWS::IoT::Thing", s, properties{"ThingName": "button"})
	if err := typ.Create(t.Context(), r); err == nil || r.Physical != "" {
		t.Errorf("the error is %v, the thing %q", err, r.Physical)
	}
	// A repeat whose first attempt made it, and which was changed since.
	s.answer["CreateThing"] = code("ResourceAlreadyExistsException")
	r.Again = true
	if err := typ.Create(t.Context(), r); err != nil || r.Attributes["Id"] != "id-1" {
		t.Errorf("the error is %v, the attributes are %v", err, r.Attributes)
	}
}

func TestARepeatFindsWhatItsFirstAttemptMade(t *testing.T) {
	for name, c := range map[string]struct {
		typ, conflict string
		p             properties
		create, list  string
		pages         []any
		want          string
	}{
		"a resource": {
			"AWS::ApiGateway::Resource", "ConflictException", properties{"RestApiId": "a", "ParentId": "r", "PathPart": "p"}, "CreateResource", "GetResources",
			[]any{properties{"items": []any{properties{"id": "1", "pathPart": "p"}}, "position": "2"}, properties{"items": []any{properties{"id": "2", "parentId": "r", "pathPart": "p"}}}}, "2",
		},
		"an authorizer of a REST API": {
			"AWS::ApiGateway::Authorizer", "BadRequestException", properties{"RestApiId": "a", "Name": "n", "Type": "TOKEN"}, "CreateAuthorizer", "GetAuthorizers",
			[]any{properties{"items": []any{properties{"id": "1", "name": "m"}, properties{"id": "2", "name": "n"}}}}, "2",
		},
		"a route": {
			"AWS::ApiGatewayV2::Route", "ConflictException", properties{"ApiId": "a", "RouteKey": "GET /"}, "CreateRoute", "GetRoutes",
			[]any{properties{"Items": []any{properties{"RouteId": "1", "RouteKey": "$default"}}, "NextToken": "x"}, properties{"Items": []any{properties{"RouteId": "2", "RouteKey": "GET /"}}}}, "2",
		},
		"an authorizer of an HTTP API": {
			"AWS::ApiGatewayV2::Authorizer", "ConflictException", properties{"ApiId": "a", "Name": "n"}, "CreateAuthorizer", "GetAuthorizers",
			[]any{properties{"Items": []any{properties{"AuthorizerId": "2", "Name": "n"}}}}, "2",
		},
		"a mapping": {
			"AWS::Lambda::EventSourceMapping", "ResourceConflictException", properties{"FunctionName": "f", "EventSourceArn": "q"}, "CreateEventSourceMapping", "ListEventSourceMappings",
			[]any{properties{"EventSourceMappings": []any{properties{"UUID": "2", "EventSourceArn": "q"}}}}, "2",
		},
		"a delivery stream": {
			"AWS::KinesisFirehose::DeliveryStream", "ResourceInUseException", properties{"DeliveryStreamName": "d"}, "CreateDeliveryStream", "", nil, "d",
		},
	} {
		t.Run(name, func(t *testing.T) {
			refused := &awsclient.Error{Code: c.conflict, Message: "Authorizer name must be unique."}
			s := &services{answer: map[string]any{c.create: refused, c.list: c.pages}}
			typ, r := handled(t, c.typ, s, c.p)
			if err := typ.Create(t.Context(), r); awsclient.Code(err) != c.conflict || r.Physical != "" {
				t.Errorf("at first: the error is %v, the resource %q", err, r.Physical)
			}
			r.Again = true
			if err := typ.Create(t.Context(), r); err != nil || r.Physical != c.want {
				t.Errorf("repeated: the error is %v, the resource %q", err, r.Physical)
			}
			r.Physical, s.answer[c.create] = "", code("LimitExceededException")
			if err := typ.Create(t.Context(), r); err == nil || r.Physical != "" {
				t.Errorf("with another error: the error is %v, the resource %q", err, r.Physical)
			}
		})
	}
}
