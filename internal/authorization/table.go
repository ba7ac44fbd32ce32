package authorization

import (
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
	"plumb/internal/model"
	"plumb/internal/policy"
	"plumb/internal/store"
)

// A service says what the requests of a service are about. Each resource is written
// as a list of patterns, of which the first one counts whose members the input has:
// {Member} is a member's value, {Member|kind} what makes an ARN of it, @ the region and
// account of the caller, # the account. Where none counts, the request is about "*".
type service struct {
	prefix    string            // of actions, where it is not the service's name
	byDefault string            // for operations that are not listed
	resources map[string]string // by operation
	actions   map[string]string // of operations that are called otherwise
	free      []string          // operations that everybody may call
	passes    map[string]string // operations that hand a role to a service: the member with the role's ARN
	passedTo  string            // the service's name
}

var services = map[string]service{
	"config": {
		byDefault: "{ConfigRuleName|rule} {ConfigRuleNames|rule} {ConfigurationAggregatorName|aggregator} {ConformancePackName|pack} " +
			"{OrganizationConfigRuleName|organization-config-rule} {OrganizationConformancePackName|organization-conformance-pack} {QueryName|query} " +
			"{ConfigurationRecorderName|recorder} {ResourceArn}",
		resources: map[string]string{
			"PutConfigRule": "{ConfigRule.ConfigRuleName|rule} {ConfigRule.ConfigRuleArn}", "PutConfigurationRecorder": "{ConfigurationRecorder.Name|recorder}",
			"PutStoredQuery": "{StoredQuery.QueryName|query}", "PutRemediationConfigurations": "{RemediationConfigurations.ConfigRuleName|remediation}",
			"DeleteRemediationConfiguration": "{ConfigRuleName|remediation}", "DescribeRemediationConfigurations": "{ConfigRuleNames|remediation}",
			"StartRemediationExecution": "{ConfigRuleName|remediation}", "PutEvaluations": "*", "PutExternalEvaluation": "*",
		},
		passes:   map[string]string{"PutConfigurationRecorder": "ConfigurationRecorder.RoleARN", "PutConfigurationAggregator": "OrganizationAggregationSource.RoleArn"},
		passedTo: "config.amazonaws.com",
	},
	"sns": {
		prefix:    "SNS",
		byDefault: "{TopicArn} {TargetArn} {ResourceArn} {SubscriptionArn|topic}",
		resources: map[string]string{"CreateTopic": "arn:aws:sns:@:{Name}"},
		actions:   map[string]string{"PublishBatch": "Publish"},
		free:      []string{"ConfirmSubscription"}, // who has the token may
	},
	"sqs": {
		byDefault: "{QueueUrl|queue} {SourceArn}",
		resources: map[string]string{"CreateQueue": "arn:aws:sqs:@:{QueueName}", "GetQueueUrl": "arn:aws:sqs:@:{QueueName}"},
		actions: map[string]string{
			"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage", "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
		},
	},
	"lambda": {
		byDefault: "{FunctionName|function} arn:aws:lambda:@:event-source-mapping:{UUID} arn:aws:lambda:@:layer:{LayerName} {CodeSigningConfigArn} {Resource} {ResourceArn} {Arn}",
		actions:   map[string]string{"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"},
		passes:    map[string]string{"CreateFunction": "Role", "UpdateFunctionConfiguration": "Role"},
		passedTo:  "lambda.amazonaws.com",
	},
	"logs": {byDefault: "{LogGroupName|group} {LogGroupIdentifier|group} {ResourceArn} {LogGroupArn}"},
	"iam": {
		byDefault: "{GroupName|iam-group} {InstanceProfileName|instance-profile} {RoleName|role} {UserName|user} {PolicyArn} {PolicySourceArn}",
		resources: map[string]string{
			"CreatePolicy": "arn:aws:iam::#:policy{Path}{PolicyName} arn:aws:iam::#:policy/{PolicyName}", "CreateRole": "arn:aws:iam::#:role{Path}{RoleName} {RoleName|role}",
			"CreateUser": "arn:aws:iam::#:user{Path}{UserName} {UserName|user}", "CreateGroup": "arn:aws:iam::#:group{Path}{GroupName} {GroupName|iam-group}",
			"CreateInstanceProfile":   "arn:aws:iam::#:instance-profile{Path}{InstanceProfileName} {InstanceProfileName|instance-profile}",
			"CreateServiceLinkedRole": "{AWSServiceName|linked}", "GetServiceLinkedRoleDeletionStatus": "arn:aws:iam::#:role/{DeletionTaskId|task}",
			"GetUser": "{UserName|user} {|self}", "ListAccessKeys": "{UserName|user} {|self}", "CreateAccessKey": "{UserName|user} {|self}",
			"DeleteAccessKey": "{UserName|user} {|self}", "UpdateAccessKey": "{UserName|user} {|self}",
		},
		passes:   map[string]string{"AddRoleToInstanceProfile": "RoleName"},
		passedTo: "ec2.amazonaws.com",
	},
	"sts": {
		byDefault: "*",
		free:      []string{"GetCallerIdentity", "GetSessionToken", "AssumeRole"}, // AssumeRole asks itself, with the trust policy
	},
	"organizations": {byDefault: "*"},
	"cloudformation": {
		byDefault: "{StackName|stack}",
		passes:    map[string]string{"CreateStack": "RoleARN", "UpdateStack": "RoleARN", "DeleteStack": "RoleARN", "CreateChangeSet": "RoleARN"},
		passedTo:  "cloudformation.amazonaws.com",
	},
	"events": {
		passes:   map[string]string{"PutRule": "RoleArn", "PutTargets": "Targets.RoleArn"},
		passedTo: "events.amazonaws.com",
	},
	"scheduler": {
		passes:   map[string]string{"CreateSchedule": "Target.RoleArn", "UpdateSchedule": "Target.RoleArn"},
		passedTo: "scheduler.amazonaws.com",
	},
	"ssm": {
		byDefault: "{Name|document} arn:aws:ssm:@:automation-execution/{AutomationExecutionId}",
		resources: map[string]string{"StartAutomationExecution": "arn:aws:ssm:@:automation-definition/{DocumentName}:{DocumentVersion} arn:aws:ssm:@:automation-definition/{DocumentName}:$DEFAULT"},
	},
}

