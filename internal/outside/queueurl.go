package outside

import (
	"net/http"
	"net/url"
	"regexp"

	"plumb/internal/caller"
	"plumb/internal/config"
)

// Old clients of SQS send to the URL of a queue and not to their endpoint. A queue of
// the target therefore has a URL of ours, which is its own again when the request goes
// on.

// answersURLs are the operations whose answers hold URLs of queues. The text of
// messages is left alone.
var answersURLs = map[string]bool{
	"GetQueueUrl": true, "CreateQueue": true, "ListQueues": true, "ListDeadLetterSourceQueues": true,
}

var queueURL = regexp.MustCompile(`https?:(?:\\?/){2}[^/\\"<\s]+(\\?/\d{12}\\?/[\w.-]+)`)

func (o *Router) queueThere(w http.ResponseWriter, q *routed) error {
	if own := q.parameter("QueueUrl"); own != "" {
		theirs, err := o.theirQueueURL(q.r, own)
		if err != nil {
			return err
		}
		q.setParameter("QueueUrl", theirs)
	}
	if !answersURLs[q.operation] {
		o.send(w, q)
		return nil
	}
	a := &written{header: http.Header{}}
	o.send(a, q)
	a.replace(ourQueueURLs(q.r, a.body.Bytes()))
	a.copyTo(w)
	return nil
}

func (o *Router) theirQueueURL(r *http.Request, own string) (string, error) {
	who := caller.From(r.Context())
	p := config.Place{Account: who.Account, Region: who.Region}
	b, _, err := base(o.clients.settings.Place(p.Account, p.Region).Target, "sqs", p)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(own)
	if err != nil {
		return own, nil // the target says what is wrong with it
	}
	u.Scheme, u.Host = b.Scheme, b.Host
	return u.String(), nil
}

func ourQueueURLs(r *http.Request, body []byte) []byte {
	return queueURL.ReplaceAll(body, []byte(caller.From(r.Context()).Endpoint+"$1"))
}
