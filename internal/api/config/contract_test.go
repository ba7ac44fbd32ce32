package config_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"plumb/internal/apptest"
	"plumb/internal/model"
	"plumb/models"
)

// The contract that AWS publishes is its model. These tests ask a server what the model says of every operation of AWS Config: they send
// what it allows, and each thing that it forbids by itself.

// A rawClient sends requests as they are, with no client in between.
type rawClient struct {
	t *testing.T
	p *apptest.Plumb
}

// An outcome is an answer of the server: Code is empty where it is no error.
type outcome struct {
	Status  int
	Code    string
	Message string
	Body    map[string]any
}

func (c rawClient) call(operation string, body any) outcome {
	c.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.p.URL(), strings.NewReader(string(text)))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "StarlingDoveService."+operation)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.p.Account()+"/20260101/"+c.p.Region()+"/config/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	out := outcome{Status: answer.StatusCode}
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if len(read) > 0 {
		if err := json.Unmarshal(read, &out.Body); err != nil {
			c.t.Fatalf("%s answers %.200s", operation, read)
		}
	}
	if out.Status != http.StatusOK {
		out.Code, _ = out.Body["__type"].(string)
		out.Message, _ = out.Body["message"].(string)
	}
	return out
}

func configModel(t *testing.T) *model.API {
	t.Helper()
	api, err := model.Load(models.FS, "config")
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// texts are tried, in this order, for a text that a shape allows.
var texts = []string{
	"a", "aa", "name", "123456789012", "00000001", "eu-west-1", "{}", "s3://bucket/key", "arn:aws:config:us-east-1:123456789012:config-rule/config-rule-abcdef",
	"arn:aws:iam::123456789012:role/config", "AWS::S3::Bucket", "Acme::Road::Car", "guard-2.x.x", "query-abc", "arn:aws:config:us-east-1:123456789012:stored-query/name/query-abc", "config.amazonaws.com", "document-name",
}

func sample(t *testing.T, s *model.Shape) string {
	t.Helper()
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	for _, text := range texts {
		if fits(s, text) {
			return text
		}
	}
	t.Fatalf("no text is in the shape %s, pattern %q: add one", s.Name, s.Pattern)
	return ""
}

func pattern(s *model.Shape) *regexp.Regexp {
	expression := s.Pattern
	if s.Matches != "" {
		expression = s.Matches
	}
	if expression == "" {
		return nil
	}
	r, err := regexp.Compile(model.Anchored(expression))
	if err != nil {
		return nil // in Java's dialect: the length decides
	}
	return r
}

func fits(s *model.Shape, text string) bool {
	n := float64(utf8.RuneCountInString(text))
	p := pattern(s)
	return (s.Min == nil || n >= *s.Min) && (s.Max == nil || n <= *s.Max) && (p == nil || p.MatchString(text))
}

// valid returns a value of a shape. With all, every member of structures is there; those that lead back to a shape are not.
func valid(t *testing.T, s *model.Shape, all bool, within ...*model.Shape) any {
	t.Helper()
	within = append(slices.Clone(within), s)
	switch s.Type {
	case "structure":
		out := map[string]any{}
		for _, m := range s.Members {
			if (all || s.IsRequired(m.Name)) && !slices.Contains(within, m.Shape) {
				out[m.Name] = valid(t, m.Shape, all, within...)
			}
		}
		return out
	case "list":
		if (s.Min == nil || *s.Min == 0) && !all {
			return []any{}
		}
		return []any{valid(t, s.Member.Shape, all, within...)}
	case "map":
		return map[string]any{sample(t, s.Key.Shape): valid(t, s.Value.Shape, all, within...)}
	case "string":
		return sample(t, s)
	case "boolean":
		return false
	case "timestamp":
		return 1767225600
	case "integer", "long", "float", "double":
		if s.Min != nil {
			return *s.Min
		}
		return 0
	}
	t.Fatalf("a %s has no sample", s.Type)
	return nil
}

// A fault is one thing that is wrong with a request, and how it is told.
type fault struct {
	what    string
	set     any    // what stands in the place; nil: nothing
	message string // is part of the answer's
	code    string // of the answer
}

// faults returns what can be wrong with one member by itself. The paths are as AWS's messages spell them.
func faults(t *testing.T, op *model.Operation, parent *model.Shape, m *model.Member, at string) (out []fault) {
	const failed = "failed to satisfy constraint: "
	s, invalid := m.Shape, "ValidationException"
	add := func(what string, set any, format string, args ...any) {
		out = append(out, fault{what, set, fmt.Sprintf(format, args...), invalid})
	}
	if parent.IsRequired(m.Name) {
		add("missing", nil, "Value null at '%s' %sMember must not be null", at, failed)
	}
	switch s.Type {
	case "string":
		if s.Max != nil && *s.Max < 300_000 {
			add("too long", strings.Repeat("a", int(*s.Max)+1), "at '%s' %sMember must have length less than or equal to %.0f", at, failed, *s.Max)
		}
		if s.Min != nil && *s.Min > 0 && len(s.Enum) == 0 {
			add("too short", strings.Repeat("a", int(*s.Min)-1), "at '%s' %sMember must have length greater than or equal to %.0f", at, failed, *s.Min)
		}
		if p := pattern(s); p != nil && !p.MatchString("\u2603") {
			add("not in the pattern", "\u2603", "at '%s' %sMember must satisfy regular expression pattern: %s", at, failed, s.Pattern)
		}
		if len(s.Enum) > 0 {
			add("not in the enum", "NO_SUCH_VALUE", "Value 'NO_SUCH_VALUE' at '%s' %sMember must satisfy enum value set: [", at, failed)
		}
	case "integer", "long":
		if slices.Contains(op.Errors, "InvalidLimitException") && (strings.EqualFold(m.Name, "limit") || strings.EqualFold(m.Name, "maxResults")) && s.Max != nil {
			invalid = "InvalidLimitException"
		}
		if s.Max != nil {
			add("too large", *s.Max+1, "Value '%.0f' at '%s' %sMember must have value less than or equal to %.0f", *s.Max+1, at, failed, *s.Max)
		}
		if s.Min != nil {
			add("too small", *s.Min-1, "Value '%.0f' at '%s' %sMember must have value greater than or equal to %.0f", *s.Min-1, at, failed, *s.Min)
		}
	case "list":
		one := valid(t, s.Member.Shape, true)
		if s.Max != nil {
			add("too many", slices.Repeat([]any{one}, int(*s.Max)+1), "at '%s' %sMember must have length less than or equal to %.0f", at, failed, *s.Max)
		}
		if s.Min != nil && *s.Min > 0 {
			add("too few", []any{}, "at '%s' %sMember must have length greater than or equal to %.0f", at, failed, *s.Min)
		}
		if e := s.Member.Shape; e.Type == "string" && e.Max != nil && len(e.Enum) == 0 && *e.Max < 300_000 {
			add("an element is too long", []any{strings.Repeat("a", int(*e.Max)+1)}, "at '%s' %sMember must satisfy constraint: [Member must have length less than or equal to %.0f", at, failed, *e.Max)
		}
	case "map":
		if s.Max != nil {
			many := map[string]any{}
			for i := range int(*s.Max) + 1 {
				many[fmt.Sprint("k", i)] = valid(t, s.Value.Shape, true)
			}
			add("too many", many, "at '%s' %sMember must have length less than or equal to %.0f", at, failed, *s.Max)
		}
	}
	wrong := any(map[string]any{})
	switch s.Type {
	case "structure", "map":
		wrong = []any{}
	}
	out = append(out, fault{"of a wrong type", wrong, "", "SerializationException"})
	return out
}

// eachFault calls f with every request that is the good one with one thing wrong in it.
func eachFault(t *testing.T, op *model.Operation, f func(what string, body map[string]any, want fault)) {
	good := valid(t, op.Input.Shape, true).(map[string]any)
	var walk func(s *model.Shape, v map[string]any, at string)
	walk = func(s *model.Shape, v map[string]any, at string) {
		for _, m := range s.Members {
			value, present := v[m.Name]
			if !present {
				continue
			}
			path := at + strings.ToLower(m.Name[:1]) + m.Name[1:]
			for _, w := range faults(t, op, s, m, path) {
				if v[m.Name] = w.set; w.set == nil {
					delete(v, m.Name)
				}
				f(path+" "+w.what, good, w)
				v[m.Name] = value
			}
			switch inner := value.(type) {
			case map[string]any:
				if m.Shape.Type == "structure" {
					walk(m.Shape, inner, path+".")
				}
			case []any:
				if m.Shape.Member.Shape.Type == "structure" && len(inner) > 0 {
					walk(m.Shape.Member.Shape, inner[0].(map[string]any), path+".1.member.")
				}
			}
		}
	}
	walk(op.Input.Shape, good, "")
}

// operations calls f with the operations that have an input, in the order of their names.
func operations(t *testing.T, f func(name string, op *model.Operation)) {
	api := configModel(t)
	for _, name := range model.Keys(api.Operations) {
		if op := api.Operations[name]; op.Input != nil {
			f(name, op)
		}
	}
}

func TestEveryConstraintOfTheModelIsHeld(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c, n := rawClient{t, p}, 0
		operations(t, func(name string, op *model.Operation) {
			eachFault(t, op, func(what string, body map[string]any, want fault) {
				n++
				got := c.call(name, body)
				if got.Status != http.StatusBadRequest || got.Code != want.code || !strings.Contains(got.Message, want.message) {
					t.Errorf("%s: %s\n got %d %s: %.300s\nwant 400 %s: ...%s", name, what, got.Status, got.Code, got.Message, want.code, want.message)
				}
			})
		})
		if n < 1000 {
			t.Errorf("%d requests", n)
		}
	})
}

