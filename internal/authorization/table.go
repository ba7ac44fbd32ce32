package authorization

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/policy"
)

// A service says what the requests of a service are about. Each resource is written
// as a list of patterns, of which the first one counts whose members the input has:
// {Member} is a member's value, {Member|kind} what makes an ARN of it, @ the region and
// account of the caller, # the account, % the region. Where none counts, the request is about "*".
type service struct {
	prefix    string            // of actions, where it is not the service's name
	byDefault string            // for operations that are not listed
	resources map[string]string // by operation
	actions   map[string]string // of operations that are called otherwise
	needs     map[string][]need // operations that need rights beside their own
	free      []string          // operations that everybody may call
	passes    map[string]string // operations that hand a role to a service: the members with the role's ARN
	patches   map[string]string // operations that hand a role over in a patch operation: its path
	documents map[string]string // operations that may hand roles over in a document of OpenAPI: the member with it
	passedTo  string            // the service's name
	methods   bool              // actions are methods: apigateway:GET
}

// A need is an action that an operation does on what it names. It is not asked for where
// the input does not name it.
type need struct{ action, resource string }

// topicRuleRoles are the roles with which the actions of a topic rule are done.
const topicRuleRoles = "TopicRulePayload.Actions.Sns.RoleArn TopicRulePayload.Actions.Sqs.RoleArn TopicRulePayload.Actions.S3.RoleArn " +
	"TopicRulePayload.ErrorAction.Sns.RoleArn TopicRulePayload.ErrorAction.Sqs.RoleArn TopicRulePayload.ErrorAction.S3.RoleArn"

