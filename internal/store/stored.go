package store

import (
	"encoding/json"
	"fmt"

	"plumb/internal/config"
	"plumb/internal/db"
)

// What is kept as JSON has forms of its own, whose names are on disk: a field of
// a noun can be renamed, one of these cannot. Their bytes stand in testdata.

type storedRule struct {
	ARN         string        `json:"arn"`
	Description string        `json:"description,omitempty"`
	Scope       *storedScope  `json:"scope,omitempty"`
	Owner       string        `json:"owner"`
	Identifier  string        `json:"identifier,omitempty"`
	Details     []storedEvent `json:"details,omitzero"`
	Policy      *storedPolicy `json:"policy,omitempty"`
	Parameters  string        `json:"parameters,omitempty"`
	Frequency   string        `json:"frequency,omitempty"`
	CreatedBy   string        `json:"createdBy,omitempty"`
	Modes       []string      `json:"modes,omitzero"`
}

type storedScope struct {
	Types    []string `json:"types,omitzero"` // an empty list is not the same as none
	TagKey   *string  `json:"tagKey,omitempty"`
	TagValue *string  `json:"tagValue,omitempty"`
	ID       *string  `json:"id,omitempty"`
}

type storedEvent struct {
	Source    string `json:"source"`
	Message   string `json:"message"`
	Frequency string `json:"frequency,omitempty"`
}

type storedPolicy struct {
	Runtime string `json:"runtime"`
	Text    string `json:"text"`
	Debug   bool   `json:"debug,omitempty"`
}

func fromRule(r config.Rule) storedRule {
	s := storedRule{
		ARN: r.ARN, Description: r.Description, Owner: r.Source.Owner, Identifier: r.Source.Identifier,
		Policy: (*storedPolicy)(r.Source.Policy), Parameters: r.InputParameters, Frequency: r.Frequency, CreatedBy: r.CreatedBy, Modes: r.Modes,
	}
	if r.Scope != nil {
		s.Scope = &storedScope{r.Scope.Types, r.Scope.TagKey, r.Scope.TagValue, r.Scope.ID}
	}
	if r.Source.Details != nil {
		s.Details = collect(r.Source.Details, func(d config.SourceDetail) storedEvent {
			return storedEvent{d.EventSource, d.MessageType, d.Frequency}
		})
	}
	return s
}

func (s storedRule) toRule() config.Rule {
	r := config.Rule{
		ARN: s.ARN, Description: s.Description, InputParameters: s.Parameters, Frequency: s.Frequency, CreatedBy: s.CreatedBy, Modes: s.Modes,
		Source: config.Source{Owner: s.Owner, Identifier: s.Identifier, Policy: (*config.Policy)(s.Policy)},
	}
	if s.Scope != nil {
		r.Scope = &config.Scope{Types: s.Scope.Types, TagKey: s.Scope.TagKey, TagValue: s.Scope.TagValue, ID: s.Scope.ID}
	}
	if s.Details != nil {
		r.Source.Details = collect(s.Details, func(e storedEvent) config.SourceDetail {
			return config.SourceDetail{EventSource: e.Source, MessageType: e.Message, Frequency: e.Frequency}
		})
	}
	return r
}

type storedRecorder struct {
	ARN                 string   `json:"arn"`
	RoleARN             string   `json:"roleArn"`
	AllSupported        bool     `json:"allSupported"`
	IncludeGlobal       bool     `json:"includeGlobal"`
	Types               []string `json:"types,omitzero"`
	Excluded            []string `json:"excluded,omitzero"`
	Strategy            string   `json:"strategy"`
	ModePut             bool     `json:"modePut"`
	Frequency           string   `json:"frequency"`
	OverrideTypes       []string `json:"overrideTypes,omitzero"`
	OverrideFrequency   string   `json:"overrideFrequency,omitempty"`
	OverrideDescription string   `json:"overrideDescription,omitempty"`

	Connector  string            `json:"connector,omitempty"`
	ThirdParty *storedThirdParty `json:"thirdParty,omitempty"`
}

type storedThirdParty struct {
	Type       string   `json:"type"`
	Values     []string `json:"values,omitzero"`
	AllRegions bool     `json:"allRegions,omitempty"`
	Regions    []string `json:"regions,omitzero"`
}

