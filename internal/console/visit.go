package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/core"
	"plumb/internal/db"
	"plumb/internal/settings"
	"plumb/internal/store"
)

// A visit is one request: who asks, of which places, and as of when.
type visit struct {
	*core.Machine
	c       *Console
	ctx     context.Context
	r       *http.Request
	q       url.Values
	session string              // what the browser has
	key     *settings.AccessKey // that somebody logged in with; nil in development mode
	subject string              // whom a login's provider named; empty for an access key
	// accounts are those that somebody may choose among; key has the chosen one.
	accounts []string
	now      time.Time
	at       time.Time // zero is now
	filters  filters
}

// maxAddress bounds what an address may say.
const maxAddress = 16 << 10

func (c *Console) visit(w http.ResponseWriter, r *http.Request) (*visit, error) {
	v := &visit{Machine: c.Machine(), c: c, ctx: r.Context(), r: r, q: r.URL.Query()}
	v.now = v.Clock.Now()
	if err := c.identify(w, v); err != nil {
		return nil, err
	}
	if len(r.URL.RawQuery) > maxAddress {
		return v, wrong("The address is too long.")
	}
	if !sayable(v.q) {
		return v, wrong("The address has characters that no name has.")
	}
	v.filters = readFilters(v.q)
	at, err := readTime(v.q.Get("at"), v.now)
	v.at = at
	return v, err
}

// sayable reports whether PostgreSQL could keep all that an address or a form says.
func sayable(all url.Values) bool {
	for _, values := range all {
		for _, text := range values {
			if strings.ContainsRune(text, 0) || !validText(text) {
				return false
			}
		}
	}
	return true
}

// validText reports whether PostgreSQL could compare a text.
func validText(s string) bool { return strings.ToValidUTF8(s, "") == s }

// Times as an address may have them: as we write them, and as browsers do.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02"}

// readTime reads a time, or a duration before now such as -30m. Nothing and "now" are
// the zero time.
func readTime(text string, now time.Time) (time.Time, error) {
	if text == "" || text == "now" {
		return time.Time{}, nil
	}
	if ago, ok := strings.CutPrefix(text, "-"); ok {
		if d, err := time.ParseDuration(ago); err == nil && d >= 0 {
			return now.Add(-d).UTC(), nil
		}
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1970 && t.Year() < 9999 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, wrong("The time " + text + " is not one: want 2026-01-31T12:00:00Z, in UTC, or a duration before now such as -30m.")
}

// then is the moment that the page is about.
func (v *visit) then() time.Time {
	if v.at.IsZero() {
		return v.now
	}
	return v.at
}

// past reports whether the page is about a moment that has passed.
func (v *visit) past() bool { return !v.at.IsZero() && v.at.Before(v.now) }

// read runs f in a transaction that reads.
func (v *visit) read(f func(ctx context.Context, tx *db.Tx) error) error {
	return v.DB.Read(v.ctx, func(tx *db.Tx) error { return f(v.ctx, tx) })
}

// allowed reports whether the visitor may see an account.
func (v *visit) allowed(account string) bool { return v.key == nil || v.key.Account == account }

// account is the one whose everything the visitor may see; empty is all.
func (v *visit) account() string {
	if v.key != nil {
		return v.key.Account
	}
	return ""
}

// places are those that the visitor may see and that the filters leave.
func (v *visit) places(ctx context.Context, tx *db.Tx) ([]config.Place, error) {
	all, err := v.visible(ctx, tx)
	return slices.DeleteFunc(all, func(p config.Place) bool {
		return !v.filters.leave("account", p.Account) || !v.filters.leave("region", p.Region)
	}), err
}

// visible are all places that the visitor may see.
func (v *visit) visible(ctx context.Context, tx *db.Tx) ([]config.Place, error) {
	if v.key != nil {
		return store.PlacesOf(ctx, tx, v.key.Account)
	}
	return store.AllPlaces(ctx, tx)
}

// place is the one that the address names, or the default one.
func (v *visit) place() (config.Place, error) {
	p := config.Place{Account: v.q.Get("account"), Region: v.q.Get("region")}
	if p.Account == "" {
		p.Account = v.c.Settings.Account
		if v.key != nil {
			p.Account = v.key.Account
		}
	}
	if p.Region == "" {
		p.Region = v.c.Settings.Region
	}
	if !v.allowed(p.Account) {
		return p, store.ErrNotFound // as if it were not there
	}
	return p, nil
}

// sticky are the parts of an address that go with the visitor from page to page.
func (v *visit) sticky() url.Values {
	out := url.Values{}
	if at := v.q.Get("at"); at != "" && !v.at.IsZero() {
		out.Set("at", v.at.Format(time.RFC3339Nano))
	}
	return out
}

// link returns the address of a page: its parts, and those that stay.
func (v *visit) link(path string, parts ...string) string {
	q := v.sticky()
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i+1] != "" {
			q.Add(parts[i], parts[i+1])
		}
	}
	return address(path, q)
}

