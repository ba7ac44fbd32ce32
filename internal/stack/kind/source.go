package kind

import (
	"context"
	"maps"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/awsclient"
)

// sourceTypes are those of services whose events functions get: Firehose, SES, AWS IoT,
// CodeCommit and Cognito.
func sourceTypes() map[string]Type {
	all := map[string]Type{
		"AWS::KinesisFirehose::DeliveryStream": {
			Service: "Firehose", Naming: Naming{Property: "DeliveryStreamName", Max: 64}, Fixed: []string{"DeliveryStreamName", "DeliveryStreamType", "KinesisStreamSourceConfiguration"},
			Create: createDeliveryStream, Update: updateDeliveryStream, Delete: deleteOf("firehose", "DeleteDeliveryStream", "DeliveryStreamName"),
			Settled: func(ctx context.Context, r *Request) (bool, error) {
				out, err := r.send(ctx, "firehose", "DescribeDeliveryStream", map[string]any{"DeliveryStreamName": r.Physical})
				return at(out, "DeliveryStreamDescription", "DeliveryStreamStatus") != "CREATING", err
			},
			Absent: func(ctx context.Context, r *Request) (bool, error) {
				_, err := r.send(ctx, "firehose", "DescribeDeliveryStream", map[string]any{"DeliveryStreamName": r.Physical})
				return isAbsent(err), absent(err)
			},
		},
		"AWS::IoT::TopicRule": {
			Service: "Iot", Naming: Naming{Property: "RuleName", Max: 128}, Fixed: []string{"RuleName"}, Create: createTopicRule, Update: replaceTopicRule,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "iot", "DeleteTopicRule", map[string]any{"ruleName": r.Physical})
				return absent(err)
			},
		},
		"AWS::IoT::Thing": {
			Service: "Iot", Naming: Naming{Property: "ThingName", Max: 128}, Fixed: []string{"ThingName"}, Create: createThing, Update: updateThing,
			Delete: deleteOf("iot", "DeleteThing", "thingName"),
		},
		"AWS::CodeCommit::Repository": {
			Service: "CodeCommit", Create: createRepository, Update: updateRepository, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "codecommit", "DeleteRepository", map[string]any{"repositoryName": textOf(r.Properties["RepositoryName"])})
				return absent(err)
			},
		},
		"AWS::Cognito::IdentityPool": {
			Service: "CognitoIdentity", Naming: Naming{Property: "IdentityPoolName", Max: 128}, Create: createIdentityPool, Update: updateIdentityPool,
			Delete: deleteOf("cognito-identity", "DeleteIdentityPool", "IdentityPoolId"),
		},
		"AWS::Cognito::IdentityPoolRoleAttachment": {
			Service: "CognitoIdentity", Naming: Naming{Max: 128}, Fixed: []string{"IdentityPoolId"}, Create: setPoolRoles, Update: setPoolRoles,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "cognito-identity", "SetIdentityPoolRoles", map[string]any{"IdentityPoolId": r.text("IdentityPoolId"), "Roles": map[string]any{}})
				return absent(err)
			},
		},
	}
	maps.Copy(all, mailTypes())
	return all
}

// destinations are the properties of a delivery stream that say where records go.
func destinations() []string {
	return []string{"S3DestinationConfiguration", "ExtendedS3DestinationConfiguration", "RedshiftDestinationConfiguration", "HttpEndpointDestinationConfiguration",
		"ElasticsearchDestinationConfiguration", "AmazonopensearchserviceDestinationConfiguration", "SplunkDestinationConfiguration"}
}

func createDeliveryStream(ctx context.Context, r *Request) error {
	in := without(r.Properties)
	in["DeliveryStreamName"] = r.name("DeliveryStreamName")
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["Tags"] = tagList(tags)
	}
	out, err := r.send(ctx, "firehose", "CreateDeliveryStream", in)
	if err != nil && !(r.Again && awsclient.Code(err) == "ResourceInUseException") {
		return err
	}
	r.Physical = r.name("DeliveryStreamName")
	r.Attributes = map[string]any{"Arn": at(out, "DeliveryStreamARN")}
	if at(out, "DeliveryStreamARN") == "" {
		r.Attributes["Arn"] = arn.New("firehose", r.Place.Region, r.Place.Account, "deliverystream/"+r.Physical).String()
	}
	return nil
}

