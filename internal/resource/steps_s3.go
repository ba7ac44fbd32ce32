package resource

import (
	"fmt"
	"strings"
)

// permissions of a bucket's list, as the Java SDK's enumeration spells them.
var permissions = map[string]string{
	"FULL_CONTROL": "FullControl", "READ": "Read", "WRITE": "Write", "READ_ACP": "ReadAcp", "WRITE_ACP": "WriteAcp",
}

// bucketGrants writes an access control list: people by id, the predefined groups by name alone.
func bucketGrants(v any) (any, error) {
	acl, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%T is no access control list", v)
	}
	grants := []any{}
	for _, g := range asList(acl["Grants"]) {
		grant, ok := g.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%T is no grant", g)
		}
		permission, _ := grant["Permission"].(string)
		spelled, ok := permissions[permission]
		if !ok {
			return nil, fmt.Errorf("permission %q", permission)
		}
		grantee, _ := grant["Grantee"].(map[string]any)
		grants = append(grants, map[string]any{"grantee": granteeOf(grantee), "permission": spelled})
	}
	owner, _ := acl["Owner"].(map[string]any)
	return map[string]any{
		"grantSet": nil, "grantList": grants, "isRequesterCharged": false,
		"owner": map[string]any{"displayName": owner["DisplayName"], "id": owner["ID"]},
	}, nil
}

func granteeOf(g map[string]any) any {
	if uri, ok := g["URI"].(string); ok {
		return uri[strings.LastIndexByte(uri, '/')+1:] // AllUsers, AuthenticatedUsers, LogDelivery
	}
	return map[string]any{"id": g["ID"], "displayName": g["DisplayName"]}
}

// bucketLifecycle writes the predicates of rules with the names of the Java SDK's classes. What rules do not say is
// null, and the days that it has as a plain number are -1.
func bucketLifecycle(v any) (any, error) {
	lifecycle, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%T is no lifecycle", v)
	}
	rules := []any{}
	for _, r := range asList(lifecycle["Rules"]) {
		rule, ok := r.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%T is no rule", r)
		}
		rules = append(rules, lifecycleRule(rule))
	}
	return map[string]any{"rules": rules}, nil
}

func lifecycleRule(rule map[string]any) map[string]any {
	expiration, _ := rule["Expiration"].(map[string]any)
	noncurrent, _ := rule["NoncurrentVersionExpiration"].(map[string]any)
	abort, _ := rule["AbortIncompleteMultipartUpload"].(map[string]any)
	out := map[string]any{
		"id": rule["ID"], "prefix": rule["Prefix"], "status": rule["Status"],
		"expirationInDays": expiration["Days"], "expirationDate": expiration["Date"],
		"expiredObjectDeleteMarker":         expiration["ExpiredObjectDeleteMarker"],
		"noncurrentVersionExpirationInDays": int64(-1),
		"transitions":                       lowered(rule["Transitions"]),
		"noncurrentVersionTransitions":      noncurrentAll(rule["NoncurrentVersionTransitions"]),
		"noncurrentVersionExpiration":       nil, "abortIncompleteMultipartUpload": nil,
		"filter": map[string]any{"predicate": nil},
	}
	if out["expirationInDays"] == nil {
		out["expirationInDays"] = int64(-1)
	}
	if out["expiredObjectDeleteMarker"] == nil {
		out["expiredObjectDeleteMarker"] = false
	}
	if days := noncurrent["NoncurrentDays"]; days != nil {
		out["noncurrentVersionExpirationInDays"] = days
		out["noncurrentVersionExpiration"] = noncurrentDays(noncurrent)
	}
	if days := abort["DaysAfterInitiation"]; days != nil {
		out["abortIncompleteMultipartUpload"] = map[string]any{"daysAfterInitiation": days}
	}
	if filter, ok := rule["Filter"].(map[string]any); ok {
		out["filter"] = map[string]any{"predicate": predicate(filter)}
	} else if out["prefix"] != nil {
		out["filter"] = nil // a rule of the first generation has its prefix beside the filter
	}
	return out
}

// noncurrentDays writes an action on versions that are no longer current. The Java SDK's classes call their days "days".
func noncurrentDays(v any) any {
	out, ok := lowered(v).(map[string]any)
	if !ok {
		return nil
	}
	if days, ok := out["noncurrentDays"]; ok {
		out["days"] = days
		delete(out, "noncurrentDays")
	}
	return out
}

func noncurrentAll(v any) any {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = noncurrentDays(e)
	}
	return out
}

// predicate names the one condition of a filter, or the list of them under And.
func predicate(filter map[string]any) any {
	if and, ok := filter["And"].(map[string]any); ok {
		return map[string]any{"type": "LifecycleAndOperator", "operands": operands(and)}
	}
	if all := operands(filter); len(all) > 0 {
		return all[0]
	}
	return nil
}

func operands(filter map[string]any) []any {
	out := []any{}
	if p, ok := filter["Prefix"]; ok {
		out = append(out, map[string]any{"type": "LifecyclePrefixPredicate", "prefix": p})
	}
	for _, t := range append(asList(filter["Tag"]), asList(filter["Tags"])...) {
		out = append(out, map[string]any{"type": "LifecycleTagPredicate", "tag": lowered(t)})
	}
	if n, ok := filter["ObjectSizeGreaterThan"]; ok {
		out = append(out, map[string]any{"type": "LifecycleObjectSizeGreaterThanPredicate", "objectSizeGreaterThan": n})
	}
	if n, ok := filter["ObjectSizeLessThan"]; ok {
		out = append(out, map[string]any{"type": "LifecycleObjectSizeLessThanPredicate", "objectSizeLessThan": n})
	}
	return out
}

// lowered copies a value with the first letter of every key in lower case.
func lowered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[lowerFirst(k)] = lowered(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = lowered(e)
		}
		return out
	}
	return v
}

// bucketNotifications turns the lists of targets into one map by id.
func bucketNotifications(v any) (any, error) {
	all, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%T is no notification configuration", v)
	}
	out := map[string]any{}
	for _, kind := range []struct{ list, arn, typ, key string }{
		{"TopicConfigurations", "TopicArn", "TopicConfiguration", "topicARN"},
		{"QueueConfigurations", "QueueArn", "QueueConfiguration", "queueARN"},
		{"LambdaFunctionConfigurations", "LambdaFunctionArn", "LambdaConfiguration", "functionARN"},
	} {
		for _, t := range asList(all[kind.list]) {
			target, _ := t.(map[string]any)
			id, ok := target["Id"].(string)
			if !ok {
				return nil, fmt.Errorf("%s: a notification without an id", kind.list)
			}
			out[id] = map[string]any{
				"type": kind.typ, kind.key: target[kind.arn], "events": target["Events"], "filter": keyFilter(target),
				"objectPrefixes": []any{},
			}
		}
	}
	if bridge, ok := all["EventBridgeConfiguration"]; ok {
		out["EventBridgeConfiguration"] = bridge
	}
	return map[string]any{"configurations": out}, nil
}

func keyFilter(target map[string]any) any {
	filter, _ := target["Filter"].(map[string]any)
	key, ok := filter["Key"].(map[string]any)
	if !ok {
		return nil
	}
	return map[string]any{"s3KeyFilter": map[string]any{"filterRules": lowered(key["FilterRules"])}}
}
