package topic

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
)

// A note is the JSON that subscribers get around a message.
type note struct {
	Type             string
	MessageID        string `json:"MessageId"`
	Token            string `json:",omitempty"`
	TopicARN         string `json:"TopicArn"`
	Subject          string `json:",omitempty"`
	Message          string
	SubscribeURL     string `json:",omitempty"`
	SequenceNumber   string `json:",omitempty"`
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
	UnsubscribeURL   string               `json:",omitempty"`
	Attributes       map[string]noteValue `json:"MessageAttributes,omitempty"`
}

type noteValue struct {
	Type  string
	Value string
}

func noteValues(a Attributes) map[string]noteValue {
	out := map[string]noteValue{}
	for name, v := range a {
		value := deref(v.StringValue)
		if strings.HasPrefix(deref(v.DataType), "Binary") {
			value = base64.StdEncoding.EncodeToString(v.BinaryValue)
		}
		out[name] = noteValue{deref(v.DataType), value}
	}
	return out
}

// unsigned fills in what every kind of message has, but for the signature.
func (s *Store) unsigned(d delivery, kind string) note {
	n := note{
		Type: kind, MessageID: d.m.ID, TopicARN: d.TopicARN(), Subject: d.m.Subject, Message: d.m.bodyFor(d.Protocol),
		Timestamp: config.FormatTime(d.published), SignatureVersion: d.version, Attributes: noteValues(d.m.Attributes),
	}
	if n.SignatureVersion == "" {
		n.SignatureVersion = "1"
	}
	if kind == "SubscriptionConfirmation" {
		n.Token = d.token
		n.Message = "You have chosen to subscribe to the topic " + n.TopicARN + ".\nTo confirm the subscription, visit the SubscribeURL included in this message."
		n.SubscribeURL = s.confirmLink(d)
	} else {
		n.UnsubscribeURL = s.unsubscribeLink(d)
	}
	return n
}

// note is a message of a kind, signed.
func (s *Store) note(ctx context.Context, tx *db.Tx, d delivery, kind string) (note, error) {
	n := s.unsigned(d, kind)
	key, err := s.signing(ctx, tx)
	if err != nil {
		return n, err
	}
	n.SigningCertURL = s.o.Endpoint() + key.path()
	n.Signature, err = key.sign(digested(n.SignatureVersion, n.signed()))
	return n, err
}

func (s *Store) confirmLink(d delivery) string {
	return s.link(url.Values{"Action": {"ConfirmSubscription"}, "TopicArn": {d.TopicARN()}, "Token": {d.token}})
}

func (s *Store) unsubscribeLink(d delivery) string {
	return s.link(url.Values{"Action": {"Unsubscribe"}, "SubscriptionArn": {d.ARN()}})
}

func (s *Store) link(v url.Values) string { return s.o.Endpoint() + "/?" + v.Encode() }

// signed is the text that the signature covers: names and values, a line each.
func (n note) signed() string {
	var b strings.Builder
	line := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	line("Message", n.Message)
	line("MessageId", n.MessageID)
	if n.Type == "Notification" {
		if n.Subject != "" {
			line("Subject", n.Subject)
		}
	} else {
		line("SubscribeURL", n.SubscribeURL)
	}
	line("Timestamp", n.Timestamp)
	if n.Type != "Notification" {
		line("Token", n.Token)
	}
	line("TopicArn", n.TopicARN)
	line("Type", n.Type)
	return b.String()
}

func (s *Store) envelope(ctx context.Context, tx *db.Tx, d delivery) ([]byte, error) {
	n, err := s.note(ctx, tx, d, "Notification")
	if err != nil {
		return nil, err
	}
	return encode(n, "  ")
}

func (s *Store) confirmation(ctx context.Context, tx *db.Tx, d delivery) ([]byte, error) {
	n, err := s.note(ctx, tx, d, "SubscriptionConfirmation")
	if err != nil {
		return nil, err
	}
	return encode(n, "  ")
}

func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// A functionNote is the same for functions, which spell some names otherwise
// and want a null for no subject.
type functionNote struct {
	Type             string
	MessageID        string `json:"MessageId"`
	TopicARN         string `json:"TopicArn"`
	Subject          *string
	Message          string
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string               `json:"SigningCertUrl"`
	UnsubscribeURL   string               `json:"UnsubscribeUrl"`
	Attributes       map[string]noteValue `json:"MessageAttributes"`
}

type functionRecord struct {
	EventSource          string
	EventVersion         string
	EventSubscriptionARN string       `json:"EventSubscriptionArn"`
	SNS                  functionNote `json:"Sns"`
}

func (s *Store) functionEvent(ctx context.Context, tx *db.Tx, d delivery) ([]byte, error) {
	n, err := s.note(ctx, tx, d, "Notification")
	if err != nil {
		return nil, err
	}
	return encode(map[string][]functionRecord{"Records": {{
		EventSource: "aws:sns", EventVersion: "1.0", EventSubscriptionARN: d.ARN(),
		SNS: functionNote{
			Type: n.Type, MessageID: n.MessageID, TopicARN: n.TopicARN, Subject: textOrNil(n.Subject), Message: n.Message, Timestamp: n.Timestamp,
			SignatureVersion: n.SignatureVersion, Signature: n.Signature, SigningCertURL: n.SigningCertURL, UnsubscribeURL: n.UnsubscribeURL,
			Attributes: n.Attributes,
		},
	}}}, "")
}
