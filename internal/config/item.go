package config

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"
)

// ItemVersion is the schema version that every item carries. Since 1.3 the hash
// is empty and configurationStateId orders the items. AWS leaves relatedEvents
// empty, too.
const ItemVersion = "1.3"

// A Place is an account (twelve digits) and a region. Everything that Plumb
// keeps belongs to one place.
type Place struct {
	Account string `json:"account"`
	Region  string `json:"region"`
}

// String returns account/region, for logs and errors.
func (p Place) String() string { return p.Account + "/" + p.Region }

// Compare orders places by account and region.
func (p Place) Compare(other Place) int {
	return cmp.Or(strings.Compare(p.Account, other.Account), strings.Compare(p.Region, other.Region))
}

// A ResourceKey identifies a resource: its place, its type (AWS::S3::Bucket) and
// its id as AWS Config knows it.
type ResourceKey struct {
	Place
	Type string `json:"type"`
	ID   string `json:"id"`
}

// String returns account/region/type/id, for logs and errors.
func (k ResourceKey) String() string {
	return strings.Join([]string{k.Account, k.Region, k.Type, k.ID}, "/")
}

// ItemStatus is the configurationItemStatus of an item.
type ItemStatus string

// The statuses of an item: the first one of a resource, a later one, an
// identity without configuration because the type is not recorded, and the two
// ways to be gone.
const (
	StatusDiscovered         ItemStatus = "ResourceDiscovered"
	StatusOK                 ItemStatus = "OK"
	StatusNotRecorded        ItemStatus = "ResourceNotRecorded"
	StatusDeleted            ItemStatus = "ResourceDeleted"
	StatusDeletedNotRecorded ItemStatus = "ResourceDeletedNotRecorded"
)

// ItemStatuses are all of them.
func ItemStatuses() []ItemStatus {
	return []ItemStatus{StatusDiscovered, StatusOK, StatusNotRecorded, StatusDeleted, StatusDeletedNotRecorded}
}

// Gone reports whether the status says that the resource does not exist.
func (s ItemStatus) Gone() bool {
	return s == StatusDeleted || s == StatusDeletedNotRecorded
}

// A Relationship leads from an item to another resource. Name is AWS's phrase
// ("Is contained in Vpc"); ID or ResourceName may be empty, not both.
type Relationship struct {
	Type         string
	ID           string
	ResourceName string
	Name         string
}

// An Item is a configuration item: what one resource looked like at one moment.
//
// Configuration and the values of Supplementary are decoded JSON as Decode
// makes it (map[string]any, []any, string, bool, int64, float64, nil). Nobody
// changes them after the item was made: they are shared between readers.
type Item struct {
	ResourceKey
	Name          string
	ARN           string
	AWSRegion     string // awsRegion as shown: "global" for IAM, a bucket's own region; empty means Place.Region
	AZ            string // availabilityZone, or AWS's "Not Applicable", "Multiple Availability Zones", "Regional"
	Status        ItemStatus
	CaptureTime   time.Time // when recording of the change began, milliseconds
	StateID       int64     // configurationStateId: the capture time in epoch milliseconds, bumped on a tie
	CreationTime  *time.Time
	Tags          map[string]string
	Relationships []Relationship
	Configuration any // nil when the resource is gone or not recorded
	Supplementary map[string]any
	Frequency     string     // recordingFrequency; "DAILY" or empty, which means continuous
	DeliveryTime  *time.Time // only for daily items

	MD5           string   // configurationStateMd5Hash, which items have had none of since version 1.3
	RelatedEvents []string // the ids of the calls in the audit log that made the resource so
	Imported      *Stamps  // nil for an item that Plumb made
}

// Key returns the identity of the item's resource.
func (it Item) Key() ResourceKey { return it.ResourceKey }

// ShownRegion returns the item's awsRegion. It differs from the region of the
// item's place for global resources, which every region's recorder may record.
func (it Item) ShownRegion() string {
	if it.AWSRegion != "" {
		return it.AWSRegion
	}
	return it.Region
}

// A VersionKey identifies one item of a resource's history.
type VersionKey struct {
	ResourceKey
	StateID int64 `json:"stateId"`
}

// Version returns the identity of this item in its resource's history.
func (it Item) Version() VersionKey { return VersionKey{it.ResourceKey, it.StateID} }

// eventItem is the spelling of an item in events, messages and files.
type eventItem struct {
	RelatedEvents     []string            `json:"relatedEvents"`
	Relationships     []eventRelationship `json:"relationships"`
	Configuration     any                 `json:"configuration"`
	Supplementary     map[string]any      `json:"supplementaryConfiguration"`
	Tags              map[string]string   `json:"tags"`
	Version           string              `json:"configurationItemVersion"`
	CaptureTime       *string             `json:"configurationItemCaptureTime"`
	StateID           int64               `json:"configurationStateId"`
	Account           string              `json:"awsAccountId"`
	Status            ItemStatus          `json:"configurationItemStatus"`
	Type              string              `json:"resourceType"`
	ID                string              `json:"resourceId"`
	Name              *string             `json:"resourceName"`
	ARN               *string             `json:"ARN"`
	Region            string              `json:"awsRegion"`
	AZ                *string             `json:"availabilityZone"`
	MD5               string              `json:"configurationStateMd5Hash"`
	CreationTime      *string             `json:"resourceCreationTime"`
	RecordingFreqency string              `json:"recordingFrequency,omitempty"`
	DeliveryTime      *string             `json:"configurationItemDeliveryTime,omitempty"`
}

