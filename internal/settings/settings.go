package settings

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Mode says whom the server trusts.
type Mode string

// In development mode any credentials are taken, on loopback only, and the clock
// can be moved. In server mode every request is signed with a known access key.
const (
	Development Mode = "development"
	Server      Mode = "server"
)

// NoConsole as the console's address means that there is none.
const NoConsole = "off"

// NoListener as the address of a further listener means that it never opens.
const NoListener = "off"

// defaultConsole is where the console is in development mode.
const defaultConsole = "127.0.0.1:4578"

// ConsoleAddress is where the console listens, empty for nowhere. chosen is false if
// nobody asked for that address.
func (s Settings) ConsoleAddress() (address string, chosen bool) {
	switch {
	case s.Console == NoConsole, s.Console == "" && s.Mode == Server:
		return "", s.Console != ""
	case s.Console == "":
		return defaultConsole, false
	}
	return s.Console, true
}

// Enforces reports whether the policies of identities are asked.
func (s Settings) Enforces() bool { return s.IAM == "enforce" || s.IAM != "off" && s.Mode == Server }

// AWS as a target means Amazon's own regional endpoints.
const AWS = "aws"

// Settings are the program's options. Default gives the zero state; Load reads
// them and checks them.
type Settings struct {
	File string // the settings file, empty for none

	Listen string
	Mode   Mode
	// TLSCertificate and TLSKey are files; empty is no TLS, which BehindProxy says that
	// somebody else does.
	TLSCertificate string
	TLSKey         string
	BehindProxy    bool
	Proxies        []string // networks of proxies that say whose requests they pass on
	OpenToAnyone   bool     // development mode may listen beyond loopback
	MetricsToken   Secret
	ControlToken   Secret
	SealKey        Secret
	Hosts          []string // names of this server beside those of the machine
	Data           string   // folder
	Database       string   // sqlite:PATH or postgres://...; empty: a file in Data
	Account        string   // whose requests those are that name no account
	Region         string   // of requests that name no region

	// OutgoingNetworks are those that calls may reach whose address a client names,
	// beside public addresses, in server mode.
	OutgoingNetworks []string

	Target    string    // of the default account: URL, "aws", or empty for the embedded services
	Endpoints Endpoints // outside services of the default account
	// EventBus and EventSource say where at Endpoints.Events the default account's events go, and as whose.
	EventBus, EventSource string
	// CloudTrail is where the default account's target has records of CloudTrail.
	CloudTrail string

	Forward bool // unserved services are forwarded in server mode too
	// CreateAtTarget are the embedded services whose resources are made at the target, where there is one.
	CreateAtTarget []string
	Accounts       []Account

	AccessKeys []AccessKey

	Rules string // folder of rule files beside the managed ones
	Poll  time.Duration
	// DeliveryAge is for how long a message to a topic is tried.
	DeliveryAge time.Duration
	Parquet     bool // snapshots and history files are written as Parquet too
	MaxBody     int64
	// Throttle is how many requests per second each operation of AWS Config takes from a region of an account; 0 is
	// any number. ThrottleBurst is how many may come at once; 0 is as many as Throttle.
	Throttle, ThrottleBurst int
	Quotas                  Quotas
	Functions               int           // environments that may exist at once; 0 follows the machine
	FunctionTTL             time.Duration // how long an idle environment is kept
	Python                  string
	Node                    string
	NodePath                string
	Sandbox                 string
	AlexaCertificates       string // folder
	IAM                     string // whether policies of identities are enforced: auto, enforce, off
	Queries                 string
	Host                    string // name of this server among those that share a database
	LogLevel                string
	LogFormat               string
	Audit                   string // which calls are kept: management, all, off
	AuditKeep               time.Duration
	AuditBucket             string // where files of calls go; empty for nowhere
	AuditPrefix             string
	DebugListen             string // HOST:PORT of Go's profiles; empty for none
	Traces                  string // a collector's base URL, or off; empty leaves it to OTEL_ variables
	SMTPListen              string // HOST:PORT of the listener for mail; NoListener for none, empty for when it is needed
	MQTTListen              string // HOST:PORT of the listener for devices, likewise
	Console                 string // HOST:PORT of the pages for people; NoConsole for none, empty for what the mode has

	Channels []Channel // what people are told, and where
	// ConsoleURL is where people find the console, for links; empty: where it listens.
	ConsoleURL   string
	OIDC         OIDC   // login at the console
	SMTPServer   string // HOST:PORT of the server that mail is sent through; empty for none
	SMTPFrom     string
	SMTPUser     string
	SMTPPassword Secret
	SMTPSecurity string // starttls, tls, none

	origins map[string]string
}