func updateDeliveryStream(ctx context.Context, r *Request) error {
	if r.changed(destinations()...) {
		out, err := r.send(ctx, "firehose", "DescribeDeliveryStream", map[string]any{"DeliveryStreamName": r.Physical})
		if err != nil {
			return err
		}
		in := map[string]any{"DeliveryStreamName": r.Physical, "CurrentDeliveryStreamVersionId": at(out, "DeliveryStreamDescription", "VersionId"),
			"DestinationId": at(out, "DeliveryStreamDescription", "Destinations", 0, "DestinationId")}
		for _, property := range destinations() {
			set(in, strings.TrimSuffix(property, "Configuration")+"Update", r.Properties, property)
		}
		if _, err := r.send(ctx, "firehose", "UpdateDestination", in); err != nil {
			return err
		}
	}
	wanted, old := r.tags("Tags"), r.oldTags("Tags")
	if gone := missing(old, wanted); len(gone) > 0 {
		if _, err := r.send(ctx, "firehose", "UntagDeliveryStream", map[string]any{"DeliveryStreamName": r.Physical, "TagKeys": gone}); err != nil {
			return err
		}
	}
	if len(wanted) == 0 || maps.Equal(wanted, old) {
		return nil
	}
	_, err := r.send(ctx, "firehose", "TagDeliveryStream", map[string]any{"DeliveryStreamName": r.Physical, "Tags": tagList(wanted)})
	return err
}

func createTopicRule(ctx context.Context, r *Request) error {
	name := r.text("RuleName")
	if name == "" {
		name = strings.ReplaceAll(r.Name, "-", "_") // names of topic rules have no hyphens
	}
	_, err := r.send(ctx, "iot", "CreateTopicRule", map[string]any{"ruleName": name, "topicRulePayload": r.Properties["TopicRulePayload"]})
	if r.mine(err) != nil {
		return err
	}
	r.Physical = name
	r.Attributes = map[string]any{"Arn": arn.New("iot", r.Place.Region, r.Place.Account, "rule/"+name).String()}
	return nil
}

func replaceTopicRule(ctx context.Context, r *Request) error {
	_, err := r.send(ctx, "iot", "ReplaceTopicRule", map[string]any{"ruleName": r.Physical, "topicRulePayload": r.Properties["TopicRulePayload"]})
	return err
}

// thing is the input for a thing.
func (r *Request) thing() map[string]any {
	in := map[string]any{"thingName": r.name("ThingName")}
	if r.Physical != "" {
		in["thingName"] = r.Physical
	}
	set(in, "attributePayload", r.Properties, "AttributePayload")
	return in
}

func createThing(ctx context.Context, r *Request) error {
	if err := r.only("ThingName", "AttributePayload"); err != nil {
		return err
	}
	name := r.name("ThingName")
	if !r.Again {
		// CreateThing is no error where a thing with the same attributes is there.
		if _, err := r.send(ctx, "iot", "DescribeThing", map[string]any{"thingName": name}); err == nil {
			return refuse(AlreadyExists, "%s already exists", name)
		} else if !isAbsent(err) {
			return err
		}
	}
	out, err := r.send(ctx, "iot", "CreateThing", r.thing())
	if r.Again && isThere(err) {
		out, err = r.send(ctx, "iot", "DescribeThing", map[string]any{"thingName": name})
	}
	if err != nil {
		return err
	}
	r.Physical = name
	r.Attributes = map[string]any{"Arn": arn.New("iot", r.Place.Region, r.Place.Account, "thing/"+r.Physical).String(), "Id": at(out, "thingId")}
	return nil
}

func updateThing(ctx context.Context, r *Request) error {
	_, err := r.send(ctx, "iot", "UpdateThing", r.thing())
	return err
}

