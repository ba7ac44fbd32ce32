package authorization

import (
	"cmp"
	"context"
	"net/url"
	"reflect"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/lambda"
	"plumb/internal/policy"
	"plumb/internal/queue"
	"plumb/internal/store"
	"plumb/internal/template"
)

// A reading is an input whose members are asked for, in a transaction.
type reading struct {
	ctx context.Context
	tx  *db.Tx
	c   caller.Caller
	in  reflect.Value

	unread bool  // the store is not asked: what only it knows is named as if it were not there
	missed *bool // set to true where that is "*"; nil where nobody asks
}

// tags returns the keys that speak of the tags in a request.
func (r reading) tags() policy.Context {
	out := policy.Context{}
	if r.in.Kind() != reflect.Struct {
		return out
	}
	add := func(k, v string) {
		out["aws:requesttag/"+strings.ToLower(k)] = []string{v}
		out["aws:tagkeys"] = append(out["aws:tagkeys"], k)
	}
	tags := r.in.FieldByName("Tags")
	switch {
	case !tags.IsValid():
	case tags.Kind() == reflect.Map && tags.Type().Key().Kind() == reflect.String && tags.Type().Elem().Kind() == reflect.String:
		for _, k := range tags.MapKeys() {
			add(k.String(), tags.MapIndex(k).String())
		}
	case tags.Kind() == reflect.Slice && tags.Type().Elem().Kind() == reflect.Struct:
		for i := range tags.Len() {
			at := reading{in: tags.Index(i)}
			k, v := at.texts("Key"), at.texts("Value")
			if len(k) == 1 && len(v) == 1 {
				add(k[0], v[0])
			}
		}
	}
	for _, member := range []string{"TagKeys"} {
		out["aws:tagkeys"] = append(out["aws:tagkeys"], r.texts(member)...)
	}
	for _, p := range r.texts("PolicyArn") {
		out["iam:policyarn"] = []string{p}
	}
	for _, p := range r.texts("PermissionsBoundary") {
		out["iam:permissionsboundary"] = []string{p}
	}
	return out
}

// texts returns the texts of a member: its own, or each of its list. A path leads
// into structures.
func (r reading) texts(path string) []string {
	v := r.in
	for path != "" {
		v = reflect.Indirect(v)
		if v.Kind() == reflect.Slice {
			var out []string
			for i := range v.Len() {
				out = append(out, reading{in: reflect.Indirect(v.Index(i))}.texts(path)...)
			}
			return out
		}
		var name string
		name, path, _ = strings.Cut(path, ".")
		if v.Kind() != reflect.Struct {
			return nil
		}
		if v = v.FieldByName(name); !v.IsValid() {
			return nil
		}
	}
	v = reflect.Indirect(v)
	switch {
	case v.Kind() == reflect.String && v.String() != "":
		return []string{v.String()}
	case v.Kind() == reflect.Map && v.Type().Elem().Kind() == reflect.String:
		var out []string
		for _, k := range v.MapKeys() {
			out = append(out, v.MapIndex(k).String())
		}
		return out
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
		var out []string
		for i := range v.Len() {
			out = append(out, v.Index(i).String())
		}
		return out
	}
	return nil
}

// patched returns the values that the patch operations of API Gateway give a path.
func (r reading) patched(path string) []string {
	var out []string
	list := reflect.Indirect(r.in).FieldByName("PatchOperations")
	if path == "" || !list.IsValid() {
		return nil // updates of HTTP APIs have none
	}
	for i := range list.Len() {
		item := reading{in: list.Index(i)}
		for _, at := range item.texts("Path") {
			if strings.TrimPrefix(at, "/") == path {
				out = append(out, item.texts("Value")...)
			}
		}
	}
	return out
}

