package firehose

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/lambda"
	"plumb/internal/model/firehoseapi"
)

// A Destination is where a stream delivers to, and how. Its JSON is what is kept.
type Destination struct {
	Output
	Plain     bool        `json:"plain,omitempty"` // it was set as S3DestinationConfiguration
	Backup    *Output     `json:"backup,omitempty"`
	Backs     bool        `json:"backs,omitempty"` // the backup is on
	Process   bool        `json:"process,omitempty"`
	Steps     []Processor `json:"steps,omitempty"`
	Extension string      `json:"extension,omitempty"`
	Zone      string      `json:"zone,omitempty"`
}

// An Output is a bucket with the way to write to it.
type Output struct {
	Role        string `json:"role"`
	Bucket      string `json:"bucket"` // ARN
	Prefix      string `json:"prefix,omitempty"`
	ErrorPrefix string `json:"errorPrefix,omitempty"`
	Size        int    `json:"size"`     // MiB
	Interval    int    `json:"interval"` // seconds
	Compression string `json:"compression"`
	Key         string `json:"key,omitempty"` // ARN of a key of KMS
	Logs        bool   `json:"logs,omitempty"`
	LogGroup    string `json:"logGroup,omitempty"`
	LogStream   string `json:"logStream,omitempty"`
}

// A Processor is a step that records go through.
type Processor struct {
	Type       string      `json:"type"`
	Parameters []Parameter `json:"parameters,omitempty"`
}

// A Parameter is one of a processor.
type Parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// What holds where a request says nothing.
const (
	DefaultSize     = 5
	DefaultInterval = 300
	Uncompressed    = "UNCOMPRESSED"
	Gzip            = "GZIP"
)

func invalid(format string, args ...any) error {
	return firehoseapi.InvalidArgumentException(format, args...)
}

// parameter returns the parameter of the first processor of a type.
func (d Destination) parameter(kind, name string) string {
	for _, p := range d.Steps {
		if p.Type != kind {
			continue
		}
		for _, v := range p.Parameters {
			if v.Name == name {
				return v.Value
			}
		}
	}
	return ""
}

// function is the ARN of the function that transforms records; empty for none.
func (d Destination) function() string {
	if !d.Process {
		return ""
	}
	return d.parameter("Lambda", "LambdaArn")
}

func (d Destination) retries() int {
	if n, err := strconv.Atoi(d.parameter("Lambda", "NumberOfRetries")); err == nil {
		return n
	}
	return 3
}

// delimiter is what is written after each record.
func (d Destination) delimiter() string {
	if !d.Process || !slices.ContainsFunc(d.Steps, func(p Processor) bool { return p.Type == "AppendDelimiterToRecord" }) {
		return ""
	}
	if v := d.parameter("AppendDelimiterToRecord", "Delimiter"); v != "" {
		return strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t").Replace(v)
	}
	return "\n"
}

// A kind says what a buffer is for.
const (
	toProcess = "process" // records for the function
	toDeliver = "deliver"
	toBackUp  = "backup" // records as they were put
	failed    = "failed" // what the function did not take, as lines that say why
)

// hints returns when a buffer of a kind is full: its bytes, and how long it waits.
func (d Destination) hints(kind string) (size int, wait time.Duration) {
	o := d.Output
	switch kind {
	case toProcess:
		mib, err := strconv.ParseFloat(d.parameter("Lambda", "BufferSizeInMBs"), 64)
		if err != nil {
			mib = 1
		}
		seconds, err := strconv.Atoi(d.parameter("Lambda", "BufferIntervalInSeconds"))
		if err != nil {
			seconds = 60
		}
		return int(mib * (1 << 20)), time.Duration(seconds) * time.Second
	case toBackUp:
		if d.Backup != nil {
			o = *d.Backup
		}
	}
	return o.Size << 20, time.Duration(o.Interval) * time.Second
}

