package audit

import (
	"encoding/json"
	"strings"
	"time"

	"plumb/internal/arn"
)

// A record is an event as CloudTrail writes it.
type record struct {
	Version    string          `json:"eventVersion"`
	Who        userIdentity    `json:"userIdentity"`
	At         string          `json:"eventTime"`
	Source     string          `json:"eventSource"`
	Name       string          `json:"eventName"`
	Region     string          `json:"awsRegion"`
	IP         string          `json:"sourceIPAddress"`
	Agent      string          `json:"userAgent,omitempty"`
	Code       string          `json:"errorCode,omitempty"`
	Message    string          `json:"errorMessage,omitempty"`
	Sent       json.RawMessage `json:"requestParameters"`
	Answered   json.RawMessage `json:"responseElements"`
	RequestID  string          `json:"requestID,omitempty"`
	ID         string          `json:"eventID"`
	ReadOnly   bool            `json:"readOnly"`
	Resources  []resource      `json:"resources,omitempty"`
	Kind       string          `json:"eventType"`
	Management bool            `json:"managementEvent"`
	Account    string          `json:"recipientAccountId,omitempty"`
	Category   string          `json:"eventCategory"`
	More       *additional     `json:"additionalEventData,omitempty"`
}

// additional is what this server adds to a record.
type additional struct {
	Forwarder string `json:"forwardedBy"`
}

type resource struct {
	Account string `json:"accountId,omitempty"`
	ARN     string `json:"ARN"`
}

type userIdentity struct {
	Type        string          `json:"type"`
	PrincipalID string          `json:"principalId,omitempty"`
	ARN         string          `json:"arn,omitempty"`
	Account     string          `json:"accountId,omitempty"`
	AccessKeyID string          `json:"accessKeyId,omitempty"`
	UserName    string          `json:"userName,omitempty"`
	Session     *sessionContext `json:"sessionContext,omitempty"`
	InvokedBy   string          `json:"invokedBy,omitempty"`
}

type sessionContext struct {
	Issuer struct {
		Type        string `json:"type,omitempty"`
		PrincipalID string `json:"principalId,omitempty"`
		ARN         string `json:"arn,omitempty"`
		Account     string `json:"accountId,omitempty"`
		UserName    string `json:"userName,omitempty"`
	} `json:"sessionIssuer,omitzero"`
	Attributes struct {
		Created string `json:"creationDate"`
		MFA     string `json:"mfaAuthenticated"`
	} `json:"attributes,omitzero"`
	SourceIdentity string `json:"sourceIdentity,omitempty"`
}

var null = json.RawMessage("null")

// Record returns an event as CloudTrail writes it.
func Record(e Event) json.Marshaler { return recordOf(e) }

// MarshalJSON writes it.
func (r record) MarshalJSON() ([]byte, error) {
	type plain record
	return json.Marshal(plain(r))
}

func recordOf(e Event) record {
	r := record{
		Version: "1.11", Who: identityOf(e.Who), At: e.At.UTC().Format(time.RFC3339), Source: e.Service + ".amazonaws.com", Name: e.Operation,
		Region: e.Place.Region, IP: e.SourceIP, Agent: e.UserAgent, Code: e.Code, Message: e.Message, Sent: e.Sent, Answered: e.Answered,
		RequestID: e.RequestID, ID: e.ID, ReadOnly: e.ReadOnly, Kind: e.Kind, Management: !e.Data, Account: e.Place.Account, Category: "Management",
	}
	if e.Data {
		r.Category = "Data"
	}
	if e.Forwarder != "" {
		r.More = &additional{e.Forwarder}
	}
	if len(r.Sent) == 0 {
		r.Sent = null
	}
	if len(r.Answered) == 0 {
		r.Answered = null
	}
	for _, name := range e.Resources {
		if a, err := arn.Parse(name); err == nil {
			r.Resources = append(r.Resources, resource{a.Account, name})
		}
	}
	return r
}

func identityOf(w Who) userIdentity {
	out := userIdentity{
		Type: w.Type, PrincipalID: w.PrincipalID, ARN: w.ARN, Account: w.Account, AccessKeyID: w.AccessKeyID, UserName: w.UserName, InvokedBy: w.InvokedBy,
	}
	if w.Issuer == "" && w.SourceIdentity == "" && w.Issued.IsZero() {
		return out
	}
	s := &sessionContext{SourceIdentity: w.SourceIdentity}
	if w.Issuer != "" {
		id, _, _ := strings.Cut(w.PrincipalID, ":")
		s.Issuer.Type, s.Issuer.PrincipalID, s.Issuer.ARN, s.Issuer.Account, s.Issuer.UserName = "Role", id, w.Issuer, w.Account, w.UserName
		out.UserName = ""
	}
	if !w.Issued.IsZero() {
		s.Attributes.Created, s.Attributes.MFA = w.Issued.UTC().Format(time.RFC3339), "false"
	}
	out.Session = s
	return out
}