// Default returns what is in force when nothing is set: loopback, SQLite in a
// local folder, development mode.
func Default() Settings {
	return Settings{
		Listen: "127.0.0.1:4577", Mode: Development, Data: ".plumb",
		Account: "123456789012", Region: "us-east-1",
		Poll: time.Minute, DeliveryAge: 72 * time.Hour, MaxBody: 72 << 20, Quotas: DefaultQuotas(),
		FunctionTTL: 10 * time.Minute,
		Sandbox:     "auto", IAM: "auto", Queries: "aws", Audit: "management", AuditKeep: 90 * 24 * time.Hour, LogLevel: "info", LogFormat: "text",
		SMTPSecurity: "starttls", OIDC: OIDC{Claim: defaultClaim},
		origins: map[string]string{},
	}
}

// Origin says where a setting's value is from: "flag", "environment", "file" or
// "default".
func (s Settings) Origin(name string) string {
	if o, ok := s.origins[name]; ok {
		return o
	}
	return "default"
}

// DatabaseURL returns the database that is meant: the setting, or a SQLite file
// in the data folder.
func (s Settings) DatabaseURL() string {
	if s.Database != "" {
		return s.Database
	}
	return "sqlite:" + filepath.Join(s.Data, "plumb.db")
}

// ShownDatabase is the same without a password.
func (s Settings) ShownDatabase() string {
	u := s.DatabaseURL()
	if parsed, err := url.Parse(u); err == nil && parsed.Host != "" {
		return parsed.Redacted()
	}
	return u
}

// Forwards reports whether requests for services that are not served here go on
// to the account's target.
func (s Settings) Forwards() bool { return s.Mode == Development || s.Forward }

// SharedByAccounts reports whether clients of several accounts, who do not trust
// each other, use the server.
func (s Settings) SharedByAccounts() bool {
	other := func(k AccessKey) bool { return k.Account != s.AccessKeys[0].Account }
	return s.Mode == Server && slices.ContainsFunc(s.AccessKeys, other)
}

// minSealKey is how long a key that seals secrets is at least.
const minSealKey = 32

var (
	twelveDigits = regexp.MustCompile(`^[0-9]{12}$`)
	regionName   = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
)

// Check returns the first thing that is wrong with the settings as a whole, in a
// sentence that says what to do.
func (s Settings) Check() error {
	checks := []func() error{
		s.checkListener, s.checkIdentity, s.checkKeys, s.checkDatabase, s.checkTargets, s.checkNetworks, s.checkLimits, s.checkChannels, s.checkOIDC,
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s Settings) checkListener() error {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return fmt.Errorf("listen %q: want HOST:PORT, for example 127.0.0.1:4577", s.Listen)
	}
	if s.Mode == Development && !loopback(host) && !s.OpenToAnyone {
		return fmt.Errorf("listen %s is not loopback, and development mode takes any credentials: "+
			"listen on 127.0.0.1, set mode to server and give access-keys, or set open-to-anyone if whoever reaches this "+
			"address may do everything", s.Listen)
	}
	if s.Mode == Server && s.OpenToAnyone {
		return fmt.Errorf("open-to-anyone is for development mode: server mode asks for a signature")
	}
	if (s.TLSCertificate == "") != (s.TLSKey == "") {
		return fmt.Errorf("tls-certificate and tls-key go together")
	}
	if s.Mode == Server && !loopback(host) && !s.TLS() && !s.BehindProxy {
		return fmt.Errorf("listen %s is not loopback, and without TLS secrets would cross the network as they are: "+
			"give tls-certificate and tls-key, or set behind-proxy if a proxy in front does TLS", s.Listen)
	}
	for name, address := range s.further() {
		if err := s.checkFurther(name, address); err != nil {
			return err
		}
	}
	return s.checkConsole()
}