func createRepository(ctx context.Context, r *Request) error {
	if err := r.only("RepositoryName", "RepositoryDescription", "Tags", "Triggers", "KmsKeyId"); err != nil {
		return err
	}
	in := map[string]any{"tags": tagMap(r.tags("Tags"))}
	for _, property := range []string{"RepositoryName", "RepositoryDescription", "KmsKeyId"} {
		set(in, property, r.Properties, property)
	}
	out, err := r.send(ctx, "codecommit", "CreateRepository", in)
	if r.Again && isThere(err) {
		out, err = r.send(ctx, "codecommit", "GetRepository", map[string]any{"repositoryName": r.text("RepositoryName")})
	}
	if err != nil {
		return err
	}
	is, _ := out["repositoryMetadata"].(map[string]any)
	r.Physical = at(is, "repositoryId")
	r.Attributes = map[string]any{"Arn": at(is, "Arn"), "Name": at(is, "repositoryName"), "CloneUrlHttp": at(is, "cloneUrlHttp"), "CloneUrlSsh": at(is, "cloneUrlSsh")}
	return r.setTriggers(ctx)
}

// setTriggers gives a repository its triggers. Those for all events say so.
func (r *Request) setTriggers(ctx context.Context) error {
	if !r.changed("Triggers") {
		return nil
	}
	list, _ := r.Properties["Triggers"].([]any)
	triggers := []any{}
	for _, item := range list {
		trigger, _ := item.(map[string]any)
		trigger = without(trigger)
		if trigger["Branches"] == nil {
			trigger["Branches"] = []any{}
		}
		triggers = append(triggers, trigger)
	}
	_, err := r.send(ctx, "codecommit", "PutRepositoryTriggers", map[string]any{"repositoryName": r.text("RepositoryName"), "triggers": triggers})
	return err
}

func updateRepository(ctx context.Context, r *Request) error {
	name := r.text("RepositoryName")
	if r.changed("RepositoryName") {
		if _, err := r.send(ctx, "codecommit", "UpdateRepositoryName", map[string]any{"oldName": textOf(r.Old["RepositoryName"]), "newName": name}); err != nil {
			return err
		}
		r.Attributes["Name"] = name
	}
	if r.changed("RepositoryDescription") {
		in := map[string]any{"repositoryName": name, "repositoryDescription": r.text("RepositoryDescription")}
		if _, err := r.send(ctx, "codecommit", "UpdateRepositoryDescription", in); err != nil {
			return err
		}
	}
	if err := r.setTriggers(ctx); err != nil {
		return err
	}
	return r.retagByMap(ctx, "codecommit", arn.New("codecommit", r.Place.Region, r.Place.Account, name).String())
}

// pool is the input for an identity pool.
func (r *Request) pool() map[string]any {
	in := without(r.Properties, "CognitoEvents", "CognitoStreams", "PushSync", "IdentityPoolTags")
	in["IdentityPoolName"] = r.name("IdentityPoolName")
	if tags := r.tags("IdentityPoolTags"); len(tags) > 0 {
		in["IdentityPoolTags"] = tagMap(tags)
	}
	return in
}

func createIdentityPool(ctx context.Context, r *Request) error {
	out, err := r.send(ctx, "cognito-identity", "CreateIdentityPool", r.pool())
	if err != nil {
		return err
	}
	r.Physical = at(out, "IdentityPoolId")
	r.Attributes = map[string]any{"Name": at(out, "IdentityPoolName")}
	return r.setEvents(ctx)
}

func updateIdentityPool(ctx context.Context, r *Request) error {
	in := r.pool()
	if r.text("IdentityPoolName") == "" {
		in["IdentityPoolName"] = textOf(r.Attributes["Name"])
	}
	in["IdentityPoolId"] = r.Physical
	if _, err := r.send(ctx, "cognito-identity", "UpdateIdentityPool", in); err != nil {
		return err
	}
	r.Attributes["Name"] = in["IdentityPoolName"]
	return r.setEvents(ctx)
}

