package awsconfig

import (
	"bytes"
	"encoding/json"
)

// withoutNulls leaves the members out that are null: EventBridge's form of a message
// has none. What customers configured keeps its nulls.
func withoutNulls(v json.RawMessage) (json.RawMessage, error) {
	v = bytes.TrimSpace(v)
	switch {
	case len(v) > 0 && v[0] == '{':
		var members map[string]json.RawMessage
		if err := json.Unmarshal(v, &members); err != nil {
			return nil, err
		}
		for name, member := range members {
			if string(member) == "null" {
				delete(members, name)
				continue
			}
			if customers[name] {
				continue
			}
			kept, err := withoutNulls(member)
			if err != nil {
				return nil, err
			}
			members[name] = kept
		}
		return json.Marshal(members)
	case len(v) > 0 && v[0] == '[':
		var list []json.RawMessage
		if err := json.Unmarshal(v, &list); err != nil {
			return nil, err
		}
		for i, e := range list {
			kept, err := withoutNulls(e)
			if err != nil {
				return nil, err
			}
			list[i] = kept
		}
		return json.Marshal(list)
	}
	return v, nil
}

// customers are the members whose content is what a resource was configured to be.
var customers = map[string]bool{"configuration": true, "supplementaryConfiguration": true, "previousValue": true, "updatedValue": true, "tags": true}
