package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model/schedulerapi"
	"plumb/internal/schedule"
)

// The states of a schedule.
const (
	Enabled  = "ENABLED"
	Disabled = "DISABLED"
)

// A Schedule invokes a target at times.
type Schedule struct {
	config.Place
	Group   string
	Name    string
	State   string
	Created time.Time
	Changed time.Time
	Settings

	due time.Time
}

// Settings are what an update of a schedule replaces.
type Settings struct {
	Description string
	Expression  string
	Zone        string
	Start, End  time.Time
	Window      time.Duration // in which the target is invoked; 0 is at once
	Delete      bool          // once the last invocation is made
	Key         string        // kept and not used
	Target      Target
}

// A Target is what is invoked, and with what.
type Target struct {
	ARN         string
	Role        string
	Input       string
	Group       string // of messages to a queue in FIFO order
	Source      string // of the event that is put on a bus
	DetailType  string
	DeadLetters string
	Retries     *int32
	Age         *int32 // seconds
}

// storedSchedule is how the settings of a schedule are kept.
type storedSchedule struct {
	Description string       `json:"description,omitempty"`
	Expression  string       `json:"expression"`
	Zone        string       `json:"zone"`
	Start       int64        `json:"start,omitempty"`
	End         int64        `json:"end,omitempty"`
	Window      int64        `json:"window,omitempty"` // minutes
	Delete      bool         `json:"delete,omitempty"`
	Key         string       `json:"key,omitempty"`
	Target      storedTarget `json:"target"`
}

type storedTarget struct {
	ARN         string `json:"arn"`
	Role        string `json:"role"`
	Input       string `json:"input,omitempty"`
	Group       string `json:"group,omitempty"`
	Source      string `json:"source,omitempty"`
	DetailType  string `json:"detailType,omitempty"`
	DeadLetters string `json:"deadLetters,omitempty"`
	Retries     *int32 `json:"retries,omitempty"`
	Age         *int32 `json:"age,omitempty"`
}

func storeSettings(s Settings) storedSchedule {
	return storedSchedule{s.Description, s.Expression, s.Zone, db.Micros(s.Start), db.Micros(s.End), int64(s.Window / time.Minute), s.Delete, s.Key,
		storedTarget(s.Target)}
}

func (s storedSchedule) settings() Settings {
	return Settings{s.Description, s.Expression, s.Zone, db.Time(s.Start), db.Time(s.End), time.Duration(s.Window) * time.Minute, s.Delete, s.Key,
		Target(s.Target)}
}

// ARN returns the schedule's ARN.
func (s Schedule) ARN() string {
	return arn.New("scheduler", s.Region, s.Account, "schedule/"+s.Group+"/"+s.Name).String()
}

// A Send hands a target its input, in the transaction, or sees to it that this is
// tried again.
type Send func(ctx context.Context, tx *db.Tx, i Invocation) error

// A Scheduler is the schedules of all places. It is safe for concurrent use.
type Scheduler struct {
	db   *db.DB
	jobs *job.Queue
	now  func() time.Time
	send Send
}

// New returns the schedules kept in d, and registers the job that invokes.
func New(d *db.DB, jobs *job.Queue, now func() time.Time, send Send) *Scheduler {
	s := &Scheduler{d, jobs, now, send}
	job.HandleTx(jobs, s.fire, job.Policy{})
	return s
}

// Read runs f in a transaction that reads.
func (s *Scheduler) Read(ctx context.Context, f func(tx *db.Tx) error) error {
	return s.db.Read(ctx, f)
}

// Write runs f in a transaction that writes.
func (s *Scheduler) Write(ctx context.Context, f func(tx *db.Tx) error) error {
	return s.db.Write(ctx, f)
}

const columns = `grouping, name, state, created, changed, due, definition`

