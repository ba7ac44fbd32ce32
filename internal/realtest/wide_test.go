package realtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
	"plumb/internal/resource"
	"plumb/internal/settings"
	"plumb/models"
	"plumb/resources"
)

// TestNinetyTypesAreRecordedThroughAFaultyProxy makes resources of many types at
// moto, and reads them again and again, at last through a proxy that fails a fifth
// of the calls. An item is born of a change and of nothing else.
func TestNinetyTypesAreRecordedThroughAFaultyProxy(t *testing.T) {
	t.Parallel() // it waits for moto most of the time
	moto := startMoto(t)
	var population struct {
		Made   []wideResource
		Failed []string
	}
	script(t, &population, "wide.py", moto)
	for _, f := range population.Failed {
		t.Logf("not made: %s", f)
	}
	proxy := newFaultyProxy(t, moto)
	p := apptest.Start(t, apptest.Target(proxy.url), func(s *settings.Settings) { s.Queries = "extended" })
	record(t, p)
	w := wide{t: t, p: p, moto: moto}
	w.round()

	w.checkThere(population.Made)
	w.expect("the first reading", nil)
	w.round()
	w.expect("a second reading", nil)

	proxy.fail(0.2)
	for range 3 {
		w.round()
	}
	w.expect("three readings through faults", nil)
	t.Logf("%d of %d calls failed", proxy.failed, proxy.calls)

	counts := map[wideResource]int{}
	for _, step := range []string{"change", "delete", "again"} {
		var out struct{ Done []wideResource }
		script(t, &out, "wide_change.py", moto, step)
		for _, r := range out.Done {
			counts[r]++
		}
		for range 2 {
			w.round()
		}
		proxy.fail(0)
		w.round()
		w.expect(step, counts)
		proxy.fail(0.2)
	}
}

// A wideResource is a resource as the scripts name it.
type wideResource struct {
	Type  string  `json:"type"`
	ID    string  `json:"id"`
	Owner *string `json:"owner"`
}

type wide struct {
	t    *testing.T
	p    *apptest.Plumb
	moto string
}

// round has everything read once more.
func (w wide) round() {
	w.t.Helper()
	w.p.Clock().Advance(time.Hour + time.Minute)
	w.p.Drain(w.t)
}

// rows asks an advanced query and decodes all of its rows.
func rows[T any](w wide, expression string) (out []T) {
	w.t.Helper()
	pages := configservice.NewSelectResourceConfigPaginator(w.p.Config(), &configservice.SelectResourceConfigInput{Expression: &expression, Limit: 100})
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, text := range page.Results {
			var row T
			if err := json.Unmarshal([]byte(text), &row); err != nil {
				w.t.Fatal(err)
			}
			out = append(out, row)
		}
	}
	return out
}

// checkThere fails for resources that were made and are not recorded, or without
// their tag.
func (w wide) checkThere(made []wideResource) {
	w.t.Helper()
	type row struct {
		Type string `json:"resourceType"`
		ID   string `json:"resourceId"`
		Tags []struct{ Key, Value string }
	}
	found := map[[2]string]string{}
	for _, r := range rows[row](w, "SELECT resourceType, resourceId, tags") {
		found[[2]string{r.Type, r.ID}] = ""
		for _, tag := range r.Tags {
			if tag.Key == "owner" {
				found[[2]string{r.Type, r.ID}] = tag.Value
			}
		}
	}
	kinds := map[string]bool{}
	for _, r := range made {
		owner, ok := found[[2]string{r.Type, r.ID}]
		switch {
		case !ok:
			var others []string
			for key := range found {
				if key[0] == r.Type {
					others = append(others, key[1])
				}
			}
			w.t.Errorf("%s %s was not discovered, others of the type were: %v", r.Type, r.ID, others)
		case owner != aws.ToString(r.Owner):
			w.t.Errorf("%s %s has the owner %q, want %q", r.Type, r.ID, owner, aws.ToString(r.Owner))
		default:
			kinds[r.Type] = true
		}
	}
	w.t.Logf("%d resources recorded, %d types as they were made", len(found), len(kinds))
	if len(kinds) < 90 {
		w.t.Errorf("resources of %d types were recorded as they were made, want 90", len(kinds))
	}
}

