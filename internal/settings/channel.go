package settings

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The kinds of channels.
const (
	ChannelWebhook = "webhook"
	ChannelSlack   = "slack"
	ChannelTeams   = "teams"
	ChannelEmail   = "email"
)

// What a channel may be told of.
const (
	EventsCompliance = "compliance" // verdicts that changed
	EventsItems      = "items"      // resources that changed
	EventsDeliveries = "deliveries" // snapshots and history files
)

// A Channel says what people, or a program of theirs, are told and where. Lists that
// are empty choose everything; entries may have * for any text.
type Channel struct {
	Name   string   `yaml:"name"`
	Kind   string   `yaml:"kind"`
	URL    Secret   `yaml:"url"`    // of all kinds but email; who knows it may post
	Secret Secret   `yaml:"secret"` // of a webhook: its bodies are signed with it
	To     []string `yaml:"to"`     // of email

	Events   []string          `yaml:"events"` // empty: compliance
	Accounts []string          `yaml:"accounts"`
	Regions  []string          `yaml:"regions"`
	Types    []string          `yaml:"types"`
	Rules    []string          `yaml:"rules"`
	Packs    []string          `yaml:"packs"`
	Verdicts []string          `yaml:"verdicts"` // empty: what began and what ceased to be NON_COMPLIANT
	Tags     map[string]string `yaml:"tags"`     // of the resource, all of them

	Digest Span  `yaml:"digest"`
	Quiet  Quiet `yaml:"quiet"`
}

// Quiet is the hours of each day in which a channel is told nothing.
type Quiet struct {
	From string `yaml:"from"` // HH:MM
	To   string `yaml:"to"`
	Zone string `yaml:"zone"` // of tz; empty is UTC
}

// A Span is a duration as it is written in lists of the settings.
type Span time.Duration

// UnmarshalText reads what time.ParseDuration does.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q: want a duration such as 30s, 5m or 1h", text)
	}
	*s = Span(d)
	return nil
}

// MarshalText writes it as it was read.
func (s Span) MarshalText() ([]byte, error) { return []byte(shortDuration(time.Duration(s))), nil }

// Set reports whether there are quiet hours.
func (q Quiet) Set() bool { return q != Quiet{} }

// Minutes are the limits as minutes of the day.
func (q Quiet) Minutes() (from, to int, err error) {
	if from, err = minuteOf(q.From); err == nil {
		to, err = minuteOf(q.To)
	}
	return from, to, err
}

func minuteOf(text string) (int, error) {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q: want a time of the day such as 22:00", text)
	}
	return t.Hour()*60 + t.Minute(), nil
}

var (
	channelName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	verdicts    = []string{"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"}
)

// maxDigest is the longest time that is put together.
const maxDigest = 24 * time.Hour