// common are the codes that every operation may answer with.
var common = []string{"ValidationException", "AccessDeniedException", "ThrottlingException"}

// What the model allows is answered, or refused by an error that the model names.
func TestEveryOperationAnswersAsTheModelSays(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a, c := open(t, p), rawClient{t, p}
		a.running()
		operations(t, func(name string, op *model.Operation) {
			for _, all := range []bool{false, true} {
				body := valid(t, op.Input.Shape, all).(map[string]any)
				good := c.call(name, body)
				if good.Code != "" && !slices.Contains(op.Errors, good.Code) && !slices.Contains(common, good.Code) || good.Status >= 500 {
					t.Errorf("%s answers %d %s, which the model does not have: %s", name, good.Status, good.Code, good.Message)
				}
				if good.Code == "" && op.Output != nil {
					for _, m := range op.Output.Shape.Required {
						if good.Body[m] == nil {
							t.Errorf("%s answers without %s", name, m)
						}
					}
				}
				p.Drain(t)
			}
		})
	})
}

func TestUnknownNamesAreIgnoredInRequestsAndRefusedAsOperations(t *testing.T) {
	p := apptest.Start(t)
	c := rawClient{t, p}
	operations(t, func(name string, op *model.Operation) {
		if !strings.HasPrefix(name, "Describe") && !strings.HasPrefix(name, "Get") && !strings.HasPrefix(name, "List") && !strings.HasPrefix(name, "Select") {
			return // the second call may find what the first one did
		}
		body := valid(t, op.Input.Shape, false).(map[string]any)
		want := c.call(name, body)
		body["NoSuchMember"] = map[string]any{"a": []int{1}}
		if got := c.call(name, body); got.Code != want.Code || got.Message != want.Message {
			t.Errorf("%s with an unknown member: %d %s %s", name, got.Status, got.Code, got.Message)
		}
	})
	for _, name := range []string{"NoSuchOperation", "putconfigrule", "PutConfigRule2"} {
		if got := c.call(name, map[string]any{}); got.Status != http.StatusBadRequest || got.Code != "UnknownOperationException" {
			t.Errorf("%q: %d %s %s", name, got.Status, got.Code, got.Message)
		}
	}
}