// rolesIn returns the roles in a member that is a document of OpenAPI: those by which
// integrations and authorizers are called. What else stands there gives no rights.
func (r reading) rolesIn(member string) []string {
	if member == "" {
		return nil
	}
	var text []byte
	switch v := reflect.Indirect(r.in.FieldByName(member)); v.Kind() {
	case reflect.String:
		text = []byte(v.String())
	case reflect.Slice:
		text = v.Bytes()
	}
	document, err := template.Plain(text)
	if err != nil {
		return nil // the operation refuses it
	}
	var out []string
	collectRoles(document, &out)
	return out
}

func collectRoles(v any, out *[]string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			collectRoles(item, out)
		}
	case map[string]any:
		for key, item := range v {
			if text, ok := item.(string); ok && strings.Contains(text, ":role/") && (key == "credentials" || key == "authorizerCredentials") {
				*out = append(*out, text)
			}
			collectRoles(item, out)
		}
	}
}

// first returns the resources of the first pattern whose members are there.
func (r reading) first(patterns string, root bool) []string {
	for pattern := range strings.FieldsSeq(patterns) {
		if found := r.fill(pattern, root); len(found) > 0 {
			return found
		}
	}
	return []string{"*"}
}

// fill puts members into a pattern: one resource for each entry of a list, where the
// pattern is the list alone. What a member says is never read as a pattern.
func (r reading) fill(pattern string, root bool) []string {
	if strings.ContainsAny(pattern, "@#%") { // a replacer costs more than the rest
		pattern = strings.NewReplacer("@", r.c.Region+":"+r.c.Account, "#", r.c.Account, "%", r.c.Region).Replace(pattern)
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "{")
		b.WriteString(before)
		if !found {
			return []string{b.String()}
		}
		inner, after, _ := strings.Cut(rest, "}")
		values := r.values(inner, root)
		switch {
		case len(values) == 0:
			return nil
		case b.Len() == 0 && after == "":
			return values
		}
		b.WriteString(values[0])
		pattern = after
	}
}

// values returns what stands in a pattern between braces.
func (r reading) values(inner string, root bool) []string {
	member, kind, hasKind := strings.Cut(inner, "|")
	values := r.texts(member)
	if member == "" {
		values = []string{""}
	}
	if !hasKind {
		return values
	}
	out := make([]string, len(values))
	for i, v := range values {
		if out[i] = "*"; !root || kind == "queue" || kind == "function" || kind == "topic" {
			out[i] = r.named(v, kind)
		}
	}
	return out
}

// anyARN is for services that are not in the table: what a request is about is what
// it names by an ARN of the service.
func (r reading) anyARN(service string) string {
	if r.in.Kind() != reflect.Struct {
		return "*"
	}
	var out []string
	for i := range r.in.NumField() {
		name := r.in.Type().Field(i).Name
		for _, v := range r.texts(name) {
			if a, err := arn.Parse(v); err == nil && a.Service == service {
				out = append(out, "{"+name+"}")
				break
			}
		}
	}
	return strings.Join(append(out, "*"), " ")
}

// named makes an ARN of what a request calls a resource.
func (r reading) named(v, kind string) string {
	at := r.c.Region + ":" + r.c.Account
	switch kind {
	case "topic":
		return strings.Join(strings.SplitN(v, ":", 7)[:min(6, strings.Count(v, ":")+1)], ":")
	case "queue":
		return r.queue(v)
	case "move-task":
		return cmp.Or(queue.MoveSource(v), "*")
	case "function":
		return r.function(v)
	case "group":
		return r.group(v)
	case "document":
		if strings.HasPrefix(v, "arn:") {
			return v
		}
		return "arn:aws:ssm:" + at + ":document/" + v
	case "stack":
		if strings.HasPrefix(v, "arn:") {
			return v
		}
		return "arn:aws:cloudformation:" + at + ":stack/" + v + "/*"
	case "repository":
		return "arn:aws:codecommit:" + at + ":" + v
	case "role", "user", "iam-group", "instance-profile", "linked", "task", "self":
		return r.identity(v, kind)
	}
	return r.ofConfig(v, kind)
}

