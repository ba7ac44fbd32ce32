package lambda

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
)

// Latest is the version that can be changed.
const Latest = "$LATEST"

// ResourceType is how AWS Config calls a function.
const ResourceType = "AWS::Lambda::Function"

// A Function is one version of a function: Latest, or a published one, which
// never changes.
type Function struct {
	config.Place
	Name    string
	Version string
	Settings
	CodeSHA  string // of the zip, SHA-256 in hexadecimal
	CodeSize int64
	Revision string
	Modified time.Time

	// Of the function as a whole; on Latest only.
	Tags     map[string]string
	Reserved *int // reserved concurrency

	lastVersion int64
}

// Settings are what a version is run with, and what AWS has it say about itself.
type Settings struct {
	Runtime      string            `json:"runtime"`
	Handler      string            `json:"handler"`
	Role         string            `json:"role"`
	Description  string            `json:"description,omitempty"`
	Timeout      int               `json:"timeout"`   // seconds
	Memory       int               `json:"memory"`    // MiB
	Ephemeral    int               `json:"ephemeral"` // MiB of /tmp
	Environment  map[string]string `json:"environment,omitempty"`
	Architecture string            `json:"architecture"`
	DeadLetter   string            `json:"deadLetter,omitempty"` // ARN of a queue or topic
	Tracing      string            `json:"tracing"`
	KMSKey       string            `json:"kmsKey,omitempty"`
	SnapStart    string            `json:"snapStart"`
	Log          Log               `json:"log"`
	VPC          *VPC              `json:"vpc,omitempty"`
}

// A Log says how a function writes its log. Its levels are set with JSON only.
type Log struct {
	Format      string `json:"format"` // Text or JSON
	Application string `json:"application,omitempty"`
	System      string `json:"system,omitempty"`
	Group       string `json:"group"`
}

// A VPC is kept and shown; functions run where the server runs.
type VPC struct {
	Subnets        []string `json:"subnets,omitempty"`
	SecurityGroups []string `json:"securityGroups,omitempty"`
	IPv6           bool     `json:"ipv6,omitempty"`
}

// Defaults returns what AWS takes for a new function where nothing is set.
func Defaults(name string) Settings {
	return Settings{
		Timeout: 3, Memory: 128, Ephemeral: 512, Architecture: "x86_64", Tracing: "PassThrough", SnapStart: "None",
		Log: Log{Format: "Text", Group: "/aws/lambda/" + name},
	}
}

// ARN returns the function's ARN, without a qualifier.
func (f Function) ARN() string { return Ref{Place: f.Place, Name: f.Name}.ARN() }

// QualifiedARN returns the ARN of the version.
func (f Function) QualifiedARN() string { return f.ARN() + ":" + f.Version }

// Key returns how AWS Config identifies the function.
func (f Function) Key() config.ResourceKey {
	return config.ResourceKey{Place: f.Place, Type: ResourceType, ID: f.Name}
}

// CodeSha256 returns the digest as the API shows it.
func (f Function) CodeSha256() string { return digest(f.CodeSHA) }

// digest turns hexadecimal into the API's base64.
func digest(sha string) string {
	b, _ := hex.DecodeString(sha) // it is our own
	return base64.StdEncoding.EncodeToString(b)
}

// sameAs reports whether publishing f would make a version equal to g.
func (f Function) sameAs(g Function) bool {
	a, _ := json.Marshal(f.Settings)
	b, _ := json.Marshal(g.Settings)
	return f.CodeSHA == g.CodeSHA && string(a) == string(b)
}

// A Ref names a function, or with a qualifier a version or an alias of it.
type Ref struct {
	config.Place
	Name      string
	Qualifier string
}

// ARN returns the ARN, with the qualifier if there is one.
func (r Ref) ARN() string {
	s := arn.New("lambda", r.Region, r.Account, "function:"+r.Name).String()
	if r.Qualifier != "" {
		s += ":" + r.Qualifier
	}
	return s
}

// unqualified returns the function itself.
func (r Ref) unqualified() Ref {
	r.Qualifier = ""
	return r
}

// isVersion reports whether a qualifier is a version's number.
func isVersion(qualifier string) bool {
	return qualifier != "" && strings.Trim(qualifier, "0123456789") == ""
}