// tokenOf returns the member of a structure that a page's token has.
func tokenOf(s *model.Shape) string {
	for _, m := range s.Members {
		if strings.EqualFold(m.Name, "nextToken") {
			return m.Name
		}
	}
	return ""
}

func TestTokensOfOtherPagesAreRefused(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a, c := open(t, p), rawClient{t, p}
		a.running()
		for _, name := range []string{"a", "b"} {
			a.push(name, "{}")
			a.must(a.put(managedRule(name)))
		}
		_, err := a.aggregator("a", []string{p.Account()})
		a.must(err)
		page := c.call("ListDiscoveredResources", map[string]any{"resourceType": custom, "limit": 1})
		foreign, _ := page.Body["nextToken"].(string)
		if foreign == "" {
			t.Fatal(page)
		}
		n := 0
		operations(t, func(name string, op *model.Operation) {
			member := tokenOf(op.Input.Shape)
			if member == "" {
				return
			}
			n++
			want := "ValidationException"
			for _, code := range []string{"InvalidParameterValueException", "InvalidNextTokenException"} {
				if slices.Contains(op.Errors, code) {
					want = code
				}
			}
			for what, token := range map[string]string{
				"garbage": "garbage", "another operation's": foreign, "a mutated": foreign[:len(foreign)-2] + "xx", "a long": strings.Repeat("A", 5000),
			} {
				if name == "ListDiscoveredResources" && what == "another operation's" {
					continue
				}
				body := valid(t, op.Input.Shape, false).(map[string]any)
				switch name { // what is checked before the token
				case "SelectResourceConfig", "SelectAggregateResourceConfig":
					body["Expression"] = "SELECT resourceId"
				case "GetComplianceDetailsByResource":
					body["ResourceType"], body["ResourceId"] = custom, "a"
				}
				body[member] = token
				if got := c.call(name, body); got.Code != want {
					t.Errorf("%s with %s token: %d %s %.200s, want %s", name, what, got.Status, got.Code, got.Message, want)
				}
			}
		})
		if n < 40 {
			t.Errorf("%d operations have tokens", n)
		}
	})
}
