package stack

import (
	"strings"
	"time"

	"plumb/internal/config"
)

// A Stack is a set of resources that one template describes.
type Stack struct {
	config.Place
	ID     string // its ARN
	Name   string
	Status string
	Reason string // why it has the status
	Parent string // the ARN of the stack that it is nested in
	Root   string // the ARN of the outermost one

	Created, Updated, Deleted time.Time // zero: not yet

	Settings
	By        string // the principal that calls for it
	UserID    string
	ByRoot    bool   // the principal may do everything in its account
	ChangeSet string // the ARN of the one that was executed last
	Protected bool   // from being deleted
	Outputs   []Output

	Operation Operation // the last one
}

// Settings are what a request says of a stack beside its template.
type Settings struct {
	Description   string
	Parameters    []Parameter
	Capabilities  []string
	Tags          []Tag
	Role          string
	Notifications []string
	Timeout       int    // minutes; 0 for none
	OnFailure     string // of the creation: ROLLBACK, DELETE or DO_NOTHING
	KeepFailed    bool   // DisableRollback
}

// A Parameter is one with its value. A hidden one is not shown.
type Parameter struct {
	Name, Value string
	Hidden      bool
}

// A Tag is one of a stack, whose resources get it too.
type Tag struct{ Key, Value string }

// An Output is what a template gives back.
type Output struct{ Name, Value, Description, Export string }

// An Operation is one creation, update or deletion, with its rollback.
type Operation struct {
	ID     string
	Token  string   // the client's
	Phase  Phase    // empty once it ended
	Failed bool     // the phase goes to no new resources
	Reason string   // of the failure
	Retain []string // resources that a deletion leaves alone
	Before Settings // those of the stack before an update
	Delete bool     // the stack is to be deleted when this ends
}

// A Phase is what an operation does to resources.
type Phase string

// The phases.
const (
	Making    Phase = "make"   // what the new template has, after its dependencies
	Reverting Phase = "revert" // what an update changed, back
	Cleaning  Phase = "clean"  // resources that an update left behind
	Undoing   Phase = "undo"   // what a creation made
	Removing  Phase = "remove" // everything
)

// AWS's words for statuses. They are put together: CREATE_IN_PROGRESS.
const (
	inProgress = "_IN_PROGRESS"
	complete   = "_COMPLETE"
	failed     = "_FAILED"

	createWord   = "CREATE"
	updateWord   = "UPDATE"
	deleteWord   = "DELETE"
	rollbackWord = "ROLLBACK"

	updateRollback = "UPDATE_ROLLBACK"
	cleanup        = "_COMPLETE_CLEANUP_IN_PROGRESS"
	inReview       = "REVIEW_IN_PROGRESS"
	deleteSkipped  = "DELETE_SKIPPED"
)

// InProgress reports whether an operation goes on.
func (s Stack) InProgress() bool { return s.Operation.Phase != "" }

// Gone reports whether the stack was deleted.
func (s Stack) Gone() bool { return s.Status == deleteWord+complete }

// StackType is the type of stacks themselves, nested ones too.
const StackType = "AWS::CloudFormation::Stack"

// A Made is a resource as a service has it.
type Made struct {
	Type       string
	Physical   string // what Ref answers, empty while there is none
	Properties map[string]any
	Attributes map[string]any // what Fn::GetAtt answers
	DependsOn  []string
	OnDelete   string // DeletionPolicy
	OnReplace  string // UpdateReplacePolicy
	Imports    []string
}

// A Resource is one of a stack.
type Resource struct {
	Stack string
	ID    string // logical
	// Generation is 0 for the resource of that name, and counts those that
	// updates left behind.
	Generation int
	Status     string
	Reason     string
	Updated    time.Time
	Made

	Previous *Made // what it was before the update that goes on; nil if that made it, or left it alone
	task
}

// A task is what an operation does to a resource.
type task struct {
	Mark   string // the operation and phase that it belongs to
	State  state
	Do     string // create, update, delete or revert
	Token  string // of the attempt
	Name   string // for what has no name in the template
	Called bool   // the service may know of it already
	Fresh  bool   // the operation made it
	Since  time.Time
}

// A state is how far a task is.
type state string

const (
	asked    state = "asked"    // a job is to do it
	settling state = "settling" // the service is at it
	waiting  state = "waiting"  // for an answer or a nested stack
	done     state = "done"
	broken   state = "failed"
)

func (o Operation) mark() string { return o.ID + "/" + string(o.Phase) }

// nameOf returns the name in a stack's ARN, or s itself.
func nameOf(s string) string {
	if _, rest, ok := strings.Cut(s, ":stack/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	return s
}
