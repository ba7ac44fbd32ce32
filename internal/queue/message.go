package queue

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"plumb/internal/model"
	"plumb/internal/model/sqsapi"
)

// Attributes are the attributes that a sender gives to a message.
type Attributes = map[string]sqsapi.MessageAttributeValue

// A Message is one message of a queue.
type Message struct {
	ID       string
	Body     string
	Sent     time.Time
	Received int // how often
	First    time.Time
	Receipt  string // the handle of this receive
	Sequence string // of a FIFO queue's message
	details

	seq     int64
	expires int64
}

// details are what is kept of a message as JSON.
type details struct {
	Attributes Attributes `json:"attributes,omitempty"`
	Sender     string     `json:"sender,omitempty"`
	Trace      string     `json:"trace,omitempty"` // AWSTraceHeader
	Group      string     `json:"group,omitempty"`
	Dedup      string     `json:"dedup,omitempty"`
	Source     string     `json:"source,omitempty"` // the queue that it was a dead letter of
}

func isNoSuchQueue(err error) bool { return model.IsCode(err, "QueueDoesNotExist") }

// MD5 returns the digest of a body, as SQS answers it.
func MD5(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// MD5OfAttributes returns SQS's digest of message attributes, or "" for none:
// over names, types and values by name, each with its length before it.
func MD5OfAttributes(a Attributes) string {
	if len(a) == 0 {
		return ""
	}
	h := md5.New()
	part := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		v := a[name]
		kind := deref(v.DataType)
		part([]byte(name))
		part([]byte(kind))
		if strings.HasPrefix(kind, "Binary") {
			h.Write([]byte{2})
			part(v.BinaryValue)
		} else {
			h.Write([]byte{1})
			part([]byte(deref(v.StringValue)))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// checkBody wants text that XML can carry.
func checkBody(body string) error {
	if body == "" {
		return missing("MessageBody")
	}
	for i, r := range body {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(body[i:]); size == 1 {
				return badContents()
			}
		}
		if (r < 0x20 && r != '\t' && r != '\n' && r != '\r') || r == 0xFFFE || r == 0xFFFF {
			return badContents()
		}
	}
	return nil
}

func badContents() error {
	return sqsapi.InvalidMessageContents("Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
}

func checkMessageAttributes(a Attributes) error {
	if len(a) > 10 {
		return invalidValue("Number of message attributes [%d] exceeds the allowed maximum [10].", len(a))
	}
	for name, v := range a {
		kind := deref(v.DataType)
		base, _, _ := strings.Cut(kind, ".")
		switch {
		case name == "" || len(name) > 256 || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, ".."):
			return invalidValue("The message attribute name '%s' is invalid.", name)
		case strings.HasPrefix(strings.ToUpper(name), "AWS.") || strings.HasPrefix(strings.ToUpper(name), "AMAZON."):
			return invalidValue("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use.")
		case kind == "":
			return invalidValue("The message attribute '%s' must contain a non-empty message attribute type.", name)
		case base != "String" && base != "Number" && base != "Binary":
			return invalidValue("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		case base == "Binary" && len(v.BinaryValue) == 0, base != "Binary" && deref(v.StringValue) == "":
			return invalidValue("The message attribute '%s' must contain a non-empty message attribute value for message attribute type '%s'.", name, kind)
		}
		if base == "Number" {
			if _, err := strconv.ParseFloat(*v.StringValue, 64); err != nil {
				return invalidValue("Can't cast the value of message (user) attribute '%s' to a number.", name)
			}
		}
	}
	return nil
}

// size is what a message counts for: its body and its attributes.
func size(body string, a Attributes) int {
	n := len(body)
	for name, v := range a {
		n += len(name) + len(deref(v.DataType)) + len(deref(v.StringValue)) + len(v.BinaryValue)
	}
	return n
}

var errSpelling = errors.New("not as it was given out")

// A receipt handle names the message and the receive.
func encodeReceipt(queue, seq int64, nonce string) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", queue, seq, nonce))
}

func decodeReceipt(handle string) (queue, seq int64, nonce string, err error) {
	b, err := base64.StdEncoding.DecodeString(handle)
	if err == nil && base64.StdEncoding.EncodeToString(b) != handle {
		err = errSpelling
	}
	if err == nil {
		_, err = fmt.Sscanf(string(b), "%d %d %s", &queue, &seq, &nonce)
	}
	if err != nil {
		return 0, 0, "", sqsapi.ReceiptHandleIsInvalid("The input receipt handle \"%s\" is not a valid receipt handle.", handle)
	}
	return queue, seq, nonce, nil
}

// sequence is a FIFO queue's spelling of a sequence number.
func sequence(seq int64) string { return fmt.Sprintf("%020d", seq) }
