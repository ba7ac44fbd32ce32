package kind

import (
	"context"
	"maps"
	"slices"

	"plumb/internal/arn"
)

// messageTypes are those of SNS and SQS.
func messageTypes() map[string]Type {
	return map[string]Type{
		"AWS::SNS::Topic": {
			Service: "Sns", Naming: Naming{Property: "TopicName", Max: 256}, Fixed: []string{"TopicName", "FifoTopic"},
			Create: createTopic, Update: updateTopic, Delete: deleteTopic,
		},
		"AWS::SNS::Subscription": {
			Service: "Sns", Fixed: []string{"TopicArn", "Protocol", "Endpoint", "Region"},
			Create: subscribe, Update: updateSubscription, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "sns", "Unsubscribe", map[string]any{"SubscriptionArn": r.Physical})
				return absent(err)
			},
		},
		"AWS::SNS::TopicPolicy": policyType("Sns", "Topics", "sns", func(ctx context.Context, r *Request, topic string, document any) error {
			_, err := r.send(ctx, "sns", "SetTopicAttributes", map[string]any{
				"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": document})
			return err
		}, ownTopicPolicy),
		"AWS::SQS::Queue": {
			Service: "Sqs", Naming: Naming{Property: "QueueName", Max: 80}, Fixed: []string{"QueueName", "FifoQueue"},
			Create: createQueue, Update: updateQueue, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "sqs", "DeleteQueue", map[string]any{"QueueUrl": r.Physical})
				return absent(err)
			},
		},
		"AWS::SQS::QueuePolicy": policyType("Sqs", "Queues", "sqs", func(ctx context.Context, r *Request, queue string, document any) error {
			_, err := r.send(ctx, "sqs", "SetQueueAttributes", map[string]any{"QueueUrl": queue, "Attributes": map[string]any{"Policy": document}})
			return err
		}, func(*Request, string) any { return "" }),
	}
}

// policyType is a policy that is set on some resources.
func policyType(
	service, property, word string, put func(ctx context.Context, r *Request, resource string, document any) error, none func(r *Request, resource string) any,
) Type {
	apply := func(ctx context.Context, r *Request) error {
		if err := r.only(property, "PolicyDocument"); err != nil {
			return err
		}
		for _, resource := range texts(r.Properties[property]) {
			if err := put(ctx, r, resource, r.Properties["PolicyDocument"]); err != nil {
				return err
			}
		}
		for _, resource := range texts(r.Old[property]) {
			if slices.Contains(texts(r.Properties[property]), resource) {
				continue
			}
			if err := put(ctx, r, resource, none(r, resource)); absent(err) != nil {
				return err
			}
		}
		if r.Physical == "" {
			r.Physical = r.Name
		}
		return nil
	}
	return Type{
		Service: service, Naming: Naming{Max: 128}, Create: apply, Update: apply,
		Delete: func(ctx context.Context, r *Request) error {
			for _, resource := range texts(r.Properties[property]) {
				if err := put(ctx, r, resource, none(r, resource)); absent(err) != nil {
					return err
				}
			}
			return nil
		},
	}
}

func texts(v any) []string {
	list, ok := v.([]any)
	if !ok && v != nil {
		list = []any{v}
	}
	var out []string
	for _, item := range list {
		out = append(out, textOf(item))
	}
	return out
}

// ownTopicPolicy is the policy that a topic has from its start: its owner's.
func ownTopicPolicy(r *Request, topic string) any {
	return map[string]any{"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": []any{map[string]any{
		"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": map[string]any{"AWS": "*"},
		"Action": []any{
			"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe",
			"SNS:ListSubscriptionsByTopic", "SNS:Publish",
		},
		"Resource":  topic,
		"Condition": map[string]any{"StringEquals": map[string]any{"AWS:SourceOwner": r.Place.Account}},
	}}}
}

