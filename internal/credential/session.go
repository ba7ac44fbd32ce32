package credential

import (
	"encoding/json"
	"fmt"

	"plumb/internal/caller"
	"plumb/internal/db"
)

// A form is how a session is kept beside its credentials.
type form struct {
	Root           bool              `json:"root,omitempty"`
	Policies       []string          `json:"policies,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
	SourceIdentity string            `json:"sourceIdentity,omitempty"`
	Issued         int64             `json:"issued,omitempty"`
	Cognito        string            `json:"cognito,omitempty"`
}

func kept(c Credential) (string, error) {
	f := form{Root: c.Root, Policies: c.Session.Policies, Tags: c.Session.Tags, SourceIdentity: c.Session.SourceIdentity, Cognito: c.Session.Cognito}
	if !c.Session.Issued.IsZero() {
		f.Issued = db.Micros(c.Session.Issued)
	}
	text, err := json.Marshal(f)
	return string(text), err
}

// readSession fills in the session of an identity. Credentials of an older server
// have none.
func readSession(text string, who *caller.Identity) error {
	var f form
	if text != "" {
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return fmt.Errorf("read a session: %w", err)
		}
	}
	who.Root = f.Root
	who.Session = &caller.Session{Policies: f.Policies, Tags: f.Tags, SourceIdentity: f.SourceIdentity, Cognito: f.Cognito}
	if f.Issued != 0 {
		who.Session.Issued = db.Time(f.Issued)
	}
	return nil
}
