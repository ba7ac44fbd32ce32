package queue

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model/sqsapi"
)

// The names of attributes that this package acts on.
const (
	delaySeconds      = "DelaySeconds"
	maximumSize       = "MaximumMessageSize"
	retention         = "MessageRetentionPeriod"
	waitSeconds       = "ReceiveMessageWaitTimeSeconds"
	visibilityTimeout = "VisibilityTimeout"
	redrivePolicy     = "RedrivePolicy"
	redriveAllow      = "RedriveAllowPolicy"
	fifoQueue         = "FifoQueue"
	contentBased      = "ContentBasedDeduplication"
	dedupScope        = "DeduplicationScope"
	throughputLimit   = "FifoThroughputLimit"
	policy            = "Policy"
	kmsKey            = "KmsMasterKeyId"
	kmsReuse          = "KmsDataKeyReusePeriodSeconds"
	managedSSE        = "SqsManagedSseEnabled"
)

// ranges are the attributes that are numbers, with what they may be.
func ranges() map[string][2]int {
	return map[string][2]int{
		delaySeconds: {0, 900}, maximumSize: {1024, 1 << 20}, retention: {60, 1209600}, waitSeconds: {0, 20},
		visibilityTimeout: {0, 43200}, kmsReuse: {60, 86400},
	}
}

func withDefaults(q Queue) map[string]string {
	out := map[string]string{
		delaySeconds: "0", maximumSize: "1048576", retention: "345600", waitSeconds: "0", visibilityTimeout: "30", managedSSE: "true",
	}
	if q.FIFO() {
		out[contentBased], out[dedupScope], out[throughputLimit] = "false", "queue", "perQueue"
	}
	if q.Attributes[kmsKey] != "" {
		out[managedSSE] = "false"
	}
	for k, v := range q.Attributes {
		if v != "" || !removable(k) {
			out[k] = v
		}
	}
	return out
}

func removable(name string) bool {
	return name == policy || name == redrivePolicy || name == redriveAllow || name == kmsKey
}

func invalidAttribute(name string) error {
	return sqsapi.InvalidAttributeValue("Invalid value for the parameter %s.", name)
}