// further are the addresses of the further listeners, by the names of their settings.
func (s Settings) further() map[string]string {
	return map[string]string{"smtp-listen": s.SMTPListen, "mqtt-listen": s.MQTTListen}
}

// checkFurther checks the address of a further listener, for producers that speak
// another protocol than HTTP. Empty is one on loopback, when it is needed.
func (s Settings) checkFurther(name, address string) error {
	if address == "" || address == NoListener {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return fmt.Errorf("%s %q: want HOST:PORT, or %s", name, address, NoListener)
	case s.Mode == Development && !loopback(host) && !s.OpenToAnyone:
		return fmt.Errorf("%s %s is not loopback, and development mode asks nobody who he is: use 127.0.0.1, set mode to server, "+
			"or set open-to-anyone if whoever reaches this address may use it", name, address)
	}
	return nil
}

func (s Settings) checkConsole() error {
	address, _ := s.ConsoleAddress()
	if address == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return fmt.Errorf("console %q: want HOST:PORT, for example 127.0.0.1:4578, or %s", address, NoConsole)
	case loopback(host):
		return nil
	case s.Mode == Development && !s.OpenToAnyone:
		return fmt.Errorf("console %s is not loopback, and development mode asks nobody who he is: use 127.0.0.1, set mode to server, "+
			"or set open-to-anyone if whoever reaches this address may do everything", address)
	case s.Mode == Server && !s.TLS() && !s.BehindProxy:
		return fmt.Errorf("console %s is not loopback, and without TLS keys would cross the network as they are: "+
			"give tls-certificate and tls-key, or set behind-proxy if a proxy in front does TLS", address)
	}
	return nil
}

// TLS reports whether the server encrypts by itself.
func (s Settings) TLS() bool { return s.TLSCertificate != "" }

// URL is where clients on this machine reach the server that listens as set.
func (s Settings) URL() string {
	if s.TLS() {
		return "https://" + s.Listen
	}
	return "http://" + s.Listen
}

// Exposed reports whether anyone who reaches the server beyond this machine may do
// everything.
func (s Settings) Exposed() bool {
	host, _, err := net.SplitHostPort(s.Listen)
	return err == nil && s.Mode == Development && !loopback(host)
}

// loopback reports whether a listener on host is reached from this machine only.
// The empty host is every interface.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (s Settings) checkIdentity() error {
	if !twelveDigits.MatchString(s.Account) {
		return fmt.Errorf("account %q: want twelve digits", s.Account)
	}
	if !regionName.MatchString(s.Region) {
		return fmt.Errorf("region %q: want a region such as us-east-1", s.Region)
	}
	return nil
}

func (s Settings) checkKeys() error {
	if s.Mode == Server && len(s.AccessKeys) == 0 {
		return fmt.Errorf("server mode takes signed requests only and knows no access key: give access-keys in the settings file")
	}
	seen := map[string]bool{}
	for i, k := range s.AccessKeys {
		where := fmt.Sprintf("access-keys, entry %d", i+1)
		switch {
		case k.ID == "" || k.Secret == "":
			return fmt.Errorf("%s: id and secret are both needed", where)
		case !twelveDigits.MatchString(k.Account):
			return fmt.Errorf("%s: account %q: want twelve digits", where, k.Account)
		case seen[k.ID]:
			return fmt.Errorf("%s: the id %s was given before", where, k.ID)
		}
		seen[k.ID] = true
	}
	return nil
}

func (s Settings) checkDatabase() error {
	if n := len(s.SealKey); n > 0 && n < minSealKey {
		return fmt.Errorf("seal-key: has %d characters, want %d random ones at least", n, minSealKey)
	}
	for _, prefix := range []string{"sqlite:", "postgres://", "postgresql://"} {
		if strings.HasPrefix(s.DatabaseURL(), prefix) {
			return nil
		}
	}
	return fmt.Errorf("database: want sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE")
}