// topicAttributes are the properties that are attributes by the same name.
func topicAttributes() []string {
	return []string{
		"DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication", "SignatureVersion", "TracingConfig", "ArchivePolicy",
		"FifoThroughputScope",
	}
}

func createTopic(ctx context.Context, r *Request) error {
	if err := r.only(append(topicAttributes(), "TopicName", "Subscription", "Tags", "DataProtectionPolicy")...); err != nil {
		return err
	}
	name := r.name("TopicName")
	if r.text("FifoTopic") == "true" && r.text("TopicName") == "" {
		name += ".fifo"
	}
	topic := arn.New("sns", r.Place.Region, r.Place.Account, name).String()
	if !r.Again {
		// CreateTopic answers a topic that is there already.
		if _, err := r.send(ctx, "sns", "GetTopicAttributes", map[string]any{"TopicArn": topic}); err == nil {
			return refuse(AlreadyExists, "Topic already exists: %s", name)
		} else if !isAbsent(err) {
			return err
		}
	}
	attributes := map[string]any{}
	for _, a := range topicAttributes() {
		set(attributes, a, r.Properties, a)
	}
	in := map[string]any{"Name": name, "Attributes": attributes, "Tags": tagList(r.tags("Tags"))}
	set(in, "DataProtectionPolicy", r.Properties, "DataProtectionPolicy")
	out, err := r.send(ctx, "sns", "CreateTopic", in)
	if err != nil {
		return err
	}
	r.Physical = at(out, "TopicArn")
	r.Attributes = map[string]any{"TopicArn": r.Physical, "TopicName": name}
	return r.subscribeAll(ctx)
}

// subscribeAll makes the subscriptions that stand in the topic itself.
func (r *Request) subscribeAll(ctx context.Context) error {
	list, _ := r.Properties["Subscription"].([]any)
	for _, s := range list {
		m, _ := s.(map[string]any)
		in := map[string]any{"TopicArn": r.Physical}
		maps.Copy(in, m)
		if _, err := r.send(ctx, "sns", "Subscribe", in); err != nil {
			return err
		}
	}
	return nil
}

func updateTopic(ctx context.Context, r *Request) error {
	for _, a := range topicAttributes() {
		if !r.changed(a) {
			continue
		}
		in := map[string]any{"TopicArn": r.Physical, "AttributeName": a, "AttributeValue": ""}
		set(in, "AttributeValue", r.Properties, a)
		if _, err := r.send(ctx, "sns", "SetTopicAttributes", in); err != nil {
			return err
		}
	}
	if r.changed("Subscription") {
		if err := r.subscribeAll(ctx); err != nil {
			return err
		}
	}
	return r.retag(ctx, "sns", map[string]any{"ResourceArn": r.Physical}, "Tags")
}

// retag makes a resource's tags those of its property, where the service takes
// them as a list.
func (r *Request) retag(ctx context.Context, service string, target map[string]any, property string) error {
	wanted, old := r.tags(property), r.oldTags(property)
	if gone := missing(old, wanted); len(gone) > 0 {
		in := maps.Clone(target)
		in["TagKeys"] = gone
		if _, err := r.send(ctx, service, "UntagResource", in); err != nil {
			return err
		}
	}
	if len(wanted) == 0 || maps.Equal(old, wanted) {
		return nil
	}
	in := maps.Clone(target)
	in["Tags"] = tagList(wanted)
	_, err := r.send(ctx, service, "TagResource", in)
	return err
}

// missing returns the keys that are in one and not in the other.
func missing(in, from map[string]string) []any {
	var out []any
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if _, ok := from[k]; !ok {
			out = append(out, k)
		}
	}
	return out
}

func deleteTopic(ctx context.Context, r *Request) error {
	_, err := r.send(ctx, "sns", "DeleteTopic", map[string]any{"TopicArn": r.Physical})
	return absent(err)
}

