package stack

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/awsclient"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/template"
)

// isCustom reports whether a resource is made by somebody's function.
func isCustom(typ string) bool {
	return strings.HasPrefix(typ, "Custom::") || typ == "AWS::CloudFormation::CustomResource"
}

// AnswerPath is below which path a server must serve Answer.
const AnswerPath = "/_plumb/stack-response/"

// maxAnswer is how many bytes the answer for a custom resource may have.
const maxAnswer = 4096

// longestWait is how long an answer is waited for, unless the template says less.
const longestWait = time.Hour

// A silence is the job that gives up waiting for an answer.
type silence struct {
	Stack      string `json:"stack"`
	ID         string `json:"id"`
	Generation int    `json:"generation,omitempty"`
	Mark       string `json:"mark"`
	Token      string `json:"token"`
}

// Kind names the job.
func (silence) Kind() string { return "stack.silence" }

// A customRequest is what the function of a custom resource is sent.
type customRequest struct {
	RequestType           string         `json:"RequestType"`
	ServiceToken          string         `json:"ServiceToken"`
	ResponseURL           string         `json:"ResponseURL"`
	StackId               string         `json:"StackId"`
	RequestId             string         `json:"RequestId"`
	LogicalResourceId     string         `json:"LogicalResourceId"`
	PhysicalResourceId    string         `json:"PhysicalResourceId,omitempty"`
	ResourceType          string         `json:"ResourceType"`
	ResourceProperties    map[string]any `json:"ResourceProperties"`
	OldResourceProperties map[string]any `json:"OldResourceProperties,omitempty"`
}

// ask sends the request for a custom resource, and has its answer waited for.
func (s *Stacks) ask(ctx context.Context, st Stack, r Resource) error {
	q := customRequest{
		StackId: st.ID, RequestId: r.Token, LogicalResourceId: r.ID, ResourceType: r.Type, PhysicalResourceId: r.Physical, ResourceProperties: asTexts(r.Properties),
	}
	switch r.Do {
	case doCreate:
		q.RequestType, q.PhysicalResourceId = "Create", ""
	case doUpdate:
		q.RequestType, q.OldResourceProperties = "Update", asTexts(r.Previous.Properties)
	case doRevert:
		q.RequestType, q.ResourceProperties, q.OldResourceProperties = "Update", asTexts(r.Previous.Properties), asTexts(r.Properties)
	case doDelete:
		if q.RequestType = "Delete"; r.Physical == "" {
			q.PhysicalResourceId = r.Name // its creation failed: there may be something
		}
	}
	q.ServiceToken, _ = q.ResourceProperties["ServiceToken"].(string)
	limit, err := checkCustom(q)
	if err != nil && r.Do == doDelete {
		return s.end(ctx, st, r, nil) // nobody was ever asked to make it
	}
	if err != nil {
		return s.end(ctx, st, r, err)
	}
	secret := rand.Text() + rand.Text()
	ok, err := s.expect(ctx, st, r, secret, limit)
	if err != nil || !ok {
		return err
	}
	q.ResponseURL = s.AnswerAt() + AnswerPath + secret
	if err := s.deliver(ctx, st, q); err != nil {
		if e, ok := errors.AsType[*awsclient.Error](err); ok {
			r.Called = r.Do != doCreate // it was not made: a rollback need not delete it
			return s.end(ctx, st, r, errors.New(e.Message))
		}
		return err
	}
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		ok, err := s.holds(ctx, tx, &st, r)
		if err != nil || !ok {
			return err // it was answered already
		}
		r.State = waiting
		return putResource(ctx, tx, st, r)
	})
}

// checkCustom returns how long an answer is waited for.
func checkCustom(q customRequest) (time.Duration, error) {
	old, _ := q.OldResourceProperties["ServiceToken"].(string)
	switch {
	case q.ServiceToken == "":
		return 0, because("Missing ServiceToken property")
	case old != "" && old != q.ServiceToken:
		return 0, because("Modifying service token is not allowed.")
	}
	given, ok := q.ResourceProperties["ServiceTimeout"]
	if !ok {
		return longestWait, nil
	}
	text, _ := given.(string)
	n, err := strconv.Atoi(text)
	if limit := time.Duration(n) * time.Second; err == nil && n > 0 && limit <= longestWait {
		return limit, nil
	}
	return 0, because("Invalid ServiceTimeout %s: a whole number of seconds from 1 to 3600 is wanted", text)
}

