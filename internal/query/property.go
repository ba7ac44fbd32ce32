package query

import (
	"slices"
	"strings"
)

// A Property is a path into an item.
type Property struct {
	Name  string   // as it is written: accountId, configuration.state.name
	Steps []string // in the event form of an item: awsAccountId; configuration, state, name
	Join  string   // whose item it is; empty for the item that is selected
}

// ResourceID is the property that tells the resources of a type apart.
var ResourceID = Property{Name: "resourceId", Steps: []string{"resourceId"}}

const stateID = "configurationStateId"

// topLevel are the properties that every item has, with their names in the event
// form.
var topLevel = map[string]string{
	"accountId":                     "awsAccountId",
	"arn":                           "ARN",
	"availabilityZone":              "availabilityZone",
	"awsRegion":                     "awsRegion",
	"configurationItemCaptureTime":  "configurationItemCaptureTime",
	"configurationItemDeliveryTime": "configurationItemDeliveryTime",
	"configurationItemStatus":       "configurationItemStatus",
	stateID:                         stateID,
	"recordingFrequency":            "recordingFrequency",
	"resourceCreationTime":          "resourceCreationTime",
	"resourceId":                    "resourceId",
	"resourceName":                  "resourceName",
	"resourceType":                  "resourceType",
	"version":                       "configurationItemVersion",
}

// starFields is what * stands for.
var starFields = []string{
	"accountId", "awsRegion", "arn", "availabilityZone", "configurationItemCaptureTime", "resourceCreationTime",
	"resourceId", "resourceName", "resourceType", "version",
}

// The properties that have members: any, or those that are named here, with their
// names in the event form.
const (
	configuration = "configuration"
	supplementary = "supplementaryConfiguration"
	tags          = "tags"
	relationships = "relationships"
)

var (
	tagMembers          = []string{"key", "value", "tag"}
	relationshipMembers = map[string]string{
		"resourceId": "resourceId", "resourceName": "resourceName", "resourceType": "resourceType", "relationshipName": "name",
	}
)

// parents are the properties that have members and no value.
var parents = []string{configuration, supplementary, tags, relationships}

// inForms are the members of event forms, beside which joined items stand.
var inForms = func() map[string]bool {
	all := map[string]bool{"relatedEvents": true, "configurationStateMd5Hash": true}
	for _, name := range parents {
		all[name] = true
	}
	for _, name := range topLevel {
		all[name] = true
	}
	return all
}()

// own returns the name of the property without that of the join.
func (p Property) own() string {
	if p.Join == "" {
		return p.Name
	}
	return p.Name[len(p.Join)+1:]
}

// maxSteps is how deep a path may lead.
const maxSteps = 64

// propertyOf returns the property of a name; ok is false if there is none.
func propertyOf(name string) (p Property, ok bool) {
	steps := strings.Split(name, ".")
	if len(steps) > maxSteps || slices.Contains(steps, "") {
		return p, false
	}
	switch root := steps[0]; {
	case root == configuration, root == supplementary:
	case len(steps) == 1 && (root == tags || root == relationships):
	case root == tags:
		ok := len(steps) == 2 && slices.Contains(tagMembers, steps[1])
		return Property{Name: name, Steps: steps}, ok
	case root == relationships:
		member := relationshipMembers[steps[1]]
		return Property{Name: name, Steps: []string{root, member}}, len(steps) == 2 && member != ""
	default:
		inForm := topLevel[root]
		return Property{Name: name, Steps: []string{inForm}}, len(steps) == 1 && inForm != ""
	}
	return Property{Name: name, Steps: steps}, true
}

// IsParent reports whether the property has members and no value of its own.
func (p Property) IsParent() bool {
	return len(p.Steps) == 1 && slices.Contains(parents, p.Steps[0])
}

// plainValue is what AWS's schemas call a value that stands alone in an item, or in a
// list of it, where other items might have an object: the state of a volume is
// configuration.state.value.
const plainValue = "value"

// Plain returns the property whose own values this one has beside those of its name;
// ok is false if there is none.
func (p Property) Plain() (plain Property, ok bool) {
	last := len(p.Steps) - 1
	if last < 2 || p.Steps[last] != plainValue {
		return p, false
	}
	p.Steps = p.Steps[:last:last]
	p.Name = p.Name[:len(p.Name)-len("."+plainValue)]
	return p, true
}

// IsPlain reports whether only "value" is left of a path: a value that stands alone answers
// that itself.
func IsPlain(left []string) bool { return len(left) == 1 && left[0] == plainValue }

// IsTag reports whether the property is one of tags: their keys, their values, or
// both with = between them.
func (p Property) IsTag() bool { return len(p.Steps) == 2 && p.Steps[0] == tags }

// comparesRanges reports whether IP addresses among the values are compared as
// ranges: those of configurations are, names are not.
func (p Property) comparesRanges() bool {
	return p.Steps[0] == configuration || p.Steps[0] == supplementary
}
