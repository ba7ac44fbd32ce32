package query

import (
	"slices"
	"strings"
)

// A Property is a path into an item.
type Property struct {
	Name  string   // as it is written: accountId, configuration.state.name
	Steps []string // in the event form of an item: awsAccountId; configuration, state, name
}

// ResourceID is the property that tells the resources of a type apart.
var ResourceID = Property{"resourceId", []string{"resourceId"}}

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
		return Property{name, steps}, ok
	case root == relationships:
		member := relationshipMembers[steps[1]]
		return Property{name, []string{root, member}}, len(steps) == 2 && member != ""
	default:
		inForm := topLevel[root]
		return Property{name, []string{inForm}}, len(steps) == 1 && inForm != ""
	}
	return Property{name, steps}, true
}

// IsParent reports whether the property has members and no value of its own.
func (p Property) IsParent() bool {
	return len(p.Steps) == 1 && (p.Name == configuration || p.Name == supplementary || p.Name == tags || p.Name == relationships)
}

// IsTag reports whether the property is one of tags: their keys, their values, or
// both with = between them.
func (p Property) IsTag() bool { return len(p.Steps) == 2 && p.Steps[0] == tags }

// comparesRanges reports whether IP addresses among the values are compared as
// ranges: those of configurations are, names are not.
func (p Property) comparesRanges() bool {
	return p.Steps[0] == configuration || p.Steps[0] == supplementary
}
