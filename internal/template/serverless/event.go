package serverless

import (
	"maps"
	"slices"
	"strings"
)

// An event is what invokes a function.
type event struct {
	*function
	id   string // logical id of what it becomes
	in   object // properties
	kind string
}

// An eventType is how events of a type are transformed.
type eventType struct {
	required, optional []string
	make               func(e event) error
}

// eventTypes are those that become something that stacks make.
func eventTypes() map[string]eventType {
	mapped := []string{
		"BatchSize", "StartingPosition", "StartingPositionTimestamp", "Enabled", "MaximumBatchingWindowInSeconds", "MaximumRetryAttempts",
		"BisectBatchOnFunctionError", "MaximumRecordAgeInSeconds", "DestinationConfig", "ParallelizationFactor", "TumblingWindowInSeconds",
		"FunctionResponseTypes", "FilterCriteria", "KmsKeyArn", "ScalingConfig", "ProvisionedPollerConfig", "MetricsConfig", "LoggingConfig",
	}
	pattern := eventType{optional: []string{
		"EventBusName", "RuleName", "Pattern", "DeadLetterConfig", "RetryPolicy", "Input", "InputPath", "Target", "Enabled", "State", "InputTransformer",
	}, make: event.rule}
	all := apiEvents()
	maps.Copy(all, map[string]eventType{
		"Schedule": {
			required: []string{"Schedule"},
			optional: []string{"RuleName", "Input", "Enabled", "State", "Name", "Description", "DeadLetterConfig", "RetryPolicy"},
			make:     event.rule,
		},
		"CloudWatchEvent": pattern,
		"EventBridgeRule": pattern,
		"ScheduleV2": {
			required: []string{"ScheduleExpression"},
			optional: []string{
				"PermissionsBoundary", "FlexibleTimeWindow", "Name", "State", "Description", "StartDate", "EndDate", "ScheduleExpressionTimezone", "GroupName",
				"KmsKeyArn", "Input", "RoleArn", "DeadLetterConfig", "RetryPolicy", "OmitName",
			},
			make: event.schedule,
		},
		"SQS":      {required: []string{"Queue"}, optional: mapped, make: mapping("Queue", "AWSLambdaSQSQueueExecutionRole")},
		"Kinesis":  {required: []string{"Stream", "StartingPosition"}, optional: mapped, make: mapping("Stream", "AWSLambdaKinesisExecutionRole")},
		"DynamoDB": {required: []string{"Stream", "StartingPosition"}, optional: mapped, make: mapping("Stream", "AWSLambdaDynamoDBExecutionRole")},
		"S3":       {required: []string{"Bucket", "Events"}, optional: []string{"Filter"}, make: event.bucket},
		"SNS": {
			required: []string{"Topic"}, optional: []string{"Region", "FilterPolicy", "FilterPolicyScope", "SqsSubscription", "RedrivePolicy"},
			make: event.topic,
		},
		"CloudWatchLogs": {required: []string{"LogGroupName", "FilterPattern"}, make: event.logs},
		"AlexaSkill":     {optional: []string{"SkillId"}, make: event.skill},
	})
	return all
}

// events makes what a function's events need.
func (f *function) events(object) error {
	v, ok := f.in["Events"]
	if !ok || v == nil {
		return nil
	}
	all, ok := v.(object)
	if !ok {
		return problemf("Type of property 'Events' is invalid.")
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		err := f.event(name, all[name])
		if len(f.resources) > maxResources {
			return errTooLarge
		}
		if err != nil {
			return problemf("Event with id [%s] is invalid. %s", name, err)
		}
	}
	return nil
}

func (f *function) event(name string, v any) error {
	m, ok := v.(object)
	switch {
	case len(name) > maxName:
		return problemf("Names have at most %d characters.", maxName)
	case !ok:
		return problemf("Event must be a map.")
	}
	kind, ok := m["Type"].(string)
	if !ok {
		return problemf("Event dictionary is missing the key 'Type'")
	}
	t, ok := eventTypes()[kind]
	if f.authored && (!ok || kind == "Api" || kind == "HttpApi") {
		return nil
	}
	if !ok {
		return problemf("Events of the type %s are not supported. Those that are: %s.", kind, strings.Join(slices.Sorted(maps.Keys(eventTypes())), ", "))
	}
	in, ok := m["Properties"].(object)
	if !ok && m["Properties"] != nil {
		return problemf("Properties should be a map.")
	}
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(t.required, k) && !slices.Contains(t.optional, k) {
			return problemf("property %s not defined for resource of type %s", k, kind)
		}
	}
	for _, k := range t.required {
		if in[k] == nil {
			return problemf("Missing required property '%s'.", k)
		}
	}
	return t.make(event{f, f.id + name, in, kind})
}