func scanSchedule(p config.Place, scan func(...any) error) (Schedule, error) {
	s := Schedule{Place: p}
	var created, changed, due int64
	var definition string
	if err := scan(&s.Group, &s.Name, &s.State, &created, &changed, &due, &definition); err != nil {
		return s, err
	}
	var stored storedSchedule
	if err := json.Unmarshal([]byte(definition), &stored); err != nil {
		return s, fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	s.Created, s.Changed, s.due, s.Settings = db.Time(created), db.Time(changed), db.Time(due), stored.settings()
	return s, nil
}

var errNone = errors.New("there is no such schedule")

func find(ctx context.Context, tx *db.Tx, p config.Place, group, name string) (Schedule, error) {
	row := tx.QueryRow(ctx, `SELECT `+columns+` FROM schedules WHERE account = ? AND region = ? AND grouping = ? AND name = ?`, p.Account, p.Region, group, name)
	s, err := scanSchedule(p, row.Scan)
	if errors.Is(err, db.ErrNoRows) {
		return s, errNone
	}
	return s, err
}

// Find returns a schedule, or the error ResourceNotFoundException.
func Find(ctx context.Context, tx *db.Tx, p config.Place, group, name string) (Schedule, error) {
	if _, err := FindGroup(ctx, tx, p, group); err != nil {
		return Schedule{}, err
	}
	s, err := find(ctx, tx, p, group, name)
	if errors.Is(err, errNone) {
		return s, schedulerapi.ResourceNotFoundException("Schedule %s does not exist.", name)
	}
	return s, err
}

// Create makes a schedule.
func (s *Scheduler) Create(ctx context.Context, tx *db.Tx, x Schedule) error {
	if err := check(x); err != nil {
		return err
	}
	if err := lock(ctx, tx, x); err != nil {
		return err
	}
	if _, err := FindGroup(ctx, tx, x.Place, x.Group); err != nil {
		return err
	}
	_, err := find(ctx, tx, x.Place, x.Group, x.Name)
	if err == nil {
		return schedulerapi.ConflictException("Schedule %s already exists.", x.Name)
	}
	if !errors.Is(err, errNone) {
		return err
	}
	x.Created = s.now()
	return s.begin(ctx, tx, x)
}

// Update replaces a schedule.
func (s *Scheduler) Update(ctx context.Context, tx *db.Tx, x Schedule) error {
	if err := check(x); err != nil {
		return err
	}
	if err := lock(ctx, tx, x); err != nil {
		return err
	}
	old, err := Find(ctx, tx, x.Place, x.Group, x.Name)
	if err != nil {
		return err
	}
	x.Created = old.Created
	return s.begin(ctx, tx, x)
}

func lock(ctx context.Context, tx *db.Tx, x Schedule) error { return tx.Lock(ctx, x.ARN()) }

// Delete removes a schedule.
func (s *Scheduler) Delete(ctx context.Context, tx *db.Tx, p config.Place, group, name string) error {
	x, err := Find(ctx, tx, p, group, name)
	if err != nil {
		return err
	}
	return remove(ctx, tx, x)
}

func remove(ctx context.Context, tx *db.Tx, x Schedule) error {
	_, err := tx.Exec(ctx, `DELETE FROM schedules WHERE account = ? AND region = ? AND grouping = ? AND name = ?`, x.Account, x.Region, x.Group, x.Name)
	return err
}

// A List asks for schedules: of a group, of a state, with a prefix; each may be empty.
type List struct{ Group, State, Prefix string }

// Schedules lists schedules of a place by group and name, those after a position that
// Position gave.
func Schedules(ctx context.Context, tx *db.Tx, p config.Place, l List, after string, limit int) (out []Schedule, err error) {
	if l.Group != "" {
		if _, err := FindGroup(ctx, tx, p, l.Group); err != nil {
			return nil, err
		}
	}
	group, name, _ := strings.Cut(after, "/")
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		s, err := scanSchedule(p, scan)
		out = append(out, s)
		return err
	}, `SELECT `+columns+` FROM schedules WHERE account = ? AND region = ? AND (grouping, name) > (?, ?)
		AND (? = '' OR grouping = ?) AND (? = '' OR state = ?) AND substr(name, 1, ?) = ? ORDER BY grouping, name LIMIT ?`,
		p.Account, p.Region, group, name, l.Group, l.Group, l.State, l.State, len(l.Prefix), l.Prefix, limit)
	return out, err
}

// Position is where a schedule stands in a list. Names have no slash.
func (s Schedule) Position() string { return s.Group + "/" + s.Name }

func check(s Schedule) error {
	if _, err := schedule.Parse(s.Expression); err != nil {
		return invalid("Invalid Schedule Expression %s.", s.Expression)
	}
	if _, err := s.zone(); err != nil {
		return invalid("Provided ScheduleExpressionTimezone %s is not valid.", s.Zone)
	}
	if !s.Start.IsZero() && !s.End.IsZero() && !s.End.After(s.Start) {
		return invalid("The EndDate you specify must come after the StartDate.")
	}
	return checkTarget(s.Target)
}

func (s Schedule) zone() (*time.Location, error) {
	if s.Zone == "Local" {
		return nil, errors.New("not the name of a time zone")
	}
	return time.LoadLocation(s.Zone)
}

func checkTarget(t Target) error {
	a, err := arn.Parse(t.ARN)
	if err != nil {
		return invalid("Provided Arn is not in correct format.")
	}
	switch {
	case a.Service == "lambda" && strings.HasPrefix(a.Resource, "function:"):
	case a.Service == "events" && strings.HasPrefix(a.Resource, "event-bus/"):
		if t.Source == "" || t.DetailType == "" {
			return invalid("EventBridgeParameters must be specified for a target that is an event bus.")
		}
		if strings.HasPrefix(t.Source, "aws.") {
			return invalid("Source must not begin with aws.")
		}
		var detail map[string]json.RawMessage
		if t.Input != "" && json.Unmarshal([]byte(t.Input), &detail) != nil {
			return invalid("Input must be a JSON object for a target that is an event bus.")
		}
		return nil
	case a.Service == "sns" && !strings.Contains(a.Resource, ":") && !strings.HasSuffix(a.Resource, ".fifo"):
	case a.Service == "sqs":
		if strings.HasSuffix(a.Resource, ".fifo") != (t.Group != "") {
			return invalid("SqsParameters with a MessageGroupId must be specified for a FIFO queue, and for no other target.")
		}
	default:
		return invalid("%s is not supported as a Target here: functions of Lambda, queues of SQS, standard topics of SNS and event buses are.", t.ARN)
	}
	if t.Source != "" || t.DetailType != "" {
		return invalid("EventBridgeParameters are for event buses only.")
	}
	if a.Service == "lambda" && t.Input != "" && !json.Valid([]byte(t.Input)) {
		return invalid("Invalid JSON in Input.")
	}
	if a, err := arn.Parse(t.DeadLetters); t.DeadLetters != "" && (err != nil || a.Service != "sqs") {
		return invalid("Provided Arn is not in correct format.")
	}
	return nil
}
