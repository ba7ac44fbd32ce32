package ses

import (
	"bytes"
	"mime"
	"net/mail"
	"strings"
	"time"
)

// maxHeaders is how many bytes of headers an event has.
const maxHeaders = 10 << 10

// timeForm is that of times in events.
const timeForm = "2006-01-02T15:04:05.000Z"

type event struct {
	Records []record `json:"Records"`
}

type record struct {
	Source  string `json:"eventSource"`
	Version string `json:"eventVersion"`
	SES     note   `json:"ses"`
}

// A note is what functions and topics are told of a mail.
type note struct {
	Type    string   `json:"notificationType,omitempty"` // for topics: Received
	Mail    mailNote `json:"mail"`
	Receipt receipt  `json:"receipt"`
	Content *string  `json:"content,omitempty"` // for the action that sends the mail to a topic
}

type mailNote struct {
	Timestamp   string        `json:"timestamp"`
	Source      string        `json:"source"`
	ID          string        `json:"messageId"`
	Destination []string      `json:"destination"`
	Truncated   bool          `json:"headersTruncated"`
	Headers     []header      `json:"headers"`
	Common      commonHeaders `json:"commonHeaders"`
}

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type commonHeaders struct {
	ReturnPath string   `json:"returnPath"`
	From       []string `json:"from,omitempty"`
	Sender     string   `json:"sender,omitempty"`
	ReplyTo    []string `json:"replyTo,omitempty"`
	Date       string   `json:"date,omitempty"`
	To         []string `json:"to,omitempty"`
	Cc         []string `json:"cc,omitempty"`
	Bcc        []string `json:"bcc,omitempty"`
	ID         string   `json:"messageId,omitempty"`
	Subject    string   `json:"subject,omitempty"`
}

type receipt struct {
	Timestamp  string     `json:"timestamp"`
	Millis     int64      `json:"processingTimeMillis"`
	Recipients []string   `json:"recipients"`
	Spam       verdict    `json:"spamVerdict"`
	Virus      verdict    `json:"virusVerdict"`
	SPF        verdict    `json:"spfVerdict"`
	DKIM       verdict    `json:"dkimVerdict"`
	DMARC      verdict    `json:"dmarcVerdict"`
	Policy     string     `json:"dmarcPolicy,omitempty"`
	Action     actionNote `json:"action"`
}

type verdict struct {
	Status string `json:"status"`
}

type actionNote struct {
	Type       string `json:"type"`
	Topic      string `json:"topicArn,omitempty"`
	Bucket     string `json:"bucketName,omitempty"`
	Prefix     string `json:"objectKeyPrefix,omitempty"`
	Key        string `json:"objectKey,omitempty"`
	KMSKey     string `json:"kmsKeyArn,omitempty"`
	Encoding   string `json:"encoding,omitempty"`
	Function   string `json:"functionArn,omitempty"`
	Invocation string `json:"invocationType,omitempty"`
	ReplyCode  string `json:"smtpReplyCode,omitempty"`
	Status     string `json:"statusCode,omitempty"`
	Message    string `json:"message,omitempty"`
	Sender     string `json:"sender,omitempty"`
	Scope      string `json:"scope,omitempty"`
}

// disabled is the verdict on what nobody looked for.
const disabled = "DISABLED"

// noteOf is what is told of a step of a mail.
func noteOf(l letter, s step, text []byte, now time.Time) note {
	a, v := s.Action, *l.Verdicts
	n := note{
		Mail: mailNote{Timestamp: l.Received.UTC().Format(timeForm), Source: l.Envelope.From, ID: l.ID, Destination: l.Envelope.To},
		Receipt: receipt{
			Timestamp: l.Received.UTC().Format(timeForm), Millis: max(0, now.Sub(l.Received).Milliseconds()), Recipients: s.To,
			Spam: verdict{v.Spam}, Virus: verdict{v.Virus}, SPF: verdict{v.SPF}, DKIM: verdict{v.DKIM}, DMARC: verdict{v.DMARC}, Policy: v.Policy,
			Action: actionNote{
				Type: a.Type, Topic: a.Topic, Bucket: a.Bucket, Prefix: a.Prefix, KMSKey: a.KMSKey, Encoding: a.Encoding, Function: a.Function,
				Invocation: a.Invocation, ReplyCode: a.ReplyCode, Status: a.Status, Message: a.Message, Sender: a.Sender,
			},
		},
	}
	if !s.Scan {
		n.Receipt.Spam.Status, n.Receipt.Virus.Status = disabled, disabled
	}
	switch a.Type {
	case ActionS3:
		n.Receipt.Action.Key = a.Prefix + l.ID
	case ActionStop:
		n.Receipt.Action.Scope = scopeRuleSet
	}
	all := append([]header{{"Return-Path", "<" + l.Envelope.From + ">"}}, headersOf([]byte(l.Added+string(headerPart(text))))...)
	n.Mail.Headers, n.Mail.Truncated = truncate(all)
	n.Mail.Common = common(l.Envelope.From, all)
	return n
}

// headerPart returns the headers of a mail.
func headerPart(text []byte) []byte {
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if head, _, ok := bytes.Cut(text, []byte(end)); ok {
			return append(bytes.Clone(head), '\n')
		}
	}
	return text
}

// headersOf reads headers in their order, each in one line.
func headersOf(head []byte) (out []header) {
	for line := range strings.Lines(string(head)) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && (line[0] == ' ' || line[0] == '\t') && len(out) > 0 {
			out[len(out)-1].Value += " " + strings.TrimSpace(line)
			continue
		}
		if name, value, ok := strings.Cut(line, ":"); ok && name != "" && !strings.ContainsAny(name, " \t") {
			out = append(out, header{strings.ToValidUTF8(name, "\uFFFD"), strings.ToValidUTF8(strings.TrimSpace(value), "\uFFFD")})
		}
	}
	return out
}

func truncate(all []header) (out []header, truncated bool) {
	size := 0
	for i, h := range all {
		if size += len(h.Name) + len(h.Value); size > maxHeaders {
			return all[:i], true
		}
	}
	return all, false
}

// decode reads the encoded words of a header.
func decode(text string) string {
	d := mime.WordDecoder{}
	if out, err := d.DecodeHeader(text); err == nil {
		return out
	}
	return text
}

// common are the headers that clients usually want.
func common(returnPath string, all []header) commonHeaders {
	c := commonHeaders{ReturnPath: returnPath}
	lists := map[string]*[]string{"from": &c.From, "reply-to": &c.ReplyTo, "to": &c.To, "cc": &c.Cc, "bcc": &c.Bcc}
	texts := map[string]*string{"sender": &c.Sender, "date": &c.Date, "message-id": &c.ID, "subject": &c.Subject}
	for _, h := range all {
		name := strings.ToLower(h.Name)
		if list := lists[name]; list != nil && *list == nil {
			*list = addresses(h.Value)
		}
		if text := texts[name]; text != nil && *text == "" {
			*text = decode(h.Value)
		}
	}
	return c
}

// addresses reads a list of addresses as people see them.
func addresses(text string) (out []string) {
	list, err := mail.ParseAddressList(text)
	if err != nil {
		return []string{decode(text)}
	}
	for _, a := range list {
		switch {
		case a.Name == "":
			out = append(out, a.Address)
		case strings.ContainsAny(a.Name, `",<>@:;()[]\`):
			out = append(out, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name)+`" <`+a.Address+">")
		default:
			out = append(out, a.Name+" <"+a.Address+">")
		}
	}
	return out
}