// queue reads a queue's URL.
func (r reading) queue(v string) string {
	u, err := url.Parse(v)
	if err != nil {
		return "*"
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	account := r.c.Account
	if n := len(parts); n > 1 && arn.IsAccount(parts[n-2]) {
		account = parts[n-2]
	}
	return "arn:aws:sqs:" + r.c.Region + ":" + account + ":" + parts[len(parts)-1]
}

// function reads the ways in which functions are named.
func (r reading) function(v string) string {
	qualifier := ""
	if q := r.texts("Qualifier"); len(q) == 1 {
		qualifier = q[0]
	}
	ref, _ := lambda.Parse(config.Place{Account: r.c.Account, Region: r.c.Region}, v, qualifier)
	if ref.Name == "" {
		if strings.HasPrefix(v, "arn:") {
			return v
		}
		return "*"
	}
	return ref.ARN()
}

// group names a log group, and the stream in it that a request is about.
func (r reading) group(v string) string {
	if a, err := arn.Parse(v); err == nil {
		v = strings.TrimSuffix(strings.TrimPrefix(a.Resource, "log-group:"), ":*")
	}
	name := "arn:aws:logs:" + r.c.Region + ":" + r.c.Account + ":log-group:" + v
	if s := r.texts("LogStreamName"); len(s) == 1 {
		return name + ":log-stream:" + s[0]
	}
	return name
}

// identity names a role, user, group or instance profile with its path.
func (r reading) identity(v, kind string) string {
	prefix := "arn:aws:iam::" + r.c.Account + ":"
	switch kind {
	case "self":
		if strings.Contains(r.c.PrincipalARN, ":user/") {
			return r.c.PrincipalARN
		}
		return "*"
	case "linked":
		return prefix + "role/aws-service-role/" + v + "/" + identity.LinkedName(v)
	case "task":
		return strings.TrimPrefix(v, "task/")
	case "iam-group":
		kind = "group"
	}
	if r.unread {
		return prefix + kind + "/" + v
	}
	if e, err := identity.Find(r.ctx, r.tx, r.c.Account, identity.Kind(kind), v); err == nil {
		return e.ARN()
	}
	return prefix + kind + "/" + v
}

// ofConfig names what AWS Config has. Its ARNs hold ids, which what is not there yet
// does not have.
func (r reading) ofConfig(v, kind string) string {
	p := config.Place{Account: r.c.Account, Region: r.c.Region}
	if r.unread {
		if r.missed != nil {
			*r.missed = true
		}
		return "*"
	}
	switch kind {
	case "rule", "remediation":
		if e, err := store.Rule(r.ctx, r.tx, p, v); err == nil && kind == "rule" {
			return e.ARN
		} else if err == nil {
			return strings.Replace(e.ARN, ":config-rule/", ":remediation-configuration/", 1)
		}
		kind = map[string]string{"rule": "config-rule", "remediation": "remediation-configuration"}[kind]
	case "aggregator":
		if e, err := store.Aggregator(r.ctx, r.tx, p, v); err == nil {
			return e.ARN
		}
		kind = "config-aggregator"
	case "pack":
		if e, err := store.ConformancePack(r.ctx, r.tx, p, v); err == nil {
			return e.ARN
		}
		kind = "conformance-pack/" + v
	case "query":
		if e, err := store.StoredQuery(r.ctx, r.tx, p, v); err == nil {
			return e.ARN
		}
		kind = "stored-query/" + v
	case "recorder":
		if e, _, err := store.Recorder(r.ctx, r.tx, p); err == nil && e.ARN != "" {
			return e.ARN
		}
		kind = "configuration-recorder/" + v
	default:
		kind += "/" + v
	}
	return "arn:aws:config:" + p.Region + ":" + p.Account + ":" + kind + "/*"
}