// Check returns Firehose's answer to a destination that cannot be.
func (d Destination) Check(p config.Place) error {
	if err := d.Output.check(); err != nil {
		return err
	}
	if d.Backs {
		if d.Backup == nil {
			return invalid("S3BackupConfiguration must be specified when S3BackupMode is Enabled")
		}
		if err := d.Backup.check(); err != nil {
			return err
		}
	}
	if d.Extension != "" && (!strings.HasPrefix(d.Extension, ".") || strings.ContainsAny(d.Extension, "/\x00")) {
		return invalid("FileExtension must begin with a dot")
	}
	if _, err := time.LoadLocation(d.Zone); err != nil || d.Zone == "Local" {
		return invalid("CustomTimeZone %s is not a time zone", d.Zone)
	}
	return d.checkSteps(p)
}

func (o Output) check() error {
	a, err := arn.Parse(o.Bucket)
	if err != nil || a.Service != "s3" || a.Resource == "" || strings.Contains(a.Resource, "/") {
		return invalid("BucketARN %s is not the ARN of a bucket", o.Bucket)
	}
	if o.Compression != Uncompressed && o.Compression != Gzip {
		return invalid("CompressionFormat %s is not served here: UNCOMPRESSED and GZIP are", o.Compression)
	}
	if err := checkPrefixes(o.Prefix, o.ErrorPrefix); err != nil {
		return err
	}
	for _, kind := range []string{toDeliver, failed} {
		if n := len(o.prefixOf(kind, time.Time{}, "")); n > maxPrefix {
			return invalid("A prefix must not be longer than %d characters once it is evaluated; this one has %d", maxPrefix, n)
		}
	}
	return nil
}

func (d Destination) checkSteps(p config.Place) error {
	if !d.Process {
		return nil
	}
	seen := map[string]bool{}
	for _, step := range d.Steps {
		if step.Type != "Lambda" && step.Type != "AppendDelimiterToRecord" {
			return invalid("Processor type %s is not served here: Lambda and AppendDelimiterToRecord are", step.Type)
		}
		if seen[step.Type] {
			return invalid("Processor type %s must not be repeated", step.Type)
		}
		seen[step.Type] = true
		for _, v := range step.Parameters {
			if err := checkParameter(p, step.Type, v); err != nil {
				return err
			}
		}
	}
	if seen["Lambda"] && d.function() == "" {
		return invalid("LambdaArn must be specified for the processor type Lambda")
	}
	return nil
}

func checkParameter(p config.Place, kind string, v Parameter) error {
	between := func(low, high float64) error {
		if n, err := strconv.ParseFloat(v.Value, 64); err != nil || n < low || n > high { // NaN is neither
			return invalid("%s must be between %g and %g", v.Name, low, high)
		}
		return nil
	}
	whole := func(low, high int) error {
		if n, err := strconv.Atoi(v.Value); err != nil || n < low || n > high {
			return invalid("%s must be an integer between %d and %d", v.Name, low, high)
		}
		return nil
	}
	switch kind + " " + v.Name {
	case "Lambda LambdaArn":
		r, err := lambda.ParseARN(v.Value)
		if err != nil || r.Region != p.Region {
			return invalid("LambdaArn %s is not the ARN of a function of %s", v.Value, p.Region)
		}
		return nil
	case "Lambda NumberOfRetries":
		return whole(0, 300)
	case "Lambda BufferSizeInMBs":
		return between(0.2, 3)
	case "Lambda BufferIntervalInSeconds":
		return whole(0, 900)
	case "Lambda RoleArn", "AppendDelimiterToRecord Delimiter":
		return nil
	}
	return invalid("Parameter %s is not one of the processor type %s", v.Name, kind)
}

// bucketName returns the name in the ARN of a bucket.
func bucketName(bucketARN string) string {
	a, err := arn.Parse(bucketARN)
	if err != nil {
		return ""
	}
	return a.Resource
}
