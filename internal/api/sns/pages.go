package sns

import (
	"encoding/xml"
	"errors"
	"log/slog"
	"net/http"

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

// Pages serves what IsPage recognizes.
func Pages(log *slog.Logger, store *topic.Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if topic.IsCertificate(r.URL.Path) {
			store.ServeCertificate(w, r)
			return
		}
		q := r.URL.Query()
		var answer linkAnswer
		var err error
		switch q.Get("Action") {
		case "ConfirmSubscription":
			var sub topic.Subscription
			sub, err = store.Confirm(r.Context(), q.Get("TopicArn"), q.Get("Token"))
			answer = linkAnswer{XMLName: xml.Name{Space: namespace, Local: "ConfirmSubscriptionResponse"}, ARN: sub.ARN()}
		default:
			err = store.Unsubscribe(r.Context(), q.Get("SubscriptionArn"))
			answer = linkAnswer{XMLName: xml.Name{Space: namespace, Local: "UnsubscribeResponse"}}
		}
		if err != nil && !errors.As(err, new(*model.Error)) {
			log.ErrorContext(r.Context(), "request failed", "operation", q.Get("Action"), "err", err)
		}
		write(w, answer, err)
	})
}

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
