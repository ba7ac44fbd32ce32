package walltest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
	"plumb/internal/db/dbtest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/model"
	"plumb/internal/settings"
	"plumb/models"
)

// Alice's account is to be protected from Bob's.
const (
	alice, bob = "111111111111", "222222222222"
	secret     = "alice-secret"
)

func TestNoOperationReachesWhatIsAnothersAccounts(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { try(t, "sqlite:"+filepath.Join(dbtest.Folder(t), "plumb.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { try(t, dbtest.PostgresURL(t)) })
}

func try(t *testing.T, database string) {
	needPython(t) // functions are invoked
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Mode, s.Database = settings.Server, database
		s.AccessKeys = []settings.AccessKey{
			{ID: "AKIAALICE", Secret: "any", Account: alice, User: "alice"}, {ID: "AKIABOB", Secret: "any", Account: bob, User: "bob"},
		}
	})
	p.Clock().Freeze(time.Now())
	w := newWorld(t, p)
	w.each(isRead, func(c call) {
		w.call(w.bob, c)
		w.public += strings.ReplaceAll(plain(w.bob.body), alice, "")
	})
	w.build()
	before := rows(t, database)
	for _, name := range []string{"reads", "changes", "creations", "reads again", "changes again"} {
		w.attack(name)
		p.Drain(t)
		w.unchanged(name, before, rows(t, database))
	}
	w.strength()
}

// A call is an operation with an input.
type call struct {
	service, operation string
	in                 map[string]any
}

func (c call) String() string { return fmt.Sprint(c.service, " ", c.operation, " ", text(c.in)) }

func text(in map[string]any) string {
	b, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// A world is what two accounts do to one server.
type world struct {
	t          *testing.T
	p          *apptest.Plumb
	models     *awsclient.Models
	built      []served
	nouns      *nouns
	made       []call // that Alice made and were answered
	public     string // what Bob reads of a world in which nobody has anything
	sent       string // what Bob's calls named which changed something, and their answers
	tried      []call // by Bob
	alice, bob *session
}

type served struct {
	service    string
	operations []string
}

// A session is one account's client, with the latest answer as it came.
type session struct {
	*awsclient.Client
	status int
	body   []byte
}

func newWorld(t *testing.T, p *apptest.Plumb) *world {
	w := &world{t: t, p: p, models: awsclient.NewModels(models.FS), built: builtOperations(t), nouns: newNouns()}
	w.alice, w.bob = w.as("AKIAALICE"), w.as("AKIABOB")
	return w
}

func (w *world) as(key string) *session {
	s := &session{}
	s.Client = awsclient.New(awsclient.Options{
		Region: "us-east-1", Endpoint: w.p.URL(), Credentials: awsclient.Static(key, "any", ""), Models: w.models, Attempts: 1,
		Trace: func(e awsclient.Exchange) { s.status, s.body = e.Status, e.Body }, Now: w.p.Clock().Now,
	})
	return s
}

var (
	serviceLine = regexp.MustCompile(`^## .*\(([\w-]+) [-0-9]+\)$`)
	quotedName  = regexp.MustCompile("`(\\w+)`")
)

// builtOperations reads docs/coverage.md, which another test keeps fresh.
func builtOperations(t *testing.T) (out []served) {
	t.Helper()
	b, err := os.ReadFile("../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if m := serviceLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			out = append(out, served{service: m[1]})
		}
		if names, ok := strings.CutPrefix(line, "Built: "); ok {
			for _, m := range quotedName.FindAllStringSubmatch(names, -1) {
				out[len(out)-1].operations = append(out[len(out)-1].operations, m[1])
			}
		}
	}
	if len(out) == 0 {
		t.Fatal("docs/coverage.md lists nothing")
	}
	return out
}

func (w *world) operation(service, name string) *model.Operation {
	api, err := w.models.API(service)
	if err != nil {
		w.t.Fatal(err)
	}
	op := api.Operations[name]
	if op == nil {
		w.t.Fatalf("models/%s.json has no operation %s, which is served", service, name)
	}
	return op
}

// build makes what is to be protected: first what is written down, then what generated
// calls make, and reads all of it, so that its nouns are known.
func (w *world) build() {
	w.written()
	w.p.Drain(w.t)
	for range 2 {
		w.each(isRead, func(c call) { w.own(c) })
	}
	w.each(isCreation, func(c call) { w.own(c) })
	w.p.Drain(w.t)
	w.each(isRead, func(c call) { w.own(c) })
}

var placeholder = regexp.MustCompile(`\$\{[\w:-]+\}`)

func (w *world) written() {
	b, err := os.ReadFile("testdata/world.txt")
	if err != nil {
		w.t.Fatal(err)
	}
	code := base64.StdEncoding.EncodeToString(lambdatest.Zip(w.t, "f.py", []byte("def h(e, c): return 1\n")))
	for line := range strings.Lines(string(b)) {
		parts := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(parts) < 3 || parts[0] == "#" {
			continue
		}
		c := call{service: parts[0], operation: parts[1]}
		filled := placeholder.ReplaceAllStringFunc(parts[2], func(s string) string {
			name, service := s[2:len(s)-1], c.service
			switch name {
			case "code":
				return code
			case "now":
				return fmt.Sprint(w.p.Clock().Now().UnixMilli())
			}
			if of, member, ok := strings.Cut(name, ":"); ok {
				service, name = of, member
			}
			return w.nouns.latest(service, name)
		})
		if err := json.Unmarshal([]byte(filled), &c.in); err != nil {
			w.t.Fatalf("%s: %v", line, err)
		}
		if err := w.own(c); err != nil {
			w.t.Errorf("testdata/world.txt: %s: %v", c, err)
		}
		if c.service == "cloudformation" || c.service == "config" {
			w.p.Drain(w.t)
		}
	}
}

// own makes a call as Alice and keeps what it named and was answered.
func (w *world) own(c call) error {
	out, err := w.call(w.alice, c)
	if err != nil {
		return err
	}
	op := w.operation(c.service, c.operation)
	w.nouns.read(c.service, c.operation, op.Input, c.in)
	w.nouns.read(c.service, c.operation, op.Output, out)
	if !slices.ContainsFunc(w.made, func(m call) bool { return m.String() == c.String() }) {
		w.made = append(w.made, c)
	}
	return nil
}

func isRead(operation string) bool {
	for _, verb := range []string{"Get", "List", "Describe", "Select", "BatchGet", "Filter", "Test", "Validate", "Simulate", "Search", "Head"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

func isCreation(operation string) bool {
	for _, verb := range []string{"Create", "Put", "Register", "Verify", "Enable"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

func isChange(operation string) bool { return !isRead(operation) && !isCreation(operation) }

// rounds are how many of the nouns that fit a member are tried.
const rounds = 3

// each makes the calls of all operations of a kind that the generator knows: as the
// account itself made them, and filled with its nouns.
func (w *world) each(kind func(string) bool, do func(call)) {
	for _, s := range w.built {
		for _, name := range s.operations {
			if !kind(name) {
				continue
			}
			op, seen := w.operation(s.service, name), map[string]bool{}
			once := func(in map[string]any) {
				if key := text(in); !seen[key] {
					seen[key] = true
					do(call{s.service, name, in})
				}
			}
			for _, m := range slices.Clone(w.made) {
				if m.service == s.service && m.operation == name && len(seen) < rounds {
					once(m.in)
				}
			}
			for round := range rounds {
				for _, more := range []bool{false, true} {
					once(filler{w.nouns, s.service, round, more}.input(op))
				}
			}
		}
	}
}

// attack makes calls of a kind as Bob.
func (w *world) attack(name string) {
	kind := map[string]func(string) bool{"reads": isRead, "changes": isChange, "creations": isCreation, "reads again": isRead, "changes again": isChange}[name]
	w.each(kind, func(c call) {
		c.in = disguised(c.in)
		w.tried = append(w.tried, c)
		w.bob.status, w.bob.body = 0, nil
		_, err := w.call(w.bob, c)
		w.judge(name, c, err)
		if name == "reads" || name == "changes" {
			w.hidden(name, c, err)
		}
	})
}

// disguised are Alice's inputs without her secrets, so that one that Bob is answered
// did not come from himself.
func disguised(in map[string]any) (out map[string]any) {
	if err := json.Unmarshal([]byte(strings.NewReplacer(secret, "bobby-secret", "alicesecret", "bobbysecret").Replace(text(in))), &out); err != nil {
		panic(err)
	}
	return out
}

// hidden says whether Bob is told what is there: he is answered as for what is not.
func (w *world) hidden(when string, c call, err error) {
	nowhere := call{c.service, c.operation, w.absent(c.in)}
	if reflect.DeepEqual(nowhere.in, c.in) {
		return
	}
	if _, got := w.call(w.bob, nowhere); awsclient.Code(got) != awsclient.Code(err) && mayTell(c, awsclient.Code(err), awsclient.Code(got)) == "" {
		w.t.Errorf("%s: %s: answered %q, and for what is not there %q", when, c, awsclient.Code(err), awsclient.Code(got))
	}
}

var token = regexp.MustCompile(`[\w-]{8,}`)

// absent is an input with names and ids that nothing has.
func (w *world) absent(in map[string]any) (out map[string]any) {
	changed := strings.ReplaceAll(text(in), "alice", "alicf")
	changed = token.ReplaceAllStringFunc(changed, func(s string) string {
		if w.nouns.ids[s] {
			return s[:len(s)-1] + other(s[len(s)-1])
		}
		return s
	})
	if err := json.Unmarshal([]byte(changed), &out); err != nil {
		panic(err)
	}
	return out
}

// other is a letter or digit that is another one.
func other(last byte) string {
	if last == 'a' || last >= '0' && last < '9' {
		return string(last + 1)
	}
	return map[bool]string{true: "8", false: "a"}[last == '9']
}

// judge looks at what Bob was answered.
func (w *world) judge(when string, c call, err error) {
	if w.bob.status == 0 {
		if err != nil && !strings.Contains(err.Error(), "must not be empty") && !strings.Contains(err.Error(), "is missing") {
			w.t.Logf("%s: not sent: %v", c, err)
		}
		return
	}
	if w.bob.status >= 500 {
		w.t.Errorf("%s: %s: answered %d %.300s", when, c, w.bob.status, w.bob.body)
	}
	answer, named := plain(w.bob.body), w.sent+plain([]byte(text(c.in)))
	for noun := range w.nouns.all {
		if public(c) || !strings.Contains(answer, noun) || strings.Contains(named, noun) || !telling(noun) || strings.Contains(w.public, noun) {
			continue
		}
		w.t.Errorf("%s: %s: answered %d with %q of Alice's: %.500s", when, c, w.bob.status, noun, answer)
	}
	if err == nil && !isRead(c.operation) {
		w.sent += plain([]byte(text(c.in))) + answer
		if reason := allowed(c); strings.Contains(text(c.in), alice) && reason == "" {
			w.t.Errorf("%s: %s: answered %d %.300s", when, c, w.bob.status, answer)
		}
	}
}

// plain is a text without the escapes of JSON, XML and URLs.
func plain(b []byte) string {
	s := strings.NewReplacer(`\"`, `"`, `\/`, `/`, "&quot;", `"`, "&#34;", `"`, "&amp;", "&").Replace(string(b))
	if u, err := url.QueryUnescape(strings.ReplaceAll(s, "+", "%2B")); err == nil {
		return u
	}
	return s
}

var (
	digits  = regexp.MustCompile(`[0-9]`)
	letters = regexp.MustCompile(`[a-zA-Z]`)
)

// digest is a name that git makes of a content, in whosever repository it is.
var digest = regexp.MustCompile(`^[0-9a-f]{40}$`)

// telling says whether a text is Alice's alone: a secret, a name of hers, or an id that
// was made for her.
func telling(noun string) bool {
	if strings.Contains(noun, secret) || strings.Contains(noun, alice) || strings.HasPrefix(noun, "alice") {
		return true
	}
	return len(noun) >= 10 && !digest.MatchString(noun) && digits.MatchString(noun) && letters.MatchString(noun) && !strings.ContainsAny(noun, " :{/") && !strings.HasPrefix(noun, "AWS") && !isTime(noun)
}

func isTime(s string) bool {
	for _, form := range []string{time.RFC3339, "2006-01-02", "2012-10-17"} {
		if _, err := time.Parse(form, s); err == nil {
			return true
		}
	}
	return false
}

// unchanged says whether what was there is there, and nothing was added to what is Alice's.
func (w *world) unchanged(when string, before, after map[row]bool) {
	gone, added := compare(before, after)
	for _, r := range gone {
		w.t.Errorf("after Bob's %s a row of %s is gone or changed: %.600q", when, r.table, r.text)
	}
	for _, r := range added {
		if strings.Contains(r.text, "account="+alice) && mayAdd(r.table) == "" {
			w.t.Errorf("after Bob's %s %s has a row: %.600q", when, r.table, r.text)
		}
	}
}

// strength makes Bob's calls as Alice: an input that nobody is answered shows nothing.
func (w *world) strength() {
	answered, made := map[string]bool{}, map[string]bool{}
	for _, m := range w.made {
		made[call{m.service, m.operation, disguised(m.in)}.String()] = true
	}
	deletes := func(c call) int {
		if strings.HasPrefix(c.operation, "Delete") || strings.HasPrefix(c.operation, "Re") || strings.HasPrefix(c.operation, "De") {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(w.tried, func(a, b call) int { return deletes(a) - deletes(b) })
	for _, c := range w.tried {
		if name := c.service + " " + c.operation; !answered[name] {
			answered[name] = made[c.String()]
			if _, err := w.call(w.alice, c); err == nil {
				answered[name] = true
			}
		}
	}
	n, all := 0, 0
	for _, s := range w.built {
		var weak []string
		for _, name := range s.operations {
			if !answered[s.service+" "+name] {
				weak = append(weak, name)
			}
		}
		n, all = n+len(s.operations)-len(weak), all+len(s.operations)
		w.t.Logf("%s: Alice is answered %d of %d operations, not %s", s.service, len(s.operations)-len(weak), len(s.operations), strings.Join(weak, " "))
		if len(weak) == len(s.operations) {
			w.t.Errorf("nothing of %s is made or read: add calls of it to testdata/world.txt", s.service)
		}
	}
	w.t.Logf("Bob made %d calls; with their inputs Alice is answered %d of %d operations", len(w.tried), n, all)
	if n*100 < all*leastAnswered {
		w.t.Errorf("less than %d in 100 operations would work at all: add to testdata/world.txt what they need", leastAnswered)
	}
}

// leastAnswered is how many in 100 operations Alice is answered with Bob's inputs.
const leastAnswered = 70
