package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"plumb/internal/model"
	"plumb/internal/model/apigatewayv2api"
	"plumb/internal/source/httpevent"
)

var (
	// variables are those of the stage in a URI.
	variables = regexp.MustCompile(`\$\{stageVariables\.(\w+)\}`)
	// changeKey is what a parameter of a request or an answer changes, and how.
	changeKey = regexp.MustCompile(`^(append|overwrite|remove):(header\.[A-Za-z0-9!#$%&'*+.^_|~-]+|querystring\.[^\s]+|path|statuscode)$`)
	// expression is ${...} in the value of a parameter.
	expression = regexp.MustCompile(`\$\{([\w.-]+)\}`)
)

// reserved are headers that no parameter may change.
func reserved(name string) bool {
	name = strings.ToLower(name)
	return httpevent.HopByHop(name) || strings.HasPrefix(name, "x-amz") || strings.HasPrefix(name, "x-forwarded") || name == "host" || name == "authorization" ||
		name == "expect" || name == "via" || name == "max-forwards" || name == "forwarded"
}

// checkParameters refuses parameters that mean nothing.
func checkParameters(i apigatewayv2api.Integration) error {
	for key := range i.RequestParameters {
		if m := changeKey.FindStringSubmatch(key); m == nil || m[2] == "statuscode" || reserved(strings.TrimPrefix(m[2], "header.")) {
			return invalid("Invalid mapping expression specified: %s", key)
		}
	}
	for status, changes := range i.ResponseParameters {
		if n, err := strconv.Atoi(status); err != nil || n < 200 || n > 599 {
			return invalid("Invalid status code in response parameters: %s", status)
		}
		for key := range changes {
			m := changeKey.FindStringSubmatch(key)
			if m == nil || m[2] == "path" || strings.HasPrefix(m[2], "querystring.") || reserved(strings.TrimPrefix(m[2], "header.")) {
				return invalid("Invalid mapping expression specified: %s", key)
			}
		}
	}
	return nil
}

// value is what an expression means of a request: request.header.name, context.stage and
// the like, without the $.
func (x *exchange) value(name string) string {
	kind, rest, _ := strings.Cut(name, ".")
	switch kind {
	case "stageVariables":
		return x.stage.StageVariables[rest]
	case "context":
		return x.contextValue(rest)
	case "request":
		part, key, _ := strings.Cut(rest, ".")
		switch part {
		case "header":
			return strings.Join(x.Header.Values(key), ",")
		case "querystring":
			return strings.Join(queryOf(x.URL.RawQuery)[key], ",")
		case "path":
			if key == "" {
				return unescape(x.path)
			}
			return x.match.params[key]
		case "body":
			return memberOf(x.body, key)
		}
	}
	return ""
}

func (x *exchange) contextValue(name string) string {
	switch name {
	case "accountId":
		return x.Request.API.Account
	case "apiId":
		return x.Request.API.ID
	case "domainName":
		return x.Host
	case "domainPrefix":
		return x.Request.API.ID
	case "httpMethod":
		return x.Method
	case "identity.sourceIp":
		return httpevent.HostName(x.RemoteAddr)
	case "identity.userAgent":
		return x.UserAgent()
	case "path":
		return unescape(x.Path)
	case "protocol":
		return x.Proto
	case "requestId", "extendedRequestId":
		return x.id
	case "routeKey":
		return model.Deref(x.match.route.RouteKey)
	case "stage":
		return model.Deref(x.stage.StageName)
	}
	if key, ok := strings.CutPrefix(name, "authorizer."); ok {
		if v, ok := x.allowance.context[key]; ok {
			text, _ := json.Marshal(v)
			var plain string
			if json.Unmarshal(text, &plain) == nil {
				return plain
			}
			return string(text)
		}
	}
	return ""
}

// memberOf is the text of a member of a JSON body.
func memberOf(body []byte, path string) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return ""
	}
	for _, key := range strings.Split(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[key]
	}
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, _ := json.Marshal(v) // it was JSON
	return string(text)
}

// fill is the value of a parameter: $request.header.a, or text with ${...} in it.
func fill(text string, value func(string) string) string {
	if name, ok := strings.CutPrefix(text, "$"); ok && !strings.HasPrefix(name, "{") {
		return value(name)
	}
	return expression.ReplaceAllStringFunc(text, func(e string) string { return value(e[2 : len(e)-1]) })
}

// change does what a parameter says to a list of values.
func change(how string, values []string, value string) []string {
	switch how {
	case "append":
		return append(values, value)
	case "overwrite":
		return []string{value}
	}
	return nil
}

// changed is the request as the integration's parameters change it. Its path is without
// the stage.
func (x *exchange) changed(in apigatewayv2api.Integration) *http.Request {
	if len(in.RequestParameters) == 0 {
		return x.Request.Request
	}
	r := x.Request.Clone(x.Context())
	query := queryOf(r.URL.RawQuery)
	for key, text := range in.RequestParameters {
		m := changeKey.FindStringSubmatch(key)
		value := fill(text, x.value)
		if strings.ContainsAny(value, "\r\n\x00") {
			continue
		}
		switch kind, name, _ := strings.Cut(m[2], "."); kind {
		case "header":
			name = http.CanonicalHeaderKey(name)
			if r.Header[name] = change(m[1], r.Header[name], value); r.Header[name] == nil {
				delete(r.Header, name)
			}
		case "querystring":
			if query[name] = change(m[1], query[name], value); query[name] == nil {
				delete(query, name)
			}
			r.URL.RawQuery = query.Encode()
		}
	}
	return r
}

// changeAnswer changes an answer as the integration's parameters for its status say.
func (x *exchange) changeAnswer(in apigatewayv2api.Integration, a *httpevent.Answer) {
	value := func(name string) string {
		if key, ok := strings.CutPrefix(name, "response.header."); ok {
			return strings.Join(a.Header.Values(key), ",")
		}
		if key, ok := strings.CutPrefix(name, "response.body."); ok {
			return memberOf(a.Body, key)
		}
		return x.value(name)
	}
	before := a.Status
	for key, text := range in.ResponseParameters[strconv.Itoa(before)] {
		m := changeKey.FindStringSubmatch(key)
		v := fill(text, value)
		if m == nil || strings.ContainsAny(v, "\r\n\x00") {
			continue
		}
		if m[2] == "statuscode" {
			if n, err := strconv.Atoi(v); err == nil && n >= 200 && n <= 599 {
				a.Status = n
			}
			continue
		}
		name := http.CanonicalHeaderKey(strings.TrimPrefix(m[2], "header."))
		if a.Header[name] = change(m[1], a.Header[name], v); a.Header[name] == nil {
			delete(a.Header, name)
		}
	}
}

// address is where an HTTP_PROXY integration leads.
func (x *exchange) address(in apigatewayv2api.Integration, query string) (*url.URL, error) {
	text := x.stageVariables(model.Deref(in.IntegrationUri))
	for name, value := range x.match.params {
		parts := strings.Split(value, "/")
		for i := range parts {
			parts[i] = url.PathEscape(parts[i])
		}
		joined := strings.Join(parts, "/")
		text = strings.NewReplacer("{"+name+"}", joined, "{"+name+"+}", joined).Replace(text)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if path, ok := in.RequestParameters["overwrite:path"]; ok {
		u.Path, u.RawPath = fill(path, x.value), ""
	}
	if query != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query
	}
	return u, nil
}