// checkAttributes checks names and values as far as they can be checked alone.
func checkAttributes(q Queue, set map[string]string, create bool) error {
	for name, value := range set {
		if err := checkAttribute(q, name, value, create); err != nil {
			return err
		}
	}
	if create && q.FIFO() && set[fifoQueue] != "true" {
		return invalidValue("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	}
	return nil
}

func checkAttribute(q Queue, name, value string, create bool) error {
	if r, ok := ranges()[name]; ok {
		if n, err := strconv.Atoi(value); err != nil || n < r[0] || n > r[1] {
			return invalidAttribute(name)
		}
		return nil
	}
	ok := true
	switch name {
	case managedSSE:
		ok = value == "true" || value == "false"
	case contentBased:
		ok = q.FIFO() && (value == "true" || value == "false")
	case dedupScope:
		ok = q.FIFO() && (value == "queue" || value == "messageGroup")
	case throughputLimit:
		ok = q.FIFO() && (value == "perQueue" || value == "perMessageGroupId")
	case fifoQueue:
		if !create || value != "true" || !q.FIFO() {
			return sqsapi.InvalidAttributeName("Unknown Attribute %s.", name)
		}
	case policy:
		ok = value == "" || (strings.HasPrefix(strings.TrimSpace(value), "{") && json.Valid([]byte(value)))
	case redrivePolicy:
		_, err := parseRedrive(value)
		ok = value == "" || err == nil
	case redriveAllow:
		ok = value == "" || json.Valid([]byte(value))
	case kmsKey:
	default:
		return sqsapi.InvalidAttributeName("Unknown Attribute %s.", name)
	}
	if !ok {
		return invalidAttribute(name)
	}
	return nil
}

// sameAttributes wants what is asked for to be what the queue has.
func sameAttributes(old Queue, asked map[string]string) error {
	for k, v := range asked {
		if old.Attributes[k] != v && (v != "" || !removable(k)) {
			return sqsapi.QueueNameExists("A queue already exists with the same name and a different value for attribute %s", k)
		}
	}
	return nil
}

// A redrive says after how many receives a message goes to which queue.
type redrive struct {
	Target string      `json:"deadLetterTargetArn"`
	Max    json.Number `json:"maxReceiveCount"`
}

func parseRedrive(value string) (redrive, error) {
	var r redrive
	// Clients write the count as a number or as text.
	if err := json.Unmarshal([]byte(value), &r); err != nil {
		return r, err
	}
	if n, err := r.Max.Int64(); err != nil || n < 1 || n > 1000 {
		return r, invalidAttribute(redrivePolicy)
	}
	_, err := arn.Parse(r.Target)
	return r, err
}

func (q Queue) redrive() (redrive, bool) {
	r, err := parseRedrive(q.Attributes[redrivePolicy])
	return r, err == nil
}

func (r redrive) max() int64 {
	n, _ := r.Max.Int64()
	return n
}

// checkRedrive wants the dead letter queue to be there, at the same place, and
// of the same type.
func (s *Store) checkRedrive(ctx context.Context, tx *db.Tx, q Queue) error {
	r, ok := q.redrive()
	if !ok {
		return nil
	}
	target, err := ByARN(ctx, tx, r.Target)
	if err != nil || target.Place != q.Place {
		return invalidValue("Value %s for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.", q.Attributes[redrivePolicy])
	}
	if target.FIFO() != q.FIFO() {
		return invalidValue("Value %s for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be same type of queue as the source.", q.Attributes[redrivePolicy])
	}
	return nil
}

// seconds reads a duration attribute, which was checked when it was set.
func (q Queue) seconds(name string) time.Duration {
	n, _ := strconv.Atoi(q.Attributes[name])
	return time.Duration(n) * time.Second
}

func (q Queue) number(name string) int {
	n, _ := strconv.Atoi(q.Attributes[name])
	return n
}

// Wait is how long a receiver waits who does not say.
func (q Queue) Wait() time.Duration { return q.seconds(waitSeconds) }

// Described returns all attributes of a queue, the computed ones among them.
func (s *Store) Described(ctx context.Context, q Queue) (map[string]string, error) {
	out := maps.Clone(q.Attributes)
	out["QueueArn"] = q.ARN()
	out["CreatedTimestamp"] = strconv.FormatInt(q.Created.Unix(), 10)
	out["LastModifiedTimestamp"] = strconv.FormatInt(q.Modified.Unix(), 10)
	if q.FIFO() {
		out[fifoQueue] = "true"
	}
	var visible, flying, delayed int64
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		now := db.Micros(s.now())
		return tx.QueryRow(ctx, `SELECT count(CASE WHEN visible <= ? THEN 1 END), count(CASE WHEN visible > ? AND received > 0 THEN 1 END),
			count(CASE WHEN visible > ? AND received = 0 THEN 1 END) FROM queue_messages WHERE queue = ? AND expires > ?`,
			now, now, now, q.id, now).Scan(&visible, &flying, &delayed)
	})
	out["ApproximateNumberOfMessages"] = strconv.FormatInt(visible, 10)
	out["ApproximateNumberOfMessagesNotVisible"] = strconv.FormatInt(flying, 10)
	out["ApproximateNumberOfMessagesDelayed"] = strconv.FormatInt(delayed, 10)
	return out, err
}

// Exists reports whether there is a queue of that ARN.
func Exists(ctx context.Context, tx *db.Tx, queueARN string) (bool, error) {
	a, err := arn.Parse(queueARN)
	if err != nil {
		return false, nil
	}
	_, err = Find(ctx, tx, config.Place{Account: a.Account, Region: a.Region}, a.Resource)
	if isNoSuchQueue(err) {
		return false, nil
	}
	return err == nil, err
}
