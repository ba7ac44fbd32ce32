package sns

import (
	"encoding/xml"
	"errors"
	"log/slog"
	"net/http"

	"plumb/internal/arn"
	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/model"
	"plumb/internal/topic"
)

// IsPage reports whether a request is for what SNS shows to anybody: the
// certificate, or a link in a message. Such a request carries no signature.
func IsPage(r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	q := r.URL.Query()
	link := q.Get("Action") == "ConfirmSubscription" || q.Get("Action") == "Unsubscribe"
	return topic.IsCertificate(r.URL.Path) || (r.URL.Path == "/" && link && !q.Has("X-Amz-Signature"))
}

// A Note is told of a link that was followed, and changed something or was refused. A nil
// one is told nothing.
type Note func(r *http.Request, who caller.Caller, e audit.Event)

// Pages serves what IsPage recognizes.
func Pages(log *slog.Logger, store *topic.Store, note Note) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if topic.IsCertificate(r.URL.Path) {
			store.ServeCertificate(w, r)
			return
		}
		q := r.URL.Query()
		var answer linkAnswer
		var err error
		var changed bool
		about := q.Get("SubscriptionArn")
		switch q.Get("Action") {
		case "ConfirmSubscription":
			var sub topic.Subscription
			sub, changed, err = store.Confirm(r.Context(), q.Get("TopicArn"), q.Get("Token"))
			if about = sub.ARN(); err != nil {
				about = q.Get("TopicArn")
			}
			answer = linkAnswer{XMLName: xml.Name{Space: namespace, Local: "ConfirmSubscriptionResponse"}, ARN: sub.ARN()}
		default:
			changed, err = store.Unsubscribe(r.Context(), about)
			answer = linkAnswer{XMLName: xml.Name{Space: namespace, Local: "UnsubscribeResponse"}}
		}
		if err != nil && !errors.As(err, new(*model.Error)) {
			log.ErrorContext(r.Context(), "request failed", "operation", q.Get("Action"), "err", err)
		}
		if note != nil && (changed || err != nil) {
			note(r, caller.Caller{}, eventOf(q.Get("Action"), about, err))
		}
		write(w, answer, err)
	})
}

// eventOf describes a link that was followed. Of one that was not good the ARN may be
// anything: it names nobody's account.
func eventOf(action, about string, err error) audit.Event {
	e := audit.Event{Service: "sns", Operation: action, Resources: []string{about[:min(len(about), maxARN)]}}
	if err != nil {
		named, _ := model.Named(err)
		e.Code, e.Message = named.Code, named.Message
		return e
	}
	if a, err := arn.Parse(about); err == nil {
		e.Place = config.Place{Account: a.Account, Region: a.Region}
	}
	return e
}

// maxARN bounds what is told of an ARN that nobody checked.
const maxARN = 512

const namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

type linkAnswer struct {
	XMLName xml.Name
	ARN     string `xml:"ConfirmSubscriptionResult>SubscriptionArn,omitempty"`
}

type linkError struct {
	XMLName xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ ErrorResponse"`
	Type    string   `xml:"Error>Type"`
	Code    string   `xml:"Error>Code"`
	Message string   `xml:"Error>Message"`
}

func write(w http.ResponseWriter, answer any, err error) {
	status := http.StatusOK
	if err != nil {
		e, _ := model.Named(err)
		answer, status = linkError{Type: "Sender", Code: e.Code, Message: e.Message}, e.Status
	}
	b, err := xml.Marshal(answer)
	if err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may be gone
}
