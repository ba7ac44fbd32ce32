package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
)

// Kinds of events, as CloudTrail names them.
const (
	APICall       = "AwsApiCall"
	ConsoleSignIn = "AwsConsoleSignIn"
	ConsoleAction = "AwsConsoleAction"
	ServerAction  = "PlumbServerAction" // by the server's own pages
)

// An Event is one call and how it ended.
type Event struct {
	ID        string
	Kind      string
	At        time.Time
	Place     config.Place // the account is empty where nobody knows whose call it was
	Who       Who
	SourceIP  string
	UserAgent string

	Service   string // as it is signed for: config
	Operation string
	RequestID string
	Resources []string // ARNs, names and ids
	Code      string   // of the error; empty if it was done
	Message   string
	Sent      json.RawMessage // parameters, without secrets
	Answered  json.RawMessage
	ReadOnly  bool
	Data      bool // about what a resource holds, not about the resource
	// Forwarder is who brought a record of CloudTrail's: the call was not to this server.
	Forwarder string
}

// Who is the caller that sent a call, as CloudTrail describes it.
type Who struct {
	Type           string    `json:"type"`
	PrincipalID    string    `json:"principalId,omitempty"`
	ARN            string    `json:"arn,omitempty"`
	Account        string    `json:"accountId,omitempty"`
	AccessKeyID    string    `json:"accessKeyId,omitempty"`
	UserName       string    `json:"userName,omitempty"`
	InvokedBy      string    `json:"invokedBy,omitempty"`
	Issuer         string    `json:"issuer,omitempty"` // the role of a session
	SourceIdentity string    `json:"sourceIdentity,omitempty"`
	Issued         time.Time `json:"issued,omitzero"`
}

// Unknown is somebody of whom nothing is certain. The access key is what they say.
func Unknown(accessKeyID string) Who {
	return Who{Type: "Unknown", AccessKeyID: cut(accessKeyID, maxName)}
}

// stranger reports whether nobody knows who it is.
func (w Who) stranger() bool { return w.Type == "Unknown" && w.ARN == "" }

// WhoOf describes the caller of a request.
func WhoOf(c caller.Caller) Who {
	w := Who{
		Type: "Unknown", PrincipalID: c.UserID, ARN: c.PrincipalARN, Account: c.Account, AccessKeyID: cut(c.AccessKeyID, maxName),
	}
	if c.Session != nil {
		w.SourceIdentity, w.Issued = c.Session.SourceIdentity, c.Session.Issued
	}
	a, err := arn.Parse(c.PrincipalARN)
	if err != nil {
		return w
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch {
	case kind == "root":
		w.Type = "Root"
	case kind == "user":
		w.Type, w.UserName = "IAMUser", name[strings.LastIndexByte(name, '/')+1:]
	case kind == "federated-user":
		w.Type, w.UserName = "FederatedUser", name
	case kind == "assumed-role":
		role, _, _ := strings.Cut(name, "/")
		w.Type, w.UserName = "AssumedRole", role
		a.Service, a.Region, a.Resource = "iam", "", "role/"+role
		w.Issuer = a.String()
	case strings.HasPrefix(a.Resource, "role/aws-service-role/"):
		service, _, _ := strings.Cut(strings.TrimPrefix(name, "aws-service-role/"), "/")
		w = Who{Type: "AWSService", InvokedBy: service}
	}
	return w
}

const maxName = 256

func cut(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "�")
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

// IDOf returns the id that the event of a request has, if it is kept; empty if none is.
// It is known before the event is, so that what the request changes can name it.
func (l *Log) IDOf(requestID string) string {
	if l == nil || l.o.Level == Off || requestID == "" {
		return ""
	}
	return idOf(requestID)
}

func idOf(requestID string) string {
	sum := sha256.Sum256([]byte("event of request " + requestID))
	return uuid([16]byte(sum[:16]))
}

// newID returns a random UUID, as the ids of CloudTrail's events are.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return uuid(b)
}

func uuid(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