// permission lets a service invoke the function.
func (e event) permission(principal string, more object) string {
	properties := object{"Action": "lambda:InvokeFunction", "FunctionName": e.name, "Principal": principal}
	maps.Copy(properties, more)
	e.add(e.id+"Permission", "AWS::Lambda::Permission", e.attributes, properties)
	return e.id + "Permission"
}

// rule makes a rule of EventBridge: by the clock, or by a pattern.
func (e event) rule() error {
	state := e.in["State"]
	if enabled, ok := e.in["Enabled"]; ok {
		if state != nil {
			return problemf("State and Enabled Properties cannot both be specified.")
		}
		if state = "DISABLED"; e.resolve(enabled) == true || e.resolve(enabled) == "true" {
			state = "ENABLED"
		}
	}
	source := attribute(e.id, "Arn")
	target := object{"Arn": e.arn, "Id": targetID(e.id)}
	for _, k := range []string{"Input", "InputPath", "InputTransformer", "RetryPolicy"} {
		if v, ok := e.in[k]; ok {
			target[k] = v
		}
	}
	if id := textOrEmpty(fieldOf(e.in["Target"], "Id")); id != "" {
		target["Id"] = id
	}
	queue, err := e.letters(source)
	if err != nil {
		return err
	}
	if queue != nil {
		target["DeadLetterConfig"] = object{"Arn": queue}
	}
	properties := object{
		"State": state, "EventBusName": e.in["EventBusName"], "EventPattern": e.in["Pattern"], "ScheduleExpression": e.in["Schedule"],
		"Description": e.in["Description"], "Name": e.in["Name"], "Targets": []any{target},
	}
	if e.kind != "Schedule" {
		properties["Name"] = e.in["RuleName"]
	}
	e.add(e.id, "AWS::Events::Rule", e.attributes, properties)
	e.permission("events.amazonaws.com", object{"SourceArn": source})
	return nil
}

func fieldOf(v any, name string) any {
	m, _ := v.(object)
	return m[name]
}

// targetID names a target. A name has at most 64 characters.
func targetID(id string) string {
	const suffix = "LambdaTarget"
	return id[:min(len(id), 64-len(suffix))] + suffix
}

// letters returns the ARN of the queue for events that are not delivered, and makes
// it where the template asks for one. source may send to it; nil: a role says who
// may.
func (e event) letters(source any) (any, error) {
	v, ok := e.in["DeadLetterConfig"]
	if !ok {
		return nil, nil
	}
	in, _ := v.(object)
	queue, kind := in["Arn"], in["Type"]
	switch {
	case queue != nil && kind != nil:
		return nil, problemf("You can either define 'Arn' or 'Type' property of DeadLetterConfig.")
	case queue != nil:
		return queue, nil
	case kind == nil:
		return nil, problemf("No 'Arn' or 'Type' property provided for DeadLetterConfig.")
	case kind != "SQS":
		return nil, problemf("The only valid value for 'Type' property of DeadLetterConfig is 'SQS'.")
	}
	id := e.id + "Queue"
	if named, ok := in["QueueLogicalId"]; ok {
		if id, ok = named.(string); !ok || len(id) > maxName {
			return nil, problemf("QueueLogicalId must be a string of at most %d characters", maxName)
		}
	}
	e.add(id, "AWS::SQS::Queue", e.attributes, object{})
	if source != nil {
		e.queuePolicy(e.id+"QueuePolicy", id, object{"Service": "events.amazonaws.com"}, source)
	}
	return attribute(id, "Arn"), nil
}

// queuePolicy lets a source send to a queue of the template.
func (e event) queuePolicy(id, queue string, principal, source any) {
	e.sends(id, principal, source, attribute(queue, "Arn"), ref(queue))
}

func (e event) sends(id string, principal, source, queue, url any) {
	e.add(id, "AWS::SQS::QueuePolicy", e.attributes, object{"Queues": []any{url}, "PolicyDocument": object{
		"Version": "2012-10-17", "Statement": []any{object{
			"Action": "sqs:SendMessage", "Effect": "Allow", "Principal": principal, "Resource": queue,
			"Condition": object{"ArnEquals": object{"aws:SourceArn": source}},
		}},
	}})
}