// with returns the present address with some parts changed; empty ones are left out.
// The page after another one is left too.
func (v *visit) with(parts ...string) string {
	q := url.Values{}
	for k, values := range v.q {
		if k != "after" && k != "format" && k != "part" {
			q[k] = slices.Clone(values)
		}
	}
	for i := 0; i+1 < len(parts); i += 2 {
		q.Del(parts[i])
		if parts[i+1] != "" {
			q.Set(parts[i], parts[i+1])
		}
	}
	return address(strings.TrimPrefix(v.r.URL.Path, Root), q)
}

func address(path string, q url.Values) string {
	if len(q) == 0 {
		return Root + path
	}
	return Root + path + "?" + q.Encode()
}

// resource returns the address of a resource's page.
func (v *visit) resource(k config.ResourceKey, more ...string) string {
	return v.link("resource", append([]string{"account", k.Account, "region", k.Region, "type", k.Type, "id", k.ID}, more...)...)
}

// ResourcePage returns the path of a resource's page, for links from elsewhere.
func ResourcePage(k config.ResourceKey) string {
	return address("resource", url.Values{"account": {k.Account}, "region": {k.Region}, "type": {k.Type}, "id": {k.ID}})
}

// rule returns the address of a rule's page.
func (v *visit) rule(p config.Place, name string, more ...string) string {
	return v.link("rule", append([]string{"account", p.Account, "region", p.Region, "name", name}, more...)...)
}

// filters are what an address has as is=KEY:VALUE and not=KEY:VALUE.
type filters struct{ is, not map[string][]string }

func readFilters(q url.Values) filters {
	return filters{splitFilters(q["is"]), splitFilters(q["not"])}
}

func splitFilters(all []string) map[string][]string {
	out := map[string][]string{}
	for _, text := range all {
		if key, value, ok := strings.Cut(text, ":"); ok {
			out[key] = append(out[key], value)
		}
	}
	return out
}

// leave reports whether a value passes: it is one of those that are wanted, if any
// are, and none of those that are not.
func (f filters) leave(key, value string) bool {
	return (len(f.is[key]) == 0 || slices.Contains(f.is[key], value)) && !slices.Contains(f.not[key], value)
}

// filtered returns the present address with a filter more, or less if it is there.
func (v *visit) filtered(how, key, value string) string {
	q := url.Values{}
	for k, values := range v.q {
		if k != "after" && k != "format" && k != "part" {
			q[k] = slices.Clone(values)
		}
	}
	text := key + ":" + value
	other := map[string]string{"is": "not", "not": "is"}[how]
	q[other] = slices.DeleteFunc(q[other], func(s string) bool { return s == text })
	if slices.Contains(q[how], text) {
		q[how] = slices.DeleteFunc(q[how], func(s string) bool { return s == text })
	} else {
		q[how] = append(q[how], text)
	}
	for _, k := range []string{"is", "not"} {
		if len(q[k]) == 0 {
			delete(q, k)
		}
	}
	return address(strings.TrimPrefix(v.r.URL.Path, Root), q)
}

// chips are the filters that are in force, each with the address without it.
func (v *visit) chips() []chip {
	var out []chip
	for _, how := range []string{"is", "not"} {
		for _, text := range v.q[how] {
			if key, value, ok := strings.Cut(text, ":"); ok {
				out = append(out, chip{Key: key, Value: value, Not: how == "not", Off: v.filtered(how, key, value), Turn: v.turned(how, key, value)})
			}
		}
	}
	return out
}

// turned returns the present address with a filter turned into its opposite.
func (v *visit) turned(how, key, value string) string {
	return v.filtered(map[string]string{"is": "not", "not": "is"}[how], key, value)
}
