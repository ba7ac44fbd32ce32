package config

import "time"

// The ways of messages. They are on disk.
const (
	SinkTopic = "topic" // to a delivery channel's topic
	SinkBus   = "bus"   // to an outside event bus
)

// A LaneKey names one way on which messages of a place go out. What waits on one
// lane holds up no other.
type LaneKey struct {
	Place
	Sink string // SinkTopic, SinkBus, or channel: and the name of a channel of the settings
}

// A Lane is how a way out stands.
type Lane struct {
	LaneKey
	Holder int64     // the job that sends; 0: none
	Down   bool      // the last try failed as a whole: nothing is sent before Next
	Next   time.Time // of the next try, when Down or when messages are held
	Tries  int       // that failed as a whole, in a row
}

// An OutgoingState says what becomes of outgoing messages.
type OutgoingState int

// The states. Their numbers are on disk.
const (
	OutgoingWaits       OutgoingState = 1 // its turn comes
	OutgoingHeld        OutgoingState = 2 // failed by itself, or stands behind one of its resource that did
	OutgoingUndelivered OutgoingState = 3 // given up
)

// Outgoing is one message on its way out, or several that were decided together.
type Outgoing struct {
	ID int64
	LaneKey
	State   OutgoingState
	Kind    string // says what Args are
	Type    string // of the resource, when held
	Subject string // the id of the resource, when held
	Args    string // JSON: what the messages are written from
	Count   int    // of messages
	Created time.Time
	Since   time.Time // when the time began that it is tried for
	Due     time.Time // when the first held message of a resource is tried next
	Tries   int
	Tried   time.Time // last
	Error   string    // of the last try
}