func fromRecorder(r config.Recorder) storedRecorder {
	return storedRecorder{
		ARN: r.ARN, RoleARN: r.RoleARN, AllSupported: r.Group.AllSupported, IncludeGlobal: r.Group.IncludeGlobal,
		Types: r.Group.Types, Excluded: r.Group.Excluded, Strategy: r.Group.Strategy, ModePut: r.Mode.Put, Frequency: r.Mode.Frequency,
		OverrideTypes: r.Mode.Overrides, OverrideFrequency: r.Mode.Override, OverrideDescription: r.Mode.Description,
		Connector: r.Connector, ThirdParty: (*storedThirdParty)(r.ThirdParty),
	}
}

func (s storedRecorder) toRecorder() config.Recorder {
	return config.Recorder{
		ARN: s.ARN, RoleARN: s.RoleARN, Connector: s.Connector, ThirdParty: (*config.ThirdPartyScope)(s.ThirdParty),
		Group: config.RecordingGroup{
			AllSupported: s.AllSupported, IncludeGlobal: s.IncludeGlobal, Types: s.Types, Excluded: s.Excluded, Strategy: s.Strategy,
		},
		Mode: config.RecordingMode{
			Put: s.ModePut, Frequency: s.Frequency, Overrides: s.OverrideTypes, Override: s.OverrideFrequency, Description: s.OverrideDescription,
		},
	}
}

type storedChannel struct {
	Bucket    string `json:"bucket"`
	Prefix    string `json:"prefix,omitempty"`
	KMSKeyARN string `json:"kmsKeyArn,omitempty"`
	TopicARN  string `json:"topicArn,omitempty"`
	Frequency string `json:"frequency,omitempty"`
}

func fromChannel(c config.DeliveryChannel) storedChannel {
	return storedChannel{c.Bucket, c.Prefix, c.KMSKeyARN, c.TopicARN, c.Frequency}
}

func (s storedChannel) toChannel() config.DeliveryChannel {
	return config.DeliveryChannel{Bucket: s.Bucket, Prefix: s.Prefix, KMSKeyARN: s.KMSKeyARN, TopicARN: s.TopicARN, Frequency: s.Frequency}
}

type storedPack struct {
	ARN            string          `json:"arn"`
	StackARN       string          `json:"stackArn"`
	CreatedBy      string          `json:"createdBy,omitempty"`
	DeliveryBucket string          `json:"deliveryBucket,omitempty"`
	DeliveryPrefix string          `json:"deliveryPrefix,omitempty"`
	Parameters     []storedValue   `json:"parameters,omitzero"`
	Document       *storedDocument `json:"document,omitempty"`
}

type storedValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type storedDocument struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

func fromPack(p config.ConformancePack) storedPack {
	s := storedPack{
		ARN: p.ARN, StackARN: p.StackARN, CreatedBy: p.CreatedBy, DeliveryBucket: p.DeliveryBucket, DeliveryPrefix: p.DeliveryPrefix,
		Document: (*storedDocument)(p.Document),
	}
	if p.Parameters != nil {
		s.Parameters = collect(p.Parameters, func(v config.PackParameter) storedValue { return storedValue(v) })
	}
	return s
}

func (s storedPack) toPack() config.ConformancePack {
	p := config.ConformancePack{
		ARN: s.ARN, StackARN: s.StackARN, CreatedBy: s.CreatedBy, DeliveryBucket: s.DeliveryBucket, DeliveryPrefix: s.DeliveryPrefix,
		Document: (*config.PackDocument)(s.Document),
	}
	if s.Parameters != nil {
		p.Parameters = collect(s.Parameters, func(v storedValue) config.PackParameter { return config.PackParameter(v) })
	}
	return p
}

// encoded returns the text of a stored form.
func encoded(form any) (string, error) {
	text, err := json.Marshal(form)
	if err != nil {
		return "", fmt.Errorf("encode definition: %w", err)
	}
	return string(text), nil
}

// decoded returns the stored form of a definition, which is read much more often
// than it changes.
func decoded[T any](tx *db.Tx, text string) (T, error) {
	form, err := db.Decoded(tx, text, func(text []byte, form *T) error { return json.Unmarshal(text, form) })
	if err != nil {
		return form, fmt.Errorf("decode definition: %w", err)
	}
	return form, nil
}