// firstLex is what operations of Lex V1 are about. Some have the name of one of V2, which is about what second names.
func firstLex(second string) map[string]string {
	out := map[string]string{"GetBot": "arn:aws:lex:@:bot:{Name}:{VersionOrAlias}"}
	for kind, noun := range map[string]string{"bot": "Bot", "intent": "Intent", "slottype": "SlotType"} {
		latest := "arn:aws:lex:@:" + kind + ":{Name}:$LATEST"
		if kind == "bot" {
			latest = "arn:aws:lex:@:" + second + " " + latest
		}
		for _, operation := range []string{"Put" + noun, "Delete" + noun, "Create" + noun + "Version", "Get" + noun + "Versions"} {
			out[operation] = latest
		}
		out["Delete"+noun+"Version"] = strings.ReplaceAll(latest, "$LATEST", "{Version}")
		if kind != "bot" {
			out["Get"+noun] = out["Delete"+noun+"Version"]
		}
	}
	return out
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
		resources: map[string]string{"CreateQueue": "arn:aws:sqs:@:{QueueName}", "GetQueueUrl": "arn:aws:sqs:@:{QueueName}",
			"CancelMessageMoveTask": "{TaskHandle|move-task}"},
		needs: map[string][]need{"StartMessageMoveTask": {{"ReceiveMessage", "{SourceArn}"}, {"DeleteMessage", "{SourceArn}"},
			{"GetQueueAttributes", "{SourceArn}"}, {"SendMessage", "{DestinationArn}"}}},
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
	"apigateway": {
		methods: true,
		byDefault: "arn:aws:apigateway:%::/apis/{ApiId} arn:aws:apigateway:%::/restapis/{RestApiId} {ResourceArn} " +
			"arn:aws:apigateway:%::/apikeys/{ApiKey} arn:aws:apigateway:%::/usageplans/{UsagePlanId}",
		resources: map[string]string{"CreateApi": "arn:aws:apigateway:%::/apis", "GetApis": "arn:aws:apigateway:%::/apis",
			"ImportApi": "arn:aws:apigateway:%::/apis", "ImportRestApi": "arn:aws:apigateway:%::/restapis",
			"CreateRestApi": "arn:aws:apigateway:%::/restapis", "GetRestApis": "arn:aws:apigateway:%::/restapis",
			"CreateApiKey": "arn:aws:apigateway:%::/apikeys", "GetApiKeys": "arn:aws:apigateway:%::/apikeys",
			"CreateUsagePlan": "arn:aws:apigateway:%::/usageplans", "GetUsagePlans": "arn:aws:apigateway:%::/usageplans"},
		passes: map[string]string{
			"CreateIntegration": "CredentialsArn", "UpdateIntegration": "CredentialsArn", "CreateAuthorizer": "AuthorizerCredentialsArn AuthorizerCredentials",
			"UpdateAuthorizer": "AuthorizerCredentialsArn", "CreateApi": "CredentialsArn", "UpdateApi": "CredentialsArn",
			"PutIntegration": "Credentials",
		},
		patches:   map[string]string{"UpdateAuthorizer": "authorizerCredentials"},
		documents: map[string]string{"ImportApi": "Body", "ReimportApi": "Body", "ImportRestApi": "Body", "PutRestApi": "Body"},
		passedTo:  "apigateway.amazonaws.com",
	},
	"events": {
		passes:   map[string]string{"PutRule": "RoleArn", "PutTargets": "Targets.RoleArn"},
		passedTo: "events.amazonaws.com",
	},
	"ses": {
		resources: map[string]string{"SendEmail": "arn:aws:ses:@:identity/{Source}", "SendRawEmail": "arn:aws:ses:@:identity/{Source}"},
	},
	"iot": {
		byDefault: "arn:aws:iot:@:rule/{RuleName} arn:aws:iot:@:thing/{ThingName}",
		passes:    map[string]string{"CreateTopicRule": topicRuleRoles, "ReplaceTopicRule": topicRuleRoles},
		passedTo:  "iot.amazonaws.com",
	},
	"lex": {
		byDefault: "arn:aws:lex:@:bot-alias/{BotId}/{BotAliasId} arn:aws:lex:@:bot/{BotId} " +
			"arn:aws:lex:@:bot:{BotName}:{BotAlias} arn:aws:lex:@:bot:{BotName}:{Name} arn:aws:lex:@:bot:{BotName}:*",
		resources: firstLex("bot/{BotId}"),
		passes:    map[string]string{"CreateBot": "RoleArn", "UpdateBot": "RoleArn"},
		passedTo:  "lexv2.amazonaws.com",
	},
	"iotdata": {
		prefix:    "iot",
		byDefault: "arn:aws:iot:@:topic/{Topic}",
	},
	"scheduler": {
		passes:   map[string]string{"CreateSchedule": "Target.RoleArn", "UpdateSchedule": "Target.RoleArn"},
		passedTo: "scheduler.amazonaws.com",
	},
	"firehose": {
		byDefault: "arn:aws:firehose:@:deliverystream/{DeliveryStreamName}",
		passes: map[string]string{
			"CreateDeliveryStream": "ExtendedS3DestinationConfiguration.RoleARN S3DestinationConfiguration.RoleARN " +
				"ExtendedS3DestinationConfiguration.S3BackupConfiguration.RoleARN",
			"UpdateDestination": "ExtendedS3DestinationUpdate.RoleARN S3DestinationUpdate.RoleARN ExtendedS3DestinationUpdate.S3BackupUpdate.RoleARN",
		},
		passedTo: "firehose.amazonaws.com",
	},
	"cognito-identity": {
		byDefault: "arn:aws:cognito-identity:@:identitypool/{IdentityPoolId}",
		free:      []string{"GetId", "GetCredentialsForIdentity"}, // who knows an identity's id may
		passes:    map[string]string{"SetIdentityPoolRoles": "Roles"},
		passedTo:  "cognito-identity.amazonaws.com",
	},
	"cognito-sync": {
		byDefault: "arn:aws:cognito-sync:@:identitypool/{IdentityPoolId}/identity/{IdentityId}/dataset/{DatasetName} " +
			"arn:aws:cognito-sync:@:identitypool/{IdentityPoolId}/identity/{IdentityId} arn:aws:cognito-sync:@:identitypool/{IdentityPoolId}",
	},
	"codecommit": {
		byDefault: "{RepositoryName|repository} {RepositoryNames|repository} {OldName|repository} {ResourceArn}",
	},
	"cloudfront": {
		byDefault: "arn:aws:cloudfront::#:distribution/{Id} {Resource}",
		resources: map[string]string{
			"CreateInvalidation": "arn:aws:cloudfront::#:distribution/{DistributionId}", "GetInvalidation": "arn:aws:cloudfront::#:distribution/{DistributionId}",
			"ListInvalidations": "arn:aws:cloudfront::#:distribution/{DistributionId}",
		},
		actions: map[string]string{"CreateDistributionWithTags": "CreateDistribution"},
	},
	"ssm": {
		byDefault: "{Name|document} arn:aws:ssm:@:automation-execution/{AutomationExecutionId}",
		resources: map[string]string{"StartAutomationExecution": "arn:aws:ssm:@:automation-definition/{DocumentName}:{DocumentVersion} arn:aws:ssm:@:automation-definition/{DocumentName}:$DEFAULT"},
	},
}