// setEvents names the function that is asked when data sets are written.
func (r *Request) setEvents(ctx context.Context) error {
	if !r.changed("CognitoEvents") {
		return nil
	}
	events, _ := r.Properties["CognitoEvents"].(map[string]any)
	if events == nil {
		events = map[string]any{"SyncTrigger": ""}
	}
	_, err := r.send(ctx, "cognito-sync", "SetCognitoEvents", map[string]any{"IdentityPoolId": r.Physical, "Events": events})
	return err
}

func setPoolRoles(ctx context.Context, r *Request) error {
	in := without(r.Properties)
	if in["Roles"] == nil {
		in["Roles"] = map[string]any{}
	}
	_, err := r.send(ctx, "cognito-identity", "SetIdentityPoolRoles", in)
	if r.Physical == "" {
		r.Physical = r.Name
	}
	return err
}

// mailTypes are those of SES.
func mailTypes() map[string]Type {
	return map[string]Type{
		"AWS::SES::ReceiptRuleSet": {
			Service: "Ses", Naming: Naming{Property: "RuleSetName", Max: 64},
			Create: func(ctx context.Context, r *Request) error {
				if err := r.only("RuleSetName"); err != nil {
					return err
				}
				_, err := r.send(ctx, "ses", "CreateReceiptRuleSet", map[string]any{"RuleSetName": r.name("RuleSetName")})
				r.Physical = r.name("RuleSetName")
				return r.taken(err)
			},
			Delete: deleteOf("ses", "DeleteReceiptRuleSet", "RuleSetName"),
		},
		"AWS::SES::ReceiptRule": {
			Service: "Ses", Naming: Naming{Max: 64}, Fixed: []string{"RuleSetName"},
			Create: func(ctx context.Context, r *Request) error {
				in := r.receiptRule()
				set(in, "After", r.Properties, "After")
				_, err := r.send(ctx, "ses", "CreateReceiptRule", in)
				r.Physical = at(in, "Rule", "Name")
				return r.taken(err)
			},
			Update: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "ses", "UpdateReceiptRule", r.receiptRule())
				return err
			},
			Delete: deleteOf("ses", "DeleteReceiptRule", "RuleName", "RuleSetName"),
		},
		"AWS::SES::ReceiptFilter": {
			Service: "Ses", Naming: Naming{Max: 64},
			Create: func(ctx context.Context, r *Request) error {
				filter, _ := r.Properties["Filter"].(map[string]any)
				filter = without(filter)
				if textOf(filter["Name"]) == "" {
					filter["Name"] = r.Name
				}
				_, err := r.send(ctx, "ses", "CreateReceiptFilter", map[string]any{"Filter": filter})
				r.Physical = textOf(filter["Name"])
				return r.taken(err)
			},
			Delete: deleteOf("ses", "DeleteReceiptFilter", "FilterName"),
		},
	}
}

// taken drops the physical id of what is somebody else's, so that it is not deleted.
func (r *Request) taken(err error) error {
	if err = r.mine(err); err != nil {
		r.Physical = ""
	}
	return err
}

// receiptRule is the input for a rule of received mail, with its name.
func (r *Request) receiptRule() map[string]any {
	rule, _ := r.Properties["Rule"].(map[string]any)
	rule = without(rule)
	if r.Physical != "" {
		rule["Name"] = r.Physical
	} else if textOf(rule["Name"]) == "" {
		rule["Name"] = r.Name
	}
	return map[string]any{"RuleSetName": r.text("RuleSetName"), "Rule": rule}
}