// A reading is an input whose members are asked for, in a transaction.
type reading struct {
	ctx context.Context
	tx  *db.Tx
	c   caller.Caller
	in  reflect.Value
}

// Operation decides whether the caller of ctx may call an operation with this input.
func (a *Authorizer) Operation(ctx context.Context, info model.Info, operation string, in any) (context.Context, error) {
	c := caller.From(ctx)
	s := services[info.Signing]
	for _, f := range s.free {
		if f == operation {
			return ctx, nil
		}
	}
	r := reading{ctx: ctx, c: c, in: reflect.Indirect(reflect.ValueOf(in))}
	if IsRoot(c) { // only whose the resources are matters, and the store is not asked
		ctx, err := a.May(ctx, s.asks(r, info.Signing, operation, true)...)
		return ctx, worded(err, info)
	}
	var asks []Ask
	err := a.o.DB.Read(ctx, func(tx *db.Tx) error {
		r.tx = tx
		asks = s.asks(r, info.Signing, operation, false)
		return nil
	})
	if err != nil {
		return ctx, err
	}
	ctx, err = a.May(ctx, asks...)
	return ctx, worded(err, info)
}

// worded gives a refusal the code and status of the service's protocol.
func worded(err error, info model.Info) error {
	e, ok := err.(*model.Error)
	if !ok || e.Code != "AccessDeniedException" {
		return err
	}
	out := *e
	switch {
	case info.Signing == "sns":
		out.Code, out.QueryCode, out.Status = "AuthorizationError", "AuthorizationError", 403
	case info.Protocol == "query":
		out.Code, out.Status = "AccessDenied", 403
	case info.Protocol == "rest-json":
		out.Status = 403
	}
	return &out
}

func (s service) asks(r reading, name, operation string, root bool) []Ask {
	prefix, action := name, operation
	if s.prefix != "" {
		prefix = s.prefix
	}
	if other, ok := s.actions[operation]; ok {
		action = other
	}
	patterns, ok := s.resources[operation]
	if !ok {
		patterns = s.byDefault
	}
	if patterns == "" {
		patterns = r.anyARN(name)
	}
	keys := r.tags()
	var asks []Ask
	for _, resource := range r.first(patterns, root) {
		q := Ask{Action: prefix + ":" + action, Resource: resource, Context: keys}
		if name == "logs" && resource != "*" && !strings.Contains(resource, ":log-stream:") {
			q.Or = resource + ":*"
		}
		asks = append(asks, q)
	}
	if member, ok := s.passes[operation]; ok && !root {
		asks = append(asks, s.pass(r, member)...)
	}
	return asks
}

// pass asks whether a role may be handed to the service.
func (s service) pass(r reading, member string) []Ask {
	var asks []Ask
	for _, role := range r.texts(member) {
		if !strings.HasPrefix(role, "arn:") {
			role = r.named(role, "role")
		}
		asks = append(asks, Ask{Action: "iam:PassRole", Resource: role, Context: policy.Context{"iam:passedtoservice": {s.passedTo}}})
	}
	return asks
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
	for name := range strings.SplitSeq(path, ".") {
		v = reflect.Indirect(v)
		if v.Kind() == reflect.Slice {
			var out []string
			for i := range v.Len() {
				out = append(out, reading{in: reflect.Indirect(v.Index(i))}.texts(name)...)
			}
			return out
		}
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
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
		var out []string
		for i := range v.Len() {
			out = append(out, v.Index(i).String())
		}
		return out
	}
	return nil
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
	pattern = strings.NewReplacer("@", r.c.Region+":"+r.c.Account, "#", r.c.Account).Replace(pattern)
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
	if e, err := identity.Find(r.ctx, r.tx, r.c.Account, identity.Kind(kind), v); err == nil {
		return e.ARN()
	}
	return prefix + kind + "/" + v
}

// ofConfig names what AWS Config has. Its ARNs hold ids, which what is not there yet
// does not have.
func (r reading) ofConfig(v, kind string) string {
	p := config.Place{Account: r.c.Account, Region: r.c.Region}
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