// Resources returns the ARNs of what a request is about, as far as its input says them.
func Resources(c caller.Caller, info model.Info, operation string, in any) []string {
	s := services[info.Signing]
	r := reading{c: c, in: reflect.Indirect(reflect.ValueOf(in)), unread: true}
	if r.in.Kind() != reflect.Struct {
		return nil
	}
	s.passes, s.documents, s.needs = nil, nil, nil
	var out []string
	for _, q := range s.asks(r, info.Signing, operation, false) {
		if strings.HasPrefix(q.Resource, "arn:") && !strings.HasSuffix(q.Resource, "*") {
			out = append(out, q.Resource)
		}
	}
	return out
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
	if s.passesForeign(r, operation) {
		return ctx, worded(model.AccessDeniedException("Cross-account pass role is not allowed."), info)
	}
	if IsRoot(c) { // only whose the resources are matters, and the store is not asked
		ctx, err := a.May(ctx, s.asks(r, info.Signing, operation, true)...)
		return ctx, worded(err, info)
	}
	granted, err := a.withoutStore(r, s, info.Signing, operation)
	if errors.Is(err, errNeedsStore) {
		if a.o.Remember != nil {
			ctx = a.o.Remember(ctx)
		}
		r.ctx = ctx
		err = a.o.DB.Read(ctx, func(tx *db.Tx) (err error) {
			r.tx = tx
			granted, err = a.mayIn(ctx, tx, s.asks(r, info.Signing, operation, false))
			return err
		})
	}
	return caller.Grant(ctx, granted), worded(err, info)
}

// withoutStore decides about a request that names no resource, of a caller whose policies
// are known: most that list and describe. Of others the error is errNeedsStore.
func (a *Authorizer) withoutStore(r reading, s service, name, operation string) (string, error) {
	missed := false
	r.unread, r.missed = true, &missed
	asks := s.asks(r, name, operation, false)
	for _, q := range asks {
		if q.Resource != "*" {
			return "", errNeedsStore // what only the store knows may be named otherwise there
		}
	}
	if missed {
		return "", errNeedsStore
	}
	return a.mayIn(r.ctx, nil, asks)
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
	case info.Protocol == "query", info.Protocol == "rest-xml":
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
	if s.methods {
		action = methodOf(operation)
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
	if !root {
		for _, n := range s.needs[operation] {
			for _, resource := range r.fill(n.resource, root) {
				asks = append(asks, Ask{Action: prefix + ":" + n.action, Resource: resource, Context: keys})
			}
		}
		asks = append(asks, s.pass(r, s.roles(r, operation))...)
	}
	return asks
}

// methodOf is the method of HTTP that an operation of API Gateway is called with.
func methodOf(operation string) string {
	for _, m := range [][2]string{{"Get", "GET"}, {"Update", "PATCH"}, {"Delete", "DELETE"}, {"Untag", "DELETE"}, {"Reset", "DELETE"}, {"Flush", "DELETE"}, {"Put", "PUT"},
		{"ImportApi", "PUT"}, {"Reimport", "PUT"}} {
		if strings.HasPrefix(operation, m[0]) {
			return m[1]
		}
	}
	return "POST"
}

// passesForeign says whether a role of another account is handed to the service, which
// nobody may: not the account itself, whatever policies say.
func (s service) passesForeign(r reading, operation string) bool {
	return slices.ContainsFunc(s.roles(r, operation), func(role string) bool { return arn.Foreign(role, r.c.Account) })
}

// roles are those that an operation hands to the service.
func (s service) roles(r reading, operation string) []string {
	var out []string
	for member := range strings.FieldsSeq(s.passes[operation]) {
		out = append(out, r.texts(member)...)
	}
	out = append(out, r.patched(s.patches[operation])...)
	return append(out, r.rolesIn(s.documents[operation])...)
}

// pass asks whether roles may be handed to the service.
func (s service) pass(r reading, roles []string) []Ask {
	var asks []Ask
	for _, role := range roles {
		if !strings.HasPrefix(role, "arn:") {
			role = r.named(role, "role")
		}
		asks = append(asks, Ask{Action: "iam:PassRole", Resource: role, Context: policy.Context{"iam:passedtoservice": {s.passedTo}}})
	}
	return asks
}
