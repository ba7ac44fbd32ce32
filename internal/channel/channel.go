// Package channel tells people what AWS Config found: channels of the settings file
// that lead to a webhook, to Slack, to Teams or to mail. It chooses what a channel is
// told, writes a line of it that a person can act on, and sends lines in one post.
//
// It keeps nothing and knows nothing of what waits: that is package delivery, which
// keeps the lines on the same outbox as the messages of topics, one lane for each
// channel of a place, and asks here when a lane may be sent on, and by whom.
//
//	all, err := channel.New(settings.Channels, channel.Options{Client: client, Mail: sender, Link: link, Now: clk.Now})
//	c, ok := all.Named("ops")
//	if c.Takes(channel.Facts{...}) { err = c.Send(ctx, place, []channel.Line{all.Verdict(place, change, created)}) }
package channel

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/mail"
	"plumb/internal/settings"
)

// Options are what channels work with.
type Options struct {
	Client *http.Client // guarded: see package outgoing
	Mail   *mail.Sender
	// Link returns the address of a resource's page in the console, empty if there is
	// no console. It may be nil.
	Link func(config.ResourceKey) string
	Now  func() time.Time
}

// Channels are those of the settings. The zero value has none.
type Channels struct {
	all  []*Channel
	link func(config.ResourceKey) string
}

// A Channel is one of them.
type Channel struct {
	set                                    settings.Channel
	o                                      Options
	events                                 []string
	accounts, regions, types, rules, packs patterns
	quiet                                  hours
}

// New returns the channels of settings that were checked.
func New(all []settings.Channel, o Options) (*Channels, error) {
	out := &Channels{link: o.Link}
	for _, s := range all {
		c := &Channel{
			set: s, o: o, events: s.Events, accounts: compiled(s.Accounts), regions: compiled(s.Regions), types: compiled(s.Types),
			rules: compiled(s.Rules), packs: compiled(s.Packs),
		}
		if len(c.events) == 0 {
			c.events = []string{settings.EventsCompliance}
		}
		var err error
		if c.quiet, err = newHours(s.Quiet); err != nil {
			return nil, err
		}
		out.all = append(out.all, c)
	}
	return out, nil
}

// All lists the channels as they stand in the settings.
func (all *Channels) All() []*Channel {
	if all == nil {
		return nil
	}
	return all.all
}

// Named returns a channel.
func (all *Channels) Named(name string) (*Channel, bool) {
	i := slices.IndexFunc(all.All(), func(c *Channel) bool { return c.Name() == name })
	if i < 0 {
		return nil, false
	}
	return all.all[i], true
}

// Name is the channel's name.
func (c *Channel) Name() string { return c.set.Name }

// Kind is one of those of the settings.
func (c *Channel) Kind() string { return c.set.Kind }

// Facts are what a channel chooses by before anything is read.
type Facts struct {
	Event string // one of those of the settings
	config.Place
	Type string // of a resource
	Rule string
	// Old and New are the compliance before, empty for the first verdict, and now.
	Old, New config.Compliance
	// Pack returns the conformance pack of the rule, or nothing. It is asked last.
	Pack func() (string, error)
}

// Takes reports whether a channel is told of something, its tags aside.
func (c *Channel) Takes(f Facts) (bool, error) {
	switch {
	case !slices.Contains(c.events, f.Event), !c.accounts.match(f.Account), !c.regions.match(f.Region):
		return false, nil
	case f.Event == settings.EventsDeliveries:
		return true, nil
	case !c.types.match(f.Type):
		return false, nil
	case f.Event == settings.EventsItems:
		return true, nil
	case !c.rules.match(f.Rule), !c.verdict(f.Old, f.New):
		return false, nil
	case len(c.packs) == 0:
		return true, nil
	}
	pack, err := f.Pack()
	return err == nil && pack != "" && c.packs.match(pack), err
}

// verdict reports whether a change of compliance is one to tell. Without a choice it is
// what somebody should act on, and that nobody has to any more: not the first verdicts
// of all that is well.
func (c *Channel) verdict(old, now config.Compliance) bool {
	if len(c.set.Verdicts) > 0 {
		return slices.Contains(c.set.Verdicts, string(now))
	}
	return old == config.NonCompliant || now == config.NonCompliant
}

// ChoosesByTag reports whether the tags of resources matter.
func (c *Channel) ChoosesByTag() bool { return len(c.set.Tags) > 0 }

// TakesTags reports whether a resource has the tags that the channel wants.
func (c *Channel) TakesTags(tags map[string]string) bool {
	for key, want := range c.set.Tags {
		if got, ok := tags[key]; !ok || !(patterns{compile(want)}).match(got) {
			return false
		}
	}
	return true
}

// Opens returns when the next post may be sent: not in quiet hours, and, if a digest is
// made, not before its time is up since the oldest line that waits. A zero oldest is
// that no line waits for its first try.
func (c *Channel) Opens(now, oldest time.Time) time.Time {
	at := now
	if !oldest.IsZero() {
		if due := oldest.Add(time.Duration(c.set.Digest)); due.After(at) {
			at = due
		}
	}
	return c.quiet.after(at)
}

// patterns are texts with * for any text; no pattern at all matches everything.
type patterns []*regexp.Regexp

func compiled(texts []string) (out patterns) {
	for _, t := range texts {
		out = append(out, compile(t))
	}
	return out
}

func compile(text string) *regexp.Regexp {
	return regexp.MustCompile(`^(?s:` + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`) + `)$`)
}

func (p patterns) match(text string) bool {
	return len(p) == 0 || slices.ContainsFunc(p, func(r *regexp.Regexp) bool { return r.MatchString(text) })
}