// expect fails for resources that have another number of items than one and as many
// as they were changed.
func (w wide) expect(after string, changed map[wideResource]int) {
	w.t.Helper()
	type row struct {
		Type  string `json:"resourceType"`
		ID    string `json:"resourceId"`
		Count int    `json:"n"`
	}
	total := 0
	for _, r := range rows[row](w, "SELECT resourceType, resourceId, COUNT(*) AS n FROM history GROUP BY resourceType, resourceId") {
		total += r.Count
		if strings.HasPrefix(r.Type, "AWS::Config::") || r.Type == "AWS::Athena::WorkGroup" { // of which moto gives another time with each answer
			continue
		}
		if want := 1 + changed[wideResource{Type: r.Type, ID: r.ID}]; r.Count != want {
			w.t.Errorf("after %s %s %s has %d items, want %d", after, r.Type, r.ID, r.Count, want)
			w.tell(r.Type, r.ID)
		}
	}
	w.t.Logf("after %s: %d items", after, total)
}

// tell logs what the last items of a resource say.
func (w wide) tell(kind, id string) {
	type row struct {
		At, Status string
		What       json.RawMessage `json:"what"`
		More       json.RawMessage `json:"more"`
	}
	all := rows[row](w, fmt.Sprintf("SELECT configurationItemCaptureTime AS at, configurationItemStatus AS status, configuration AS what, "+
		"supplementaryConfiguration AS more FROM history WHERE resourceType = '%s' AND resourceId = '%s'", kind, id))
	for _, r := range all[max(0, len(all)-2):] {
		w.t.Logf("  %s %s %s %s", r.At, r.Status, r.What, r.More)
	}
}

// script runs one of our scripts and decodes what it prints.
func script(t *testing.T, into any, name string, args ...string) {
	t.Helper()
	out, err := exec.Command("python3", append([]string{filepath.Join("testdata", name)}, args...)...).Output()
	if e, ok := err.(*exec.ExitError); ok {
		t.Fatalf("%s: %v\n%s", name, err, e.Stderr)
	}
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// A faultyProxy passes calls on, and fails some of them in every way that a network
// and a service do.
type faultyProxy struct {
	url  string
	bare map[string]bool

	mu            sync.Mutex
	share         float64
	random        *rand.Rand
	calls, failed int
}

func newFaultyProxy(t *testing.T, target string) *faultyProxy {
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &faultyProxy{bare: bareServices(t), random: rand.New(rand.NewPCG(7, 11))}
	good := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault := p.next(); fault != nil {
			if fault.empty && p.bare[serviceOf(r)] {
				fault = &faults[0]
			}
			fault.answer(w, r, good)
			return
		}
		good.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *faultyProxy) fail(share float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.share = share
}

// bareServices are those of which some real answer has nothing in it: nobody can tell it from an
// empty one in its place.
func bareServices(t *testing.T) map[string]bool {
	types, err := resource.Load(resources.FS, awsclient.NewModels(models.FS))
	if err != nil {
		t.Fatal(err)
	}
	bare := map[string]bool{}
	for _, info := range types.Types() {
		for _, call := range types.Calls(info.Type) {
			bare[call.Service] = bare[call.Service] || call.Bare
		}
	}
	return bare
}

// serviceOf is the service that a call was signed for.
func serviceOf(r *http.Request) string {
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 5 {
		return ""
	}
	return scope[3]
}

func (p *faultyProxy) next() *fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.random.Float64() >= p.share {
		return nil
	}
	p.failed++
	return &faults[p.random.IntN(len(faults))]
}

// A fault answers a call in the place of the service.
type fault struct {
	answer func(w http.ResponseWriter, r *http.Request, good http.Handler)
	empty  bool // it says that all is well and has nothing in it
}

var faults = []fault{
	answering(http.StatusInternalServerError, "text/html", "<html><body>Internal Server Error</body></html>"),
	answering(http.StatusServiceUnavailable, "text/plain", "try again"),
	answering(http.StatusBadRequest, "application/x-amz-json-1.1", `{"__type":"ThrottlingException","message":"Rate exceeded"}`),
	answering(http.StatusBadRequest, "text/xml", `<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`),
	answering(http.StatusForbidden, "application/x-amz-json-1.1", `{"__type":"AccessDeniedException","message":"not now"}`),
	answering(http.StatusOK, "application/json", ""),
	answering(http.StatusOK, "text/html", "<html><body>Sign in to the network</body></html>"),
	answering(http.StatusOK, "application/json", "{}"),
	{answer: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { // the connection ends
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			conn.Close()
		}
	}},
	{answer: func(w http.ResponseWriter, r *http.Request, good http.Handler) { // the answer ends early, and says that it is whole
		whole := httptest.NewRecorder()
		good.ServeHTTP(whole, r)
		for name, values := range whole.Header() {
			if name != "Content-Length" {
				w.Header()[name] = slices.Clone(values)
			}
		}
		w.WriteHeader(whole.Code)
		w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	}},
}

func answering(status int, kind, body string) fault {
	return fault{empty: status == http.StatusOK && len(body) <= len("{}"), answer: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}}
}
