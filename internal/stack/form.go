package stack

import (
	"bytes"
	"encoding/json"
	"fmt"

	"plumb/internal/db"
	"plumb/internal/template"
)

// The stored forms. Their names are those of rows that are kept: they stay.

type storedStack struct {
	Reason        string         `json:"reason,omitempty"`
	Root          string         `json:"root,omitempty"`
	Updated       int64          `json:"updated,omitempty"`
	Deleted       int64          `json:"deleted,omitempty"`
	Settings      storedSettings `json:"settings"`
	By            string         `json:"by,omitempty"`
	UserID        string         `json:"userId,omitempty"`
	ByRoot        bool           `json:"byRoot,omitempty"`
	ChangeSet     string         `json:"changeSet,omitempty"`
	Protected     bool           `json:"protected,omitempty"`
	Outputs       []storedOutput `json:"outputs,omitempty"`
	Operation     string         `json:"operation"`
	Token         string         `json:"token,omitempty"`
	Phase         string         `json:"phase,omitempty"`
	Failed        bool           `json:"failed,omitempty"`
	FailureReason string         `json:"failureReason,omitempty"`
	Retain        []string       `json:"retain,omitempty"`
	Before        storedSettings `json:"before"`
	Delete        bool           `json:"delete,omitempty"`
}

type storedSettings struct {
	Description   string            `json:"description,omitempty"`
	Parameters    []storedParameter `json:"parameters,omitempty"`
	Capabilities  []string          `json:"capabilities,omitempty"`
	Tags          []storedTag       `json:"tags,omitempty"`
	Role          string            `json:"role,omitempty"`
	Notifications []string          `json:"notifications,omitempty"`
	Timeout       int               `json:"timeout,omitempty"`
	OnFailure     string            `json:"onFailure,omitempty"`
	KeepFailed    bool              `json:"keepFailed,omitempty"`
}

type storedParameter struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Hidden bool   `json:"hidden,omitempty"`
}

type storedTag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type storedOutput struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
	Export      string `json:"export,omitempty"`
}

func toSettings(s Settings) storedSettings {
	out := storedSettings{
		Description: s.Description, Capabilities: s.Capabilities, Role: s.Role, Notifications: s.Notifications, Timeout: s.Timeout,
		OnFailure: s.OnFailure, KeepFailed: s.KeepFailed,
	}
	for _, p := range s.Parameters {
		out.Parameters = append(out.Parameters, storedParameter(p))
	}
	for _, t := range s.Tags {
		out.Tags = append(out.Tags, storedTag(t))
	}
	return out
}

func fromSettings(s storedSettings) Settings {
	out := Settings{
		Description: s.Description, Capabilities: s.Capabilities, Role: s.Role, Notifications: s.Notifications, Timeout: s.Timeout,
		OnFailure: s.OnFailure, KeepFailed: s.KeepFailed,
	}
	for _, p := range s.Parameters {
		out.Parameters = append(out.Parameters, Parameter(p))
	}
	for _, t := range s.Tags {
		out.Tags = append(out.Tags, Tag(t))
	}
	return out
}

func toStack(s Stack) (string, error) {
	form := storedStack{
		Reason: s.Reason, Root: s.Root, Updated: db.Micros(s.Updated), Deleted: db.Micros(s.Deleted), Settings: toSettings(s.Settings),
		By: s.By, UserID: s.UserID, ByRoot: s.ByRoot, ChangeSet: s.ChangeSet, Protected: s.Protected,
		Operation: s.Operation.ID, Token: s.Operation.Token, Phase: string(s.Operation.Phase), Failed: s.Operation.Failed,
		FailureReason: s.Operation.Reason, Retain: s.Operation.Retain, Before: toSettings(s.Operation.Before), Delete: s.Operation.Delete,
	}
	for _, o := range s.Outputs {
		form.Outputs = append(form.Outputs, storedOutput(o))
	}
	return encode(form)
}

func fromStack(text string, s *Stack) error {
	var form storedStack
	if err := json.Unmarshal([]byte(text), &form); err != nil {
		return fmt.Errorf("stack %s: %w", s.ID, err)
	}
	s.Reason, s.Root, s.Updated, s.Deleted = form.Reason, form.Root, db.Time(form.Updated), db.Time(form.Deleted)
	s.Settings, s.ChangeSet, s.Protected = fromSettings(form.Settings), form.ChangeSet, form.Protected
	s.By, s.UserID, s.ByRoot = form.By, form.UserID, form.ByRoot
	for _, o := range form.Outputs {
		s.Outputs = append(s.Outputs, Output(o))
	}
	s.Operation = Operation{
		ID: form.Operation, Token: form.Token, Phase: Phase(form.Phase), Failed: form.Failed, Reason: form.FailureReason, Retain: form.Retain,
		Before: fromSettings(form.Before), Delete: form.Delete,
	}
	return nil
}

type storedMade struct {
	Type       string         `json:"type"`
	Physical   string         `json:"physical,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
	Attributes map[string]any `json:"attributes,omitempty"`
	DependsOn  []string       `json:"dependsOn,omitempty"`
	OnDelete   string         `json:"onDelete,omitempty"`
	OnReplace  string         `json:"onReplace,omitempty"`
	Imports    []string       `json:"imports,omitempty"`
}

type storedResource struct {
	storedMade
	Reason   string      `json:"reason,omitempty"`
	Updated  int64       `json:"updated"`
	Previous *storedMade `json:"previous,omitempty"`
	Mark     string      `json:"mark,omitempty"`
	State    string      `json:"state,omitempty"`
	Do       string      `json:"do,omitempty"`
	Token    string      `json:"token,omitempty"`
	Name     string      `json:"name,omitempty"`
	Called   bool        `json:"called,omitempty"`
	Fresh    bool        `json:"fresh,omitempty"`
	Since    int64       `json:"since,omitempty"`
}

func toResource(r Resource) (string, error) {
	form := storedResource{
		storedMade: storedMade(r.Made), Reason: r.Reason, Updated: db.Micros(r.Updated), Mark: r.Mark, State: string(r.State), Do: r.Do,
		Token: r.Token, Name: r.Name, Called: r.Called, Fresh: r.Fresh, Since: db.Micros(r.Since),
	}
	if r.Previous != nil {
		form.Previous = new(storedMade(*r.Previous))
	}
	return encode(form)
}

func fromResource(text string, r *Resource) error {
	var form storedResource
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber() // properties are compared as they were written
	if err := decoder.Decode(&form); err != nil {
		return fmt.Errorf("resource %s of %s: %w", r.ID, r.Stack, err)
	}
	r.Made, r.Reason, r.Updated = Made(form.storedMade), form.Reason, db.Time(form.Updated)
	if form.Previous != nil {
		r.Previous = new(Made(*form.Previous))
	}
	r.task = task{
		Mark: form.Mark, State: state(form.State), Do: form.Do, Token: form.Token, Name: form.Name, Called: form.Called, Fresh: form.Fresh,
		Since: db.Time(form.Since),
	}
	return nil
}

func encode(form any) (string, error) { return template.JSON(form) }
