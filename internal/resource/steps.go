package resource

import (
	"fmt"
	"net/url"
	"strings"
)

// steps are changes to a spelled configuration that a form asks for by name. They may change what they are given and must
// not keep it. A step that only one type could ever want is still a step: forms stay free of code.
var steps = map[string]func(any) (any, error){
	"security-group-ranges":     securityGroupRanges,
	"percent-encoded-documents": percentEncodedDocuments,
	"bucket-grants":             bucketGrants,
	"bucket-lifecycle":          bucketLifecycle,
	"bucket-notifications":      bucketNotifications,
}

// securityGroupRanges writes IPv4 ranges in both of their spellings: ipRanges has been a list of blocks since the first
// items, and ipv4Ranges came with descriptions.
func securityGroupRanges(v any) (any, error) {
	group, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%T is no security group", v)
	}
	for _, side := range []string{"ipPermissions", "ipPermissionsEgress"} {
		for _, p := range asList(group[side]) {
			permission, ok := p.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%s: %T is no permission", side, p)
			}
			ranges := asList(permission["ipRanges"])
			blocks := make([]any, 0, len(ranges))
			for _, r := range ranges {
				if m, ok := r.(map[string]any); ok {
					blocks = append(blocks, m["cidrIp"])
				}
			}
			permission["ipRanges"], permission["ipv4Ranges"] = blocks, append([]any{}, ranges...)
		}
	}
	return group, nil
}

// percentEncodedDocuments encodes policies as IAM does. IAM's answers are encoded already; other servers forget it.
func percentEncodedDocuments(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if s, ok := e.(string); ok && strings.HasSuffix(strings.ToLower(k), "document") && strings.HasPrefix(s, "{") {
				v[k] = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
				continue
			}
			if _, err := percentEncodedDocuments(e); err != nil {
				return nil, err
			}
		}
	case []any:
		for _, e := range v {
			if _, err := percentEncodedDocuments(e); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}
