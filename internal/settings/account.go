package settings

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Endpoints are outside services that take the place of the embedded ones: a
// company delivers to its real bucket and topic. Empty means embedded.
type Endpoints struct {
	S3     string `yaml:"s3"`
	SNS    string `yaml:"sns"`
	SQS    string `yaml:"sqs"`
	Lambda string `yaml:"lambda"`
	Events string `yaml:"events"` // beside the embedded one: it is told what AWS Config tells
	SSM    string `yaml:"ssm"`    // where remediations run their documents
	Config string `yaml:"config"` // of accounts that aggregators show, and whose AWS Config is elsewhere
}

// An endpoint is that of one service.
type endpoint struct {
	service string
	url     *string
}

func (e *Endpoints) all() []endpoint {
	return []endpoint{{"s3", &e.S3}, {"sns", &e.SNS}, {"sqs", &e.SQS}, {"lambda", &e.Lambda}, {"events", &e.Events}, {"ssm", &e.SSM}, {"config", &e.Config}}
}

// For returns the endpoint of a service by its name (s3, sns, sqs, lambda, events, ssm,
// config); empty for every other service.
func (e Endpoints) For(service string) string {
	for _, one := range e.all() {
		if one.service == service {
			return *one.url
		}
	}
	return ""
}

func (e Endpoints) check(where string) error {
	for _, one := range e.all() {
		if err := checkTarget(where+one.service+" endpoint", *one.url); err != nil {
			return err
		}
	}
	return nil
}

// over returns e with its gaps filled from the less specific base.
func (e Endpoints) over(base Endpoints) Endpoints {
	from := base.all()
	for i, one := range e.all() {
		*one.url = or(*one.url, *from[i].url)
	}
	return e
}

// An Account says where the resources of an account are read from, for all its
// regions or for one, and as whom.
type Account struct {
	Account string `yaml:"account"`
	Region  string `yaml:"region"` // empty: every region

	Target    string    `yaml:"target"`
	Endpoints Endpoints `yaml:"endpoints"`

	EventBus    string `yaml:"event-bus"`    // name or ARN; empty: the default one
	EventSource string `yaml:"event-source"` // of what is put there

	CloudTrail string `yaml:"cloudtrail"` // a queue's URL, or s3://BUCKET/PREFIX

	AccessKeyID     string `yaml:"access-key-id"`
	SecretAccessKey Secret `yaml:"secret-access-key"`
	SessionToken    Secret `yaml:"session-token"`
	Profile         string `yaml:"profile"`
	Role            string `yaml:"role"`
	ExternalID      Secret `yaml:"external-id"`
}

func (a Account) check(where string) error {
	switch {
	case !twelveDigits.MatchString(a.Account):
		return fmt.Errorf("%saccount %q: want twelve digits in quotes", where, a.Account)
	case a.Region != "" && !regionName.MatchString(a.Region):
		return fmt.Errorf("%sregion %q: want a region such as us-east-1, or leave it out for all", where, a.Region)
	case (a.AccessKeyID == "") != (a.SecretAccessKey == ""):
		return fmt.Errorf("%saccess-key-id and secret-access-key go together", where)
	case a.AccessKeyID != "" && a.Profile != "":
		return fmt.Errorf("%sgive either an access key or a profile", where)
	}
	if err := checkTarget(where+"target", a.Target); err != nil {
		return err
	}
	if err := checkEventBus(where, a.EventBus, a.EventSource); err != nil {
		return err
	}
	if err := CheckTrail(where, a.CloudTrail); err != nil {
		return err
	}
	return a.Endpoints.check(where)
}

var trailBucket = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/].*)?$`)

// CheckTrail checks where records of CloudTrail are: the URL of an SQS queue, or s3://BUCKET/PREFIX. An empty one is none. An error
// begins with where.
func CheckTrail(where, trail string) error {
	u, err := url.Parse(trail)
	switch {
	case trail == "":
		return nil
	case trailBucket.MatchString(trail):
		return nil
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Count(strings.Trim(u.Path, "/"), "/") != 1:
		return fmt.Errorf("%scloudtrail %q: want the URL of an SQS queue, or s3://BUCKET/PREFIX", where, trail)
	}
	return nil
}

var (
	// PutEvents: EventBusName.
	eventBusForm = regexp.MustCompile(`^(arn:aws[\w-]*:events:[a-z]+-[a-z\w-]+-[0-9]+:[0-9]{12}:event-bus/)?[/.\-_A-Za-z0-9]{1,256}$`)
	eventSource  = regexp.MustCompile(`^[/.\-_A-Za-z0-9]{1,256}$`)
)

func checkEventBus(where, bus, source string) error {
	switch {
	case bus != "" && !eventBusForm.MatchString(bus):
		return fmt.Errorf("%sevent-bus %q: want the name of an event bus or its ARN", where, bus)
	case source != "" && !eventSource.MatchString(source):
		return fmt.Errorf("%sevent-source %q: want letters, digits and / . - _, 256 at most", where, source)
	}
	return nil
}

// over returns a with its gaps filled from the less specific base.
func (a Account) over(base Account) Account {
	a.Target = or(a.Target, base.Target)
	a.Endpoints = a.Endpoints.over(base.Endpoints)
	a.EventBus, a.EventSource = or(a.EventBus, base.EventBus), or(a.EventSource, base.EventSource)
	a.Role = or(a.Role, base.Role)
	a.ExternalID = or(a.ExternalID, base.ExternalID)
	if a.AccessKeyID == "" && a.Profile == "" {
		a.AccessKeyID, a.SecretAccessKey, a.SessionToken = base.AccessKeyID, base.SecretAccessKey, base.SessionToken
		a.Profile = base.Profile
	}
	return a
}

// Place returns what is set for an account in a region: the entry for the
// region, over the entry for all its regions, over the default account's target
// where it is that account. The zero Account, but for its names, means that
// nothing is set and everything is embedded.
func (s Settings) Place(account, region string) Account {
	var found Account
	if account == s.Account {
		found = Account{Target: s.Target, Endpoints: s.Endpoints, EventBus: s.EventBus, EventSource: s.EventSource}
	}
	for _, exact := range []bool{false, true} {
		for _, a := range s.Accounts {
			if a.Account == account && (a.Region == region) == exact && (exact || a.Region == "") {
				found = a.over(found)
			}
		}
	}
	found.Account, found.Region = account, region
	return found
}

// HasTarget reports whether resources of an account are read from a target, in any region.
func (s Settings) HasTarget(account string) bool {
	return account == s.Account && s.Target != "" ||
		slices.ContainsFunc(s.Accounts, func(a Account) bool { return a.Account == account && a.Target != "" })
}

func or[T ~string](a, b T) T {
	if a != "" {
		return a
	}
	return b
}

// An AccessKey is what a client signs with in server mode, and the account that
// it speaks for.
type AccessKey struct {
	ID      string `yaml:"id"`
	Secret  Secret `yaml:"secret"`
	Account string `yaml:"account"`
	User    string `yaml:"user"` // name in the caller's ARN; empty is root
}