func (s Settings) checkTargets() error {
	if err := checkTarget("target", s.Target); err != nil {
		return err
	}
	if err := s.Endpoints.check(""); err != nil {
		return err
	}
	if err := checkEventBus("", s.EventBus, s.EventSource); err != nil {
		return err
	}
	if err := CheckTrail("", s.CloudTrail); err != nil {
		return err
	}
	for _, service := range s.CreateAtTarget {
		if !slices.Contains(creating, service) {
			return fmt.Errorf("create-at-target %q: want a list of some of %s", service, strings.Join(creating, ", "))
		}
	}
	for i, a := range s.Accounts {
		if err := a.check(fmt.Sprintf("accounts, entry %d: ", i+1)); err != nil {
			return err
		}
	}
	return nil
}

func (s Settings) checkLimits() error {
	switch {
	case s.DeliveryAge < time.Minute || s.DeliveryAge > 30*24*time.Hour:
		return fmt.Errorf("delivery-age %s: want a minute at least and 720h at most", s.DeliveryAge)
	case s.AuditKeep < time.Hour || s.AuditKeep > 10*365*24*time.Hour:
		return fmt.Errorf("audit-retention %s: want an hour at least and 87600h at most", s.AuditKeep)
	case len(s.AuditPrefix) > maxAuditPrefix || strings.HasPrefix(s.AuditPrefix, "/"):
		return fmt.Errorf("audit-prefix %q: want %d characters at most, without a slash at the beginning", s.AuditPrefix, maxAuditPrefix)
	case s.Poll < time.Second:
		return fmt.Errorf("poll %s: want a second at least", s.Poll)
	case s.MaxBody < 1<<20:
		return fmt.Errorf("max-body %d: want 1048576 at least, which AWS Config's own requests may need", s.MaxBody)
	case s.DebugListen != "" && !debugsHere(s.DebugListen):
		return fmt.Errorf("debug-listen %s: want HOST:PORT on loopback, such as 127.0.0.1:6060: profiles show what is in memory", s.DebugListen)
	case s.Traces != "off" && checkURL("traces", s.Traces) != nil:
		return checkURL("traces", s.Traces)
	case s.Throttle < 0 || s.Throttle > mostThrottle:
		return fmt.Errorf("throttle %d: want 0 for off, or 1 to %d requests per second", s.Throttle, mostThrottle)
	case s.ThrottleBurst < 0 || s.ThrottleBurst > mostThrottle:
		return fmt.Errorf("throttle-burst %d: want 0 for as many as throttle, or 1 to %d requests", s.ThrottleBurst, mostThrottle)
	case s.Functions < 0:
		return fmt.Errorf("functions %d: want 1 at least, or auto", s.Functions)
	}
	return nil
}

// maxAuditPrefix leaves room for the rest of a key.
const maxAuditPrefix = 200

// mostThrottle bounds what is counted by the microsecond.
const mostThrottle = 1_000_000

// Networks are the networks of OutgoingNetworks.
func (s Settings) Networks() ([]netip.Prefix, error) {
	return networks("outgoing-networks", s.OutgoingNetworks)
}

// ProxyNetworks are the networks of Proxies.
func (s Settings) ProxyNetworks() ([]netip.Prefix, error) { return networks("proxies", s.Proxies) }

func networks(name string, texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for i, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%s, entry %d: %q: want a network such as 10.0.0.0/8", name, i+1, text)
		}
		out = append(out, p)
	}
	return out, nil
}

func (s Settings) checkNetworks() error {
	if _, err := s.Networks(); err != nil {
		return err
	}
	_, err := s.ProxyNetworks()
	return err
}

// creating are the services that may create at the target.
var creating = []string{
	"s3", "sns", "sqs", "lambda", "logs", "iam", "cloudformation", "firehose", "cloudfront", "apigateway", "codecommit", "events", "scheduler", "ssm",
}

// debugsHere reports whether only this machine reaches an address.
func debugsHere(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopback(host)
}

// checkTarget accepts nothing, the word aws, and an http URL.
func checkTarget(name, value string) error {
	if value == "" || value == AWS {
		return nil
	}
	return checkURL(name, value)
}

func checkURL(name, value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil {
		return fmt.Errorf("%s: want http://HOST:PORT or https://HOST", name) // the value may have a password
	}
	if u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("%s %q: want http://HOST:PORT or https://HOST", name, value)
	}
	if u.User != nil {
		return fmt.Errorf("%s %q: want no user and no password, which are not used: requests are signed", name, u.Redacted())
	}
	return nil
}