// busTypes are EventBridge's buses and the permissions to send to them.
func busTypes() map[string]Type {
	return map[string]Type{
		"AWS::Events::EventBus": {
			Service: "Events", Fixed: []string{"Name", "EventSourceName"},
			Create: func(ctx context.Context, r *Request) error {
				in := without(r.Properties, "Policy", "Tags")
				if tags := r.tags("Tags"); len(tags) > 0 {
					in["Tags"] = tagList(tags)
				}
				if _, err := r.send(ctx, "events", "CreateEventBus", in); r.mine(err) != nil {
					return err
				}
				r.Physical = r.text("Name")
				bus := arn.New("events", r.Place.Region, r.Place.Account, "event-bus/"+r.Physical).String()
				r.Attributes = map[string]any{"Arn": bus, "Name": r.Physical, "Policy": ""}
				return r.setBusPolicy(ctx)
			},
			Update: func(ctx context.Context, r *Request) error {
				in := without(r.Properties, "Policy", "Tags", "EventSourceName")
				if _, err := r.send(ctx, "events", "UpdateEventBus", in); err != nil {
					return err
				}
				if err := r.setBusPolicy(ctx); err != nil {
					return err
				}
				return r.retag(ctx, "events", map[string]any{"ResourceARN": textOf(r.Attributes["Arn"])}, "Tags")
			},
			Delete: deleteOf("events", "DeleteEventBus", "Name"),
		},
		"AWS::Events::EventBusPolicy": {
			Service: "Events", Fixed: []string{"EventBusName", "StatementId"}, Create: putBusPermission, Update: putBusPermission,
			Delete: func(ctx context.Context, r *Request) error {
				in := r.bus(map[string]any{"StatementId": r.text("StatementId")})
				_, err := r.send(ctx, "events", "RemovePermission", in)
				return absent(err)
			},
		},
	}
}

// setBusPolicy gives a bus its whole policy.
func (r *Request) setBusPolicy(ctx context.Context) error {
	if !r.changed("Policy") {
		return nil
	}
	in := map[string]any{"EventBusName": r.Physical}
	if policy, ok := r.Properties["Policy"]; ok {
		in["Policy"] = policy
		_, err := r.send(ctx, "events", "PutPermission", in)
		return err
	}
	in["RemoveAllPermissions"] = true
	_, err := r.send(ctx, "events", "RemovePermission", in)
	return absent(err)
}

// putBusPermission adds a statement to a bus's policy.
func putBusPermission(ctx context.Context, r *Request) error {
	in := r.bus(map[string]any{"StatementId": r.text("StatementId")})
	for _, property := range []string{"Action", "Principal", "Condition"} {
		set(in, property, r.Properties, property)
	}
	if statement, ok := r.Properties["Statement"].(map[string]any); ok {
		if err := permissionOf(in, statement); err != nil {
			return err
		}
	}
	if _, err := r.send(ctx, "events", "PutPermission", in); err != nil {
		return err
	}
	r.Physical = r.text("EventBusName") + "|" + r.text("StatementId")
	return nil
}

// permissionOf writes a statement as the members of PutPermission, by which statements of
// other resources stay as they are.
func permissionOf(in, statement map[string]any) error {
	in["Action"], in["Principal"] = statement["Action"], statement["Principal"]
	if accounts := texts(field(statement["Principal"], "AWS")); len(accounts) == 1 && oneKey(statement["Principal"]) {
		in["Principal"] = accounts[0]
		if a, err := arn.Parse(accounts[0]); err == nil && a.Resource == "root" {
			in["Principal"] = a.Account
		}
	}
	if list := texts(statement["Action"]); len(list) == 1 {
		in["Action"] = list[0]
	}
	plain := textOf(statement["Effect"]) == "Allow" && len(without(statement, "Sid", "Effect", "Principal", "Action", "Resource", "Condition")) == 0
	if condition, ok := statement["Condition"]; ok {
		equals := field(condition, "StringEquals")
		organizations := texts(field(equals, "aws:PrincipalOrgID"))
		// What PutPermission cannot say may not be left out: more would be allowed.
		if plain = plain && oneKey(condition) && oneKey(equals) && len(organizations) == 1 && organizations[0] != ""; plain {
			in["Condition"] = map[string]any{"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": organizations[0]}
		}
	}
	_, principal := in["Principal"].(string)
	_, action := in["Action"].(string)
	if !plain || !principal || !action {
		return refuse(InvalidRequest, "A statement of AWS::Events::EventBusPolicy allows one account or everybody here, on no condition but aws:PrincipalOrgID. Put other policies into the Policy of AWS::Events::EventBus.")
	}
	return nil
}

// oneKey reports whether a value is a mapping of one key.
func oneKey(v any) bool {
	m, _ := v.(map[string]any)
	return len(m) == 1
}