// schedule makes a schedule of EventBridge Scheduler, with a role that invokes the
// function.
func (e event) schedule() error {
	queue, err := e.letters(nil)
	if err != nil {
		return err
	}
	name := e.in["Name"]
	if e.in["OmitName"] == true {
		if name != nil {
			return problemf("Name cannot be set when OmitName is True")
		}
	} else if name == nil {
		name = e.id
	}
	target := object{"Arn": e.arn, "RoleArn": e.in["RoleArn"]}
	if target["RoleArn"] == nil {
		target["RoleArn"] = attribute(e.id+"Role", "Arn")
		policies := []any{allow(e.id+"LambdaPolicy", "lambda:InvokeFunction", e.arn)}
		if queue != nil {
			policies = append(policies, allow(e.id+"SQSPolicy", "sqs:SendMessage", queue))
		}
		e.add(e.id+"Role", "AWS::IAM::Role", e.attributes, object{
			"AssumeRolePolicyDocument": trust("scheduler.amazonaws.com"), "Policies": policies, "PermissionsBoundary": e.in["PermissionsBoundary"],
		})
	}
	for _, k := range []string{"Input", "RetryPolicy"} {
		if v, ok := e.in[k]; ok {
			target[k] = v
		}
	}
	if queue != nil {
		target["DeadLetterConfig"] = object{"Arn": queue}
	}
	window := e.in["FlexibleTimeWindow"]
	if window == nil {
		window = object{"Mode": "OFF"}
	}
	properties := object{"Name": name, "FlexibleTimeWindow": window, "Target": target}
	for _, k := range []string{
		"ScheduleExpression", "State", "Description", "StartDate", "EndDate", "ScheduleExpressionTimezone", "GroupName", "KmsKeyArn",
	} {
		properties[k] = e.in[k]
	}
	e.add(e.id, "AWS::Scheduler::Schedule", e.attributes, properties)
	return nil
}

// mapping makes an event source mapping, which the role has to be allowed to read.
func mapping(source, policy string) func(event) error {
	return func(e event) error {
		if v, ok := e.in["DestinationConfig"]; ok {
			if err := e.destination(v); err != nil {
				return err
			}
		}
		properties := maps.Clone(e.in)
		delete(properties, source)
		properties["EventSourceArn"], properties["FunctionName"] = e.in[source], e.name
		e.add(e.id, "AWS::Lambda::EventSourceMapping", e.attributes, properties)
		e.role.manage(e.serviceRole(policy))
		return nil
	}
}

// destination lets the role send to where batches go that are given up, if the
// template says of what kind that is.
func (e event) destination(v any) error {
	failure, ok := fieldOf(v, "OnFailure").(object)
	if !ok {
		return problemf("Property 'DestinationConfig.OnFailure' should be a map.")
	}
	kind, ok := failure["Type"]
	if !ok {
		return nil
	}
	delete(failure, "Type")
	switch to := failure["Destination"]; kind {
	case "SQS":
		e.role.permit(allow(e.id+"SQSPolicy", "sqs:SendMessage", to))
	case "SNS":
		e.role.permit(allow(e.id+"SNSPolicy", "sns:publish", to))
	default:
		return problemf("The only valid values for 'Type' are 'SQS' and 'SNS'")
	}
	return nil
}

// bucket has a bucket of the template notify the function.
func (e event) bucket() error {
	id := resourceOf(e.in["Bucket"])
	bucket, ok := e.resources[id].(object)
	if !ok || fieldOf(e.in["Bucket"], "Ref") == nil {
		return problemf("S3 events must reference an S3 bucket in the same template.")
	}
	permission := e.permission("s3.amazonaws.com", object{"SourceAccount": ref("AWS::AccountId")})
	properties, err := child(bucket, "Properties")
	if err != nil {
		return err
	}
	condition, conditional := e.attributes["Condition"]
	if conditional {
		list, _ := properties["Tags"].([]any)
		properties["Tags"] = append(list, object{
			"Key":   "sam:ConditionalDependsOn:" + permission,
			"Value": object{"Fn::If": []any{condition, ref(permission), "no dependency"}},
		})
	} else if err := dependsOn(bucket, permission); err != nil {
		return err
	}
	notification, err := child(properties, "NotificationConfiguration")
	if err != nil {
		return err
	}
	list, _ := notification["LambdaConfigurations"].([]any)
	kinds, ok := e.in["Events"].([]any)
	if !ok {
		kinds = []any{e.in["Events"]}
	}
	if !e.spend(weight(list) + len(kinds)*weight(e.in["Filter"])) {
		return errTooLarge
	}
	there := map[string]bool{}
	for _, one := range list {
		there[hash(one)] = true
	}
	for _, k := range kinds {
		one := object{"Event": k, "Function": e.arn}
		if v, ok := e.in["Filter"]; ok {
			one["Filter"] = v
		}
		if conditional {
			one = object{"Fn::If": []any{condition, one, ref("AWS::NoValue")}}
		}
		if sum := hash(one); !there[sum] {
			there[sum] = true
			list = append(list, one)
		}
	}
	notification["LambdaConfigurations"] = list
	return nil
}

