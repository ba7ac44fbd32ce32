package serverless

import (
	"encoding/json"
	"strconv"
)

func itoa(n int) string { return strconv.Itoa(n) }

func number(text string) json.Number { return json.Number(text) }

// invoke makes what the template says of asynchronous invocations.
func (f *function) invoke(object) error {
	v, ok := f.in["EventInvokeConfig"]
	if !ok {
		return nil
	}
	in, ok := v.(object)
	if !ok {
		return problemf("Type of property 'EventInvokeConfig' is invalid.")
	}
	id := f.id + "EventInvokeConfig"
	attributes, qualifier := object{}, "$LATEST"
	for k, v := range f.attributes {
		attributes[k] = v
	}
	if f.alias != "" {
		attributes["DependsOn"], qualifier = []any{f.alias}, f.aliasName
	}
	to := object{}
	if v, ok := in["DestinationConfig"]; ok && v != nil {
		destinations, ok := v.(object)
		if !ok {
			return problemf("Property 'EventInvokeConfig.DestinationConfig' should be a map.")
		}
		for _, k := range []string{"OnSuccess", "OnFailure"} {
			v, ok := destinations[k]
			if !ok || v == nil {
				continue
			}
			destination, err := f.destined(id+k, v)
			if err != nil {
				return err
			}
			to[k] = object{"Destination": destination}
		}
	}
	f.add(id, "AWS::Lambda::EventInvokeConfig", attributes, object{
		"FunctionName": ref(f.id), "Qualifier": qualifier, "DestinationConfig": to, "MaximumEventAgeInSeconds": f.resolve(in["MaximumEventAgeInSeconds"]),
		"MaximumRetryAttempts": f.resolve(in["MaximumRetryAttempts"]),
	})
	return nil
}

// destined returns where the record of an invocation goes, and makes a queue or a
// topic if the template names none. The role is allowed to send there.
func (f *function) destined(id string, v any) (any, error) {
	in, ok := v.(object)
	if !ok {
		return nil, problemf("Property 'EventInvokeConfig.DestinationConfig' should be a map.")
	}
	to := in["Destination"]
	switch kind := in["Type"]; {
	case kind == "SQS" && to == nil:
		f.add(id+"Queue", "AWS::SQS::Queue", f.attributes, object{})
		f.renamed[f.id+".DestinationQueue"] = id + "Queue"
		to = attribute(id+"Queue", "Arn")
	case kind == "SNS" && to == nil:
		f.add(id+"Topic", "AWS::SNS::Topic", f.attributes, object{})
		f.renamed[f.id+".DestinationTopic"] = id + "Topic"
		to = ref(id + "Topic")
	case kind != "SQS" && kind != "SNS" && kind != "EventBridge" && kind != "Lambda":
		return nil, problemf("'Type: %v' must be one of ['SQS', 'SNS', 'EventBridge', 'Lambda']", kind)
	case to == nil:
		return nil, problemf("Destination is required if Type is not ['SQS', 'SNS']")
	}
	switch in["Type"] {
	case "SQS":
		f.role.permit(allow(id+"SQSPolicy", "sqs:SendMessage", to))
	case "SNS":
		f.role.permit(allow(id+"SNSPolicy", "sns:publish", to))
	case "EventBridge":
		f.role.permit(allow(id+"EventBridgePolicy", "events:PutEvents", to))
	case "Lambda":
		f.role.permit(allow(id+"LambdaPolicy", "lambda:InvokeFunction", to))
	}
	return to, nil
}