func subscriptionAttributes() []string {
	return []string{"DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "SubscriptionRoleArn"}
}

func subscribe(ctx context.Context, r *Request) error {
	if err := r.only(append(subscriptionAttributes(), "TopicArn", "Protocol", "Endpoint", "Region")...); err != nil {
		return err
	}
	attributes := map[string]any{}
	for _, a := range subscriptionAttributes() {
		set(attributes, a, r.Properties, a)
	}
	in := map[string]any{"ReturnSubscriptionArn": true, "Attributes": attributes}
	for _, p := range []string{"TopicArn", "Protocol", "Endpoint"} {
		set(in, p, r.Properties, p)
	}
	out, err := r.send(ctx, "sns", "Subscribe", in)
	if err != nil {
		return err
	}
	r.Physical = at(out, "SubscriptionArn")
	r.Attributes = map[string]any{"Arn": r.Physical}
	return nil
}

func updateSubscription(ctx context.Context, r *Request) error {
	for _, a := range subscriptionAttributes() {
		if !r.changed(a) {
			continue
		}
		in := map[string]any{"SubscriptionArn": r.Physical, "AttributeName": a, "AttributeValue": ""}
		set(in, "AttributeValue", r.Properties, a)
		if _, err := r.send(ctx, "sns", "SetSubscriptionAttributes", in); err != nil {
			return err
		}
	}
	return nil
}

// queueAttributes are the properties that are attributes by the same name.
func queueAttributes() []string {
	return []string{
		"ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit", "KmsDataKeyReusePeriodSeconds",
		"KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy",
		"SqsManagedSseEnabled", "VisibilityTimeout",
	}
}

func createQueue(ctx context.Context, r *Request) error {
	if err := r.only(append(queueAttributes(), "QueueName", "Tags")...); err != nil {
		return err
	}
	name := r.name("QueueName")
	if r.text("FifoQueue") == "true" && r.text("QueueName") == "" {
		name += ".fifo"
	}
	if !r.Again {
		// CreateQueue answers a queue that is there already with the same attributes.
		if _, err := r.send(ctx, "sqs", "GetQueueUrl", map[string]any{"QueueName": name}); err == nil {
			return refuse(AlreadyExists, "%s already exists", name)
		} else if !isAbsent(err) {
			return err
		}
	}
	attributes := map[string]any{}
	for _, a := range queueAttributes() {
		set(attributes, a, r.Properties, a)
	}
	if textOf(attributes["FifoQueue"]) == "false" {
		delete(attributes, "FifoQueue")
	}
	out, err := r.send(ctx, "sqs", "CreateQueue", map[string]any{"QueueName": name, "Attributes": attributes, "tags": tagMap(r.tags("Tags"))})
	if err != nil {
		return err
	}
	r.Physical = at(out, "QueueUrl")
	r.Attributes = map[string]any{
		"Arn": arn.New("sqs", r.Place.Region, r.Place.Account, name).String(), "QueueName": name, "QueueUrl": r.Physical,
	}
	return nil
}

func updateQueue(ctx context.Context, r *Request) error {
	attributes := map[string]any{}
	for _, a := range queueAttributes() {
		if r.changed(a) {
			attributes[a] = ""
			set(attributes, a, r.Properties, a)
		}
	}
	if len(attributes) > 0 {
		if _, err := r.send(ctx, "sqs", "SetQueueAttributes", map[string]any{"QueueUrl": r.Physical, "Attributes": attributes}); err != nil {
			return err
		}
	}
	wanted, old := r.tags("Tags"), r.oldTags("Tags")
	if gone := missing(old, wanted); len(gone) > 0 {
		if _, err := r.send(ctx, "sqs", "UntagQueue", map[string]any{"QueueUrl": r.Physical, "TagKeys": gone}); err != nil {
			return err
		}
	}
	if len(wanted) == 0 || maps.Equal(old, wanted) {
		return nil
	}
	_, err := r.send(ctx, "sqs", "TagQueue", map[string]any{"QueueUrl": r.Physical, "Tags": tagMap(wanted)})
	return err
}