// child returns a mapping in another one, and makes it if it is not there.
func child(m object, key string) (object, error) {
	if m[key] == nil {
		m[key] = object{}
	}
	out, ok := m[key].(object)
	if !ok {
		return nil, problemf("%s should be a map.", key)
	}
	return out, nil
}

// dependsOn has a resource made after another one.
func dependsOn(r object, id string) error {
	switch there := r["DependsOn"].(type) {
	case nil:
		r["DependsOn"] = []any{id}
	case string:
		r["DependsOn"] = []any{there, id}
	case []any:
		r["DependsOn"] = append(there, id)
	default:
		return problemf("Invalid type for field 'DependsOn'. Expected a string or list of strings.")
	}
	return nil
}

// topic subscribes the function, or a queue that the function reads.
func (e event) topic() error {
	subscription := object{
		"Protocol": "lambda", "Endpoint": e.arn, "TopicArn": e.in["Topic"], "Region": e.in["Region"], "FilterPolicy": e.in["FilterPolicy"],
		"FilterPolicyScope": e.in["FilterPolicyScope"], "RedrivePolicy": e.in["RedrivePolicy"],
	}
	through := e.in["SqsSubscription"]
	if through == nil || through == false {
		e.add(e.id, "AWS::SNS::Subscription", e.attributes, subscription)
		e.permission("sns.amazonaws.com", object{"SourceArn": e.in["Topic"]})
		return nil
	}
	var queue, address, size any = attribute(e.id+"Queue", "Arn"), ref(e.id + "Queue"), nil
	policy := e.id + "QueuePolicy"
	if given, ok := through.(object); ok {
		queue, address, size = given["QueueArn"], given["QueueUrl"], given["BatchSize"]
		if queue == nil || address == nil {
			return problemf("No QueueARN or QueueURL provided.")
		}
		if id := textOrEmpty(given["QueuePolicyLogicalId"]); id != "" {
			policy = id
		}
	} else {
		e.add(e.id+"Queue", "AWS::SQS::Queue", e.attributes, object{})
	}
	if size == nil {
		size = number("10")
	}
	subscription["Protocol"], subscription["Endpoint"] = "sqs", queue
	e.add(e.id, "AWS::SNS::Subscription", e.attributes, subscription)
	e.sends(policy, "*", e.in["Topic"], queue, address)
	e.add(e.id+"EventSourceMapping", "AWS::Lambda::EventSourceMapping", e.attributes, object{
		"EventSourceArn": queue, "FunctionName": e.name, "BatchSize": size, "Enabled": true,
	})
	e.role.manage(e.serviceRole("AWSLambdaSQSQueueExecutionRole"))
	return nil
}

// logs subscribes the function to a log group.
func (e event) logs() error {
	permission := e.permission("logs.amazonaws.com", object{"SourceArn": object{"Fn::Sub": []any{
		"arn:" + e.partition() + ":logs:${AWS::Region}:${AWS::AccountId}:log-group:${__LogGroupName__}:*",
		object{"__LogGroupName__": e.in["LogGroupName"]},
	}}})
	attributes := maps.Clone(e.attributes)
	attributes["DependsOn"] = []any{permission}
	e.add(e.id, "AWS::Logs::SubscriptionFilter", attributes, object{
		"LogGroupName": e.in["LogGroupName"], "FilterPattern": e.in["FilterPattern"], "DestinationArn": e.arn,
	})
	return nil
}

// skill lets a skill of Alexa invoke the function.
func (e event) skill() error {
	e.permission("alexa-appkit.amazon.com", object{"EventSourceToken": e.in["SkillId"]})
	return nil
}
