package config

import "time"

// MaxCallAge is how old a call may be that something follows from: what an older one changed
// was polled since.
const MaxCallAge = time.Hour

// A Call is one to an outside service that changed something, as CloudTrail recorded it:
// what it names has to be read again.
type Call struct {
	Place
	Event     string // the id of CloudTrail's event
	At        time.Time
	Service   string // as calls of it are signed: ec2
	Operation string
	Names     []string // ids, names and ARNs that its request and answer have
}

// CallDetailType is the type of the events that carry such records on EventBridge.
const CallDetailType = "AWS API Call via CloudTrail"