func (s Settings) checkChannels() error {
	if err := s.checkMail(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, c := range s.Channels {
		where := fmt.Sprintf("channels, entry %d", i+1)
		if channelName.MatchString(c.Name) {
			where = "channel " + c.Name
		}
		if seen[c.Name] {
			return fmt.Errorf("%s: the name was given before", where)
		}
		seen[c.Name] = true
		if err := s.checkChannel(c); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

func (s Settings) checkChannel(c Channel) error {
	if !channelName.MatchString(c.Name) {
		return fmt.Errorf("name %q: want small letters, digits and hyphens, 40 at most", c.Name)
	}
	checks := []func() error{func() error { return s.checkChannelAddress(c) }, c.checkChoice, func() error { return s.checkChannelTimes(c) }}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s Settings) checkChannelAddress(c Channel) error {
	switch c.Kind {
	case ChannelEmail:
		return s.checkRecipients(c)
	case ChannelWebhook, ChannelSlack, ChannelTeams:
	default:
		return fmt.Errorf("kind %q: want %s, %s, %s or %s", c.Kind, ChannelWebhook, ChannelSlack, ChannelTeams, ChannelEmail)
	}
	u, err := url.Parse(c.URL.Reveal())
	switch {
	case c.URL == "":
		return fmt.Errorf("a %s channel needs a url", c.Kind)
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("its url is none: want http:// or https://") // without the URL, which is a secret
	case len(c.To) > 0:
		return fmt.Errorf("to is for email channels")
	case c.Secret != "" && c.Kind != ChannelWebhook:
		return fmt.Errorf("secret is for webhook channels")
	case c.Secret != "" && len(c.Secret) < minChannelSecret:
		return fmt.Errorf("secret: has %d characters, want %d random ones at least", len(c.Secret), minChannelSecret)
	}
	return nil
}

// minChannelSecret is how long a key is at least that signs a webhook's bodies.
const minChannelSecret = 16

func (s Settings) checkRecipients(c Channel) error {
	switch {
	case s.SMTPServer == "":
		return fmt.Errorf("an email channel needs the setting smtp-server")
	case c.URL != "" || c.Secret != "":
		return fmt.Errorf("url and secret are not for email channels")
	case len(c.To) == 0:
		return fmt.Errorf("an email channel needs to, a list of addresses")
	}
	for _, a := range c.To {
		if _, err := mail.ParseAddress(a); err != nil {
			return fmt.Errorf("to: %q is no mail address", a)
		}
	}
	return nil
}

// checkChoice wants what a channel chooses to be possible.
func (c Channel) checkChoice() error {
	all := []string{EventsCompliance, EventsItems, EventsDeliveries}
	for _, e := range c.Events {
		if !slices.Contains(all, e) {
			return fmt.Errorf("events: %q is none of %s", e, strings.Join(all, ", "))
		}
	}
	for _, v := range c.Verdicts {
		if !slices.Contains(verdicts, v) {
			return fmt.Errorf("verdicts: %q is none of %s", v, strings.Join(verdicts, ", "))
		}
	}
	for _, a := range c.Accounts {
		if !twelveDigits.MatchString(a) && !strings.Contains(a, "*") {
			return fmt.Errorf("accounts: %q: want twelve digits in quotes", a)
		}
	}
	told := len(c.Events) == 0 || slices.Contains(c.Events, EventsCompliance)
	if !told && len(c.Rules)+len(c.Packs)+len(c.Verdicts) > 0 {
		return fmt.Errorf("rules, packs and verdicts choose among events of compliance, which events does not name")
	}
	return nil
}

func (s Settings) checkChannelTimes(c Channel) error {
	digest := time.Duration(c.Digest)
	if digest < 0 || digest > maxDigest {
		return fmt.Errorf("digest %s: want 24h at most", shortDuration(digest))
	}
	quiet := time.Duration(0)
	if c.Quiet.Set() {
		from, to, err := c.Quiet.Minutes()
		if err == nil && from == to {
			err = fmt.Errorf("from and to are the same time")
		}
		if err == nil {
			_, err = time.LoadLocation(c.Quiet.Zone)
		}
		if err != nil {
			return fmt.Errorf("quiet: %w", err)
		}
		quiet = time.Duration((to-from+24*60)%(24*60)) * time.Minute
	}
	if digest+quiet >= s.DeliveryAge {
		return fmt.Errorf("digest and quiet hours are %s, and delivery-age is %s: what waits that long would not be tried again",
			shortDuration(digest+quiet), shortDuration(s.DeliveryAge))
	}
	return nil
}

// checkMail wants a server with a sender, and a way to it that keeps the password.
func (s Settings) checkMail() error {
	if s.ConsoleURL != "" {
		if u, err := url.Parse(s.ConsoleURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("console-url %q: want http:// or https://", s.ConsoleURL)
		}
	}
	if s.SMTPServer == "" {
		if s.SMTPFrom != "" || s.SMTPUser != "" || s.SMTPPassword != "" {
			return fmt.Errorf("smtp-from, smtp-user and smtp-password need smtp-server")
		}
		return nil
	}
	host, _, err := net.SplitHostPort(s.SMTPServer)
	switch {
	case err != nil || host == "":
		return fmt.Errorf("smtp-server %q: want HOST:PORT, for example smtp.example.com:587", s.SMTPServer)
	case s.SMTPFrom == "":
		return fmt.Errorf("smtp-server needs smtp-from, the address that mail is from")
	case (s.SMTPUser == "") != (s.SMTPPassword == ""):
		return fmt.Errorf("smtp-user and smtp-password go together")
	case s.SMTPUser != "" && s.SMTPSecurity == "none" && !loopback(host):
		return fmt.Errorf("smtp-security none would send smtp-password as it is: set starttls or tls")
	}
	if _, err := mail.ParseAddress(s.SMTPFrom); err != nil {
		return fmt.Errorf("smtp-from: %q is no mail address", s.SMTPFrom)
	}
	return nil
}
