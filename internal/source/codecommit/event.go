package codecommit

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/lambda"
)

// The names of events.
const (
	referenceChanges = "ReferenceChanges"
	triggerTest      = "TriggerEventTest"
)

// subject is that of messages to a topic, as long as a topic takes it.
func subject(n notice) string {
	text := "UPDATE: AWS CodeCommit " + n.Region + " push: " + n.Repository[strings.LastIndexByte(n.Repository, ':')+1:]
	return text[:min(len(text), 100)]
}

// eventTime is how CodeCommit writes a time.
const eventTime = "2006-01-02T15:04:05.000-0700"

// maxReferences is how many references one event names. A push of more makes several.
const maxReferences = 500

// A record is an event, or a part of one, as a destination gets it.
type record struct {
	Region          string  `json:"awsRegion"`
	CodeCommit      changed `json:"codecommit"`
	CustomData      string  `json:"customData,omitempty"`
	ID              string  `json:"eventId"`
	Name            string  `json:"eventName"`
	Part            int     `json:"eventPartNumber"`
	Source          string  `json:"eventSource"`
	SourceARN       string  `json:"eventSourceARN"`
	Time            string  `json:"eventTime"`
	Parts           int     `json:"eventTotalParts"`
	TriggerConfigID string  `json:"eventTriggerConfigId"`
	TriggerName     string  `json:"eventTriggerName"`
	Version         string  `json:"eventVersion"`
	User            string  `json:"userIdentityARN"`
}

type changed struct {
	References []reference `json:"references"`
}

type reference struct {
	Commit  string `json:"commit"`
	Created bool   `json:"created,omitempty"`
	Deleted bool   `json:"deleted,omitempty"`
	Ref     string `json:"ref"`
}

// referenceOf names the commit that the reference leads to, or led to.
func referenceOf(c change) reference {
	if c.isEnd {
		return reference{Commit: c.before.Target, Deleted: true, Ref: c.ref}
	}
	return reference{Commit: c.now.Target, Created: c.isNew, Ref: c.ref}
}

// events writes what a trigger's destination is told, in parts.
func (r *Repositories) events(x Repository, t Trigger, by caller.Caller, name string, list []reference) (out [][]byte, err error) {
	id := lambda.NewID()
	parts := slices.Collect(slices.Chunk(list, maxReferences))
	for i, part := range parts {
		text, err := json.Marshal(map[string]any{"Records": []record{{
			Region: x.Region, CodeCommit: changed{part}, CustomData: t.CustomData, ID: id, Name: name, Part: i + 1, Source: "aws:codecommit",
			SourceARN: x.ARN(), Time: r.now().UTC().Format(eventTime), Parts: len(parts), TriggerConfigID: x.TriggersID, TriggerName: t.Name,
			Version: "1.0", User: by.PrincipalARN,
		}}})
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// sampleOf is what a test event tells: the tip of the default branch, or a made-up commit of
// an empty repository.
func sampleOf(ctx context.Context, tx *db.Tx, x Repository) (reference, error) {
	out := reference{Commit: "5c4ef1049f1d27deadbeeff313e0730018be182b", Ref: heads + "main"}
	if x.DefaultBranch == "" {
		return out, nil
	}
	ref, there, err := FindRef(ctx, tx, x.ID, heads+x.DefaultBranch)
	if err == nil && there {
		out = reference{Commit: ref.Target, Ref: ref.Name}
	}
	return out, err
}