// asTexts makes all scalars texts, as CloudFormation sends them.
func asTexts(m map[string]any) map[string]any {
	out, _ := asText(m).(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	return out
}

func asText(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = asText(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = asText(item)
		}
		return out
	}
	if text, ok := template.Text(v); ok {
		return text
	}
	return v
}

// keyOf is what a secret in a ResponseURL is kept as.
func keyOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// expect notes that an answer is waited for. An attempt that was cut off may have
// sent its own address, which goes on working.
func (s *Stacks) expect(ctx context.Context, st Stack, r Resource, secret string, limit time.Duration) (ok bool, err error) {
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		if ok, err = s.holds(ctx, tx, &st, r); err != nil || !ok {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO stack_answer (secret, stack, id, generation, mark, token) VALUES (?, ?, ?, ?, ?, ?)`,
			keyOf(secret), st.ID, r.ID, r.Generation, r.Mark, r.Token)
		if err != nil {
			return err
		}
		end := silence{Stack: st.ID, ID: r.ID, Generation: r.Generation, Mark: r.Mark, Token: r.Token}
		return s.Jobs.Insert(ctx, tx, end, job.Options{At: s.Now().Add(limit)})
	})
	return ok, err
}

// deliver hands a request to the function or the topic that makes the resource.
func (s *Stacks) deliver(ctx context.Context, st Stack, q customRequest) error {
	payload, err := json.Marshal(q)
	if err != nil {
		return err
	}
	call := func(service, operation string, in map[string]any) error {
		_, err := s.Call(ctx, st.caller(), service, operation, in)
		return err
	}
	switch a, err := arn.Parse(q.ServiceToken); {
	case err == nil && a.Service == "lambda":
		return call("lambda", "Invoke", map[string]any{"FunctionName": q.ServiceToken, "InvocationType": "Event", "Payload": payload})
	case err == nil && a.Service == "sns":
		return call("sns", "Publish", map[string]any{
			"TopicArn": q.ServiceToken, "Subject": "AWS CloudFormation custom resource request", "Message": string(payload)})
	}
	return &awsclient.Error{Code: "ValidationError", Status: 400, Message: "Invalid service token."}
}

// An answer is what a function says of the custom resource that it made.
type answer struct {
	Status, Reason, PhysicalResourceId, StackId, RequestId, LogicalResourceId string
	NoEcho                                                                    bool
	Data                                                                      map[string]any
}

// ErrNoAnswer says that nobody waits for an answer at an address, or no more.
var ErrNoAnswer = errors.New("nobody waits for this answer")

// Answer takes the answer for a custom resource, once. secret is the end of the
// address.
func (s *Stacks) Answer(ctx context.Context, secret string, body []byte) (stackID string, err error) {
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		var q silence
		err := tx.QueryRow(ctx, `SELECT stack, id, generation, mark, token FROM stack_answer WHERE secret = ?`, keyOf(secret)).
			Scan(&q.Stack, &q.ID, &q.Generation, &q.Mark, &q.Token)
		if errors.Is(err, db.ErrNoRows) {
			return ErrNoAnswer
		}
		if err != nil {
			return err
		}
		stackID = q.Stack
		if q.Mark == handleMark {
			return s.signalled(ctx, tx, q.Stack, q.ID, body)
		}
		st, r, ok, err := s.awaited(ctx, tx, q)
		if err != nil {
			return err
		}
		if !ok {
			return ErrNoAnswer
		}
		a, failure := readAnswer(body, st, r)
		return s.answered(ctx, tx, st, r, a, failure)
	})
	return stackID, err
}

// awaited returns the resource that an answer is for, if it is still waited for.
func (s *Stacks) awaited(ctx context.Context, tx *db.Tx, q silence) (st Stack, r Resource, ok bool, err error) {
	if st, ok, err = s.locked(ctx, tx, q.Stack, q.Mark); err != nil || !ok {
		return st, r, false, err
	}
	r, err = resourceOf(ctx, tx, q.Stack, q.ID, q.Generation)
	if errors.Is(err, errNotFound) {
		return st, r, false, nil
	}
	return st, r, err == nil && r.Mark == q.Mark && r.Token == q.Token && (r.State == asked || r.State == waiting), err
}

// readAnswer returns what is wrong with an answer, or what it says is.
func readAnswer(body []byte, st Stack, r Resource) (a answer, failure error) {
	if len(body) > maxAnswer {
		return a, because("Response object is too long.")
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&a); err != nil {
		return a, because("Invalid response object: it is not JSON of the form that is wanted.")
	}
	switch {
	case a.StackId != st.ID || a.RequestId != r.Token || a.LogicalResourceId != r.ID:
		return a, because("Invalid response object: StackId, RequestId and LogicalResourceId must be those of the request.")
	case a.Status == "FAILED":
		return a, because("Received response status [FAILED] from custom resource. Message returned: %s (RequestId: %s)", a.Reason, r.Token)
	case a.Status != "SUCCESS":
		return a, because("Invalid response object: Value of property Status must be SUCCESS or FAILED.")
	case strings.ContainsRune(a.PhysicalResourceId, 0) || len(a.PhysicalResourceId) > 1024 || a.PhysicalResourceId == "" && r.Do != doDelete:
		return a, because("Invalid PhysicalResourceId")
	}
	return a, nil
}

// answered ends the task of a custom resource.
func (s *Stacks) answered(ctx context.Context, tx *db.Tx, st Stack, r Resource, a answer, failure error) error {
	if _, err := tx.Exec(ctx, `DELETE FROM stack_answer WHERE stack = ? AND token = ?`, st.ID, r.Token); err != nil {
		return err
	}
	if r.Do == doDelete || failure != nil {
		if id := a.PhysicalResourceId; r.Do == doCreate && id != "" && len(id) <= 1024 && !strings.ContainsRune(id, 0) {
			r.Physical = a.PhysicalResourceId // what a rollback deletes
		}
		return s.endIn(ctx, tx, st, r, failure)
	}
	got := map[string]any{}
	flatten(got, "", a.Data)
	if r.Do != doRevert {
		if r.Do == doCreate {
			r.Physical, r.Reason = a.PhysicalResourceId, "Resource creation Initiated"
			if err := s.resourceEvent(ctx, tx, st, r); err != nil {
				return err
			}
		}
		r.Physical, r.Attributes = a.PhysicalResourceId, got
		return s.endIn(ctx, tx, st, r, nil)
	}
	if r.Physical != a.PhysicalResourceId {
		rows, err := resourcesOf(ctx, tx, st.ID)
		if err != nil {
			return err
		}
		if err := s.leaveBehind(ctx, tx, st, rows, r, r.Made, ""); err != nil {
			return err
		}
	}
	r.Previous = new(*r.Previous)
	r.Previous.Physical, r.Previous.Attributes = a.PhysicalResourceId, got
	return s.endIn(ctx, tx, st, r, nil)
}

// flatten keeps the members of Data by the names that Fn::GetAtt has for them.
func flatten(into map[string]any, prefix string, v map[string]any) {
	for k, item := range maps.All(v) {
		if m, ok := item.(map[string]any); ok {
			flatten(into, prefix+k+".", m)
		}
		into[prefix+k] = item
	}
}

// doSilence fails a custom resource that nobody answered for.
func (s *Stacks) doSilence(ctx context.Context, tx *db.Tx, j job.Job[silence]) error {
	st, r, ok, err := s.awaited(ctx, tx, j.Args)
	if err != nil || !ok {
		return err
	}
	if r.Type == conditionType {
		return s.expired(ctx, tx, st, r)
	}
	return s.answered(ctx, tx, st, r, answer{}, because("CloudFormation did not receive a response from your Custom Resource. "+
		"Please check your logs for requestId [%s]. If you are using the Python cfn-response module, you may need to update your Lambda function code "+
		"so that CloudFormation can attach the updated version.", r.Token))
}