// keptItem is the event form with what only the store knows.
type keptItem struct {
	eventItem
	Imported *Stamps `json:"imported,omitempty"`
}

type eventRelationship struct {
	ID           *string `json:"resourceId"`
	ResourceName *string `json:"resourceName"`
	Type         string  `json:"resourceType"`
	Name         string  `json:"name"`
}

// MarshalJSON writes the item in the event form: the spelling of Lambda events,
// SNS messages and S3 files, where ARN, awsAccountId and relationships[].name
// are the names, configuration is an object and absent values are null.
func (it Item) MarshalJSON() ([]byte, error) {
	return json.Marshal(it.eventForm())
}

// UnmarshalJSON reads the event form. The form does not say whose recorder made
// the item, so Place.Region is the awsRegion until a caller who knows sets it.
func (it *Item) UnmarshalJSON(b []byte) error {
	var k keptItem
	if err := decodeInto(b, &k); err != nil {
		return err
	}
	err := it.fromEventForm(k.eventItem)
	it.Imported = k.Imported
	return err
}

func (it Item) eventForm() eventItem {
	e := eventItem{
		RelatedEvents: []string{}, Relationships: make([]eventRelationship, 0, len(it.Relationships)),
		Configuration: it.Configuration, Supplementary: it.Supplementary, Tags: it.Tags,
		Version: it.ShownVersion(), CaptureTime: timeText(&it.CaptureTime), StateID: it.ShownStateID(),
		Account: it.Account, Status: it.Status, Type: it.Type, ID: it.ID, Name: textOrNil(it.Name),
		ARN: textOrNil(it.ARN), Region: it.ShownRegion(), AZ: textOrNil(it.AZ), MD5: it.MD5,
		CreationTime: timeText(it.CreationTime), RecordingFreqency: it.Frequency, DeliveryTime: timeText(it.DeliveryTime),
	}
	if len(it.RelatedEvents) > 0 {
		e.RelatedEvents = it.RelatedEvents
	}
	if e.Supplementary == nil {
		e.Supplementary = map[string]any{}
	}
	if e.Tags == nil {
		e.Tags = map[string]string{}
	}
	for _, r := range it.Relationships {
		e.Relationships = append(e.Relationships, eventRelationship{
			ID: textOrNil(r.ID), ResourceName: textOrNil(r.ResourceName), Type: r.Type, Name: r.Name,
		})
	}
	return e
}

func (it *Item) fromEventForm(e eventItem) error {
	*it = Item{
		ResourceKey: ResourceKey{Place{e.Account, e.Region}, e.Type, e.ID},
		AWSRegion:   e.Region,
		Name:        deref(e.Name), ARN: deref(e.ARN), AZ: deref(e.AZ), Status: e.Status, StateID: e.StateID,
		Tags: e.Tags, Configuration: e.Configuration, Frequency: e.RecordingFreqency,
		Supplementary: map[string]any{}, MD5: e.MD5,
	}
	if len(e.RelatedEvents) > 0 {
		it.RelatedEvents = e.RelatedEvents
	}
	for k, v := range e.Supplementary {
		it.Supplementary[k] = v
	}
	for _, r := range e.Relationships {
		it.Relationships = append(it.Relationships, Relationship{
			Type: r.Type, ID: deref(r.ID), ResourceName: deref(r.ResourceName), Name: r.Name,
		})
	}
	var err error
	if it.CreationTime, err = parseTime("resourceCreationTime", e.CreationTime); err != nil {
		return err
	}
	if it.DeliveryTime, err = parseTime("configurationItemDeliveryTime", e.DeliveryTime); err != nil {
		return err
	}
	capture, err := parseTime("configurationItemCaptureTime", e.CaptureTime)
	if capture != nil {
		it.CaptureTime = *capture
	}
	return err
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func eventsOf(it Item) []any {
	out := make([]any, len(it.RelatedEvents))
	for i, id := range it.RelatedEvents {
		out[i] = id
	}
	return out
}

// Form returns the item in the event form as decoded JSON, for evaluators that
// look into it by path. The configuration is shared, not copied.
func (it Item) Form() map[string]any {
	form := map[string]any{
		"relatedEvents": eventsOf(it), "relationships": relationshipsOf(it), "configuration": it.Configuration,
		"supplementaryConfiguration": mapOf(it.Supplementary), "tags": tagsOf(it.Tags),
		"configurationItemVersion": it.ShownVersion(), "configurationItemCaptureTime": FormatTime(it.CaptureTime),
		"configurationStateId": it.ShownStateID(), "awsAccountId": it.Account, "configurationItemStatus": string(it.Status),
		"resourceType": it.Type, "resourceId": it.ID, "resourceName": nilIfEmpty(it.Name), "ARN": nilIfEmpty(it.ARN),
		"awsRegion": it.ShownRegion(), "availabilityZone": nilIfEmpty(it.AZ), "configurationStateMd5Hash": it.MD5,
		"resourceCreationTime": nil,
	}
	if it.CreationTime != nil {
		form["resourceCreationTime"] = FormatTime(*it.CreationTime)
	}
	return form
}
