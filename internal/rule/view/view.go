// Package view is what a rule may look at beside the item that it evaluates: the
// time, and the other resources of the account and region.
//
// It has the interface, the document that a rule reads of another resource, and
// a View over a fixed list for examples. The View over what is recorded is the
// engine's. It stores nothing.
package view

import (
	"fmt"
	"slices"
	"time"

	"plumb/internal/config"
)

// A View shows one place. It is safe for concurrent use, and shows the same
// resources as long as it is used.
type View interface {
	Now() time.Time
	// All returns the documents of the live resources of a type, by id. It is an
	// error when nothing is known of the type, because nobody records it: "there are
	// none" would be a guess.
	All(resourceType string) ([]any, error)
	// Some returns the documents of those resources of a type that are there, by
	// their ids or names.
	Some(resourceType string, idsOrNames []string) ([]any, error)
}

// Document is a resource as rules read it, in the spelling of events. Nothing is
// copied.
func Document(it *config.Item) map[string]any {
	return map[string]any{
		"resourceType": it.Type, "resourceId": it.ID, "resourceName": it.Name, "ARN": it.ARN,
		"awsRegion": it.Region, "awsAccountId": it.Account, "availabilityZone": it.AZ,
		"configuration": it.Configuration, "supplementaryConfiguration": it.Supplementary,
		"tags": it.Tags, "relationships": Relationships(it),
	}
}

// Relationships are those of an item as rules read them.
func Relationships(it *config.Item) []any {
	list := make([]any, len(it.Relationships))
	for i, r := range it.Relationships {
		list[i] = map[string]any{
			"resourceType": r.Type, "resourceId": r.ID, "resourceName": r.ResourceName, "name": r.Name,
		}
	}
	return list
}

// A Fixed is a View of some items at some time.
type Fixed struct {
	At     time.Time
	Items  []config.Item
	Unread []string // types that nobody records
}

// Now returns At.
func (f Fixed) Now() time.Time { return f.At }

// All returns the items of a type.
func (f Fixed) All(resourceType string) ([]any, error) {
	if slices.Contains(f.Unread, resourceType) {
		return nil, NotRecorded(resourceType)
	}
	return f.those(resourceType, func(config.Item) bool { return true }), nil
}

// Some returns the items of a type with these ids or names.
func (f Fixed) Some(resourceType string, idsOrNames []string) ([]any, error) {
	if slices.Contains(f.Unread, resourceType) {
		return nil, NotRecorded(resourceType)
	}
	return f.those(resourceType, func(it config.Item) bool {
		return slices.Contains(idsOrNames, it.ID) || it.Name != "" && slices.Contains(idsOrNames, it.Name)
	}), nil
}

func (f Fixed) those(resourceType string, wanted func(config.Item) bool) []any {
	list := []any{}
	for i := range f.Items {
		if it := &f.Items[i]; it.Type == resourceType && wanted(*it) {
			list = append(list, Document(it))
		}
	}
	return list
}

// NotRecorded is the error of a type of which nothing is known.
func NotRecorded(resourceType string) error {
	return fmt.Errorf("%s is not recorded here, so it is not known which there are: add the type to the configuration recorder", resourceType)
}

// NotReadable is the error of a type that was never read as a whole, because reading fails.
func NotReadable(resourceType, failure string) error {
	return fmt.Errorf("%s cannot be read, so it is not known which there are: %s", resourceType, failure)
}
