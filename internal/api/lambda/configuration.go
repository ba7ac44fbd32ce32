package lambda

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

// timestamp is how Lambda writes times in functions.
const timestamp = "2006-01-02T15:04:05.000+0000"

// arnOf is how a version calls itself when it was not asked for by a name.
func arnOf(fn lambda.Function) string {
	if fn.Version == lambda.Latest {
		return fn.ARN()
	}
	return fn.QualifiedARN()
}

// configuration is a version as a shape, under the ARN by which it was asked
// for.
func configuration(fn lambda.Function, name string) *lambdaapi.FunctionConfiguration {
	c := &lambdaapi.FunctionConfiguration{
		FunctionName: new(fn.Name), FunctionArn: new(name), Version: new(fn.Version), RevisionId: new(fn.Revision),
		Runtime: lambdaapi.Runtime(fn.Runtime), Handler: new(fn.Handler), Role: new(fn.Role), Description: new(fn.Description),
		Timeout: new(int32(fn.Timeout)), MemorySize: new(int32(fn.Memory)), CodeSha256: new(fn.CodeSha256()), CodeSize: new(fn.CodeSize),
		LastModified: new(fn.Modified.UTC().Format(timestamp)), PackageType: "Zip",
		Architectures:        []lambdaapi.Architecture{lambdaapi.Architecture(fn.Architecture)},
		EphemeralStorage:     &lambdaapi.EphemeralStorage{Size: new(int32(fn.Ephemeral))},
		TracingConfig:        &lambdaapi.TracingConfigResponse{Mode: lambdaapi.TracingMode(fn.Tracing)},
		SnapStart:            &lambdaapi.SnapStartResponse{ApplyOn: lambdaapi.SnapStartApplyOn(fn.SnapStart), OptimizationStatus: "Off"},
		RuntimeVersionConfig: &lambdaapi.RuntimeVersionConfig{RuntimeVersionArn: new(runtimeARN(fn))},
		LoggingConfig: &lambdaapi.LoggingConfig{
			LogFormat: lambdaapi.LogFormat(fn.Log.Format), LogGroup: new(fn.Log.Group),
			ApplicationLogLevel: lambdaapi.ApplicationLogLevel(fn.Log.Application), SystemLogLevel: lambdaapi.SystemLogLevel(fn.Log.System),
		},
		KMSKeyArn: optional(fn.KMSKey),
		State:     "Active", LastUpdateStatus: "Successful",
	}
	if fn.Environment != nil {
		c.Environment = &lambdaapi.EnvironmentResponse{Variables: fn.Environment}
	}
	if fn.DeadLetter != "" {
		c.DeadLetterConfig = &lambdaapi.DeadLetterConfig{TargetArn: new(fn.DeadLetter)}
	}
	if fn.VPC != nil {
		c.VpcConfig = &lambdaapi.VpcConfigResponse{
			SubnetIds: fn.VPC.Subnets, SecurityGroupIds: fn.VPC.SecurityGroups, VpcId: new(""), Ipv6AllowedForDualStack: new(fn.VPC.IPv6),
		}
	}
	return c
}

// runtimeARN names the runtime's build. AWS's are not known; this one is the
// same for one runtime.
func runtimeARN(fn lambda.Function) string {
	sum := sha256.Sum256([]byte(fn.Runtime))
	return arn.New("lambda", fn.Region, "", "runtime:"+hex.EncodeToString(sum[:])).String()
}

// listed leaves out what lists do not say.
func listed(c *lambdaapi.FunctionConfiguration) *lambdaapi.FunctionConfiguration {
	c.State, c.LastUpdateStatus, c.RuntimeVersionConfig = "", "", nil
	return c
}

// settings are the members that creation and update have in common; nil says
// nothing.
type settings struct {
	Runtime                    lambdaapi.Runtime
	Handler, Role, Description *string
	Timeout, MemorySize        *int32
	Ephemeral                  *lambdaapi.EphemeralStorage
	Environment                *lambdaapi.Environment
	DeadLetter                 *lambdaapi.DeadLetterConfig
	Tracing                    *lambdaapi.TracingConfig
	KMSKey                     *string
	SnapStart                  *lambdaapi.SnapStart
	Logging                    *lambdaapi.LoggingConfig
	VPC                        *lambdaapi.VpcConfig
	Layers                     []string
	FileSystems                []lambdaapi.FileSystemConfig
	Architectures              []lambdaapi.Architecture
}

func settingsOf(in *lambdaapi.CreateFunctionInput) settings {
	return settings{
		Runtime: in.Runtime, Handler: in.Handler, Role: in.Role, Description: in.Description, Timeout: in.Timeout, MemorySize: in.MemorySize,
		Ephemeral: in.EphemeralStorage, Environment: in.Environment, DeadLetter: in.DeadLetterConfig, Tracing: in.TracingConfig,
		KMSKey: in.KMSKeyArn, SnapStart: in.SnapStart, Logging: in.LoggingConfig, VPC: in.VpcConfig, Layers: in.Layers,
		FileSystems: in.FileSystemConfigs, Architectures: in.Architectures,
	}
}

// apply checks settings and writes them into a function.
func apply(fn *lambda.Function, s settings) error {
	if err := s.check(); err != nil {
		return err
	}
	set(&fn.Handler, s.Handler)
	set(&fn.Role, s.Role)
	set(&fn.Description, s.Description)
	set(&fn.KMSKey, s.KMSKey)
	setNumber(&fn.Timeout, s.Timeout)
	setNumber(&fn.Memory, s.MemorySize)
	if s.Runtime != "" {
		fn.Runtime = string(s.Runtime)
	}
	if s.Ephemeral != nil {
		setNumber(&fn.Ephemeral, s.Ephemeral.Size)
	}
	if s.Environment != nil {
		fn.Environment = nil
		if len(s.Environment.Variables) > 0 {
			fn.Environment = maps.Clone(s.Environment.Variables)
		}
	}
	if s.DeadLetter != nil {
		set(&fn.DeadLetter, s.DeadLetter.TargetArn) // without the member nothing changes
	}
	if s.Tracing != nil && s.Tracing.Mode != "" {
		fn.Tracing = string(s.Tracing.Mode)
	}
	if s.SnapStart != nil && s.SnapStart.ApplyOn != "" {
		fn.SnapStart = string(s.SnapStart.ApplyOn)
	}
	if s.Architectures != nil {
		if err := setArchitecture(fn, s.Architectures); err != nil {
			return err
		}
	}
	setLogging(fn, s.Logging)
	setVPC(fn, s.VPC)
	return nil
}

func set(to *string, from *string) {
	if from != nil {
		*to = *from
	}
}

func setNumber(to *int, from *int32) {
	if from != nil {
		*to = int(*from)
	}
}

// setLogging takes over a logging configuration; JSON has levels, Text has none.
func setLogging(fn *lambda.Function, l *lambdaapi.LoggingConfig) {
	if l == nil {
		return
	}
	log := fn.Log
	if l.LogFormat != "" {
		log.Format = string(l.LogFormat)
	}
	if l.ApplicationLogLevel != "" {
		log.Application = string(l.ApplicationLogLevel)
	}
	if l.SystemLogLevel != "" {
		log.System = string(l.SystemLogLevel)
	}
	if l.LogGroup != nil && *l.LogGroup != "" {
		log.Group = *l.LogGroup
	}
	if log.Format != "JSON" {
		log.Application, log.System = "", ""
	} else {
		log.Application, log.System = orInfo(log.Application), orInfo(log.System)
	}
	fn.Log = log
}

func orInfo(level string) string {
	if level == "" {
		return "INFO"
	}
	return level
}

// setVPC takes over a VPC configuration; an empty one takes it away.
func setVPC(fn *lambda.Function, v *lambdaapi.VpcConfig) {
	switch {
	case v == nil:
	case len(v.SubnetIds) == 0 && len(v.SecurityGroupIds) == 0:
		fn.VPC = nil
	default:
		fn.VPC = &lambda.VPC{Subnets: v.SubnetIds, SecurityGroups: v.SecurityGroupIds, IPv6: value(v.Ipv6AllowedForDualStack)}
	}
}

func setArchitecture(fn *lambda.Function, as []lambdaapi.Architecture) error {
	if len(as) != 1 || as[0] != "x86_64" && as[0] != "arm64" {
		var texts []string
		for _, a := range as {
			texts = append(texts, string(a))
		}
		return model.ValidationException("1 validation error detected: Value '[%s]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]", strings.Join(texts, ", "))
	}
	fn.Architecture = string(as[0])
	return nil
}

// runtimes are the names that this server takes. Names that AWS no longer takes
// are among them: many published rules still say them.
var runtimes = []string{
	"nodejs24.x", "nodejs22.x", "nodejs20.x", "nodejs18.x", "nodejs16.x", "nodejs14.x", "nodejs12.x", "nodejs10.x", "nodejs8.10", "nodejs6.10", "nodejs4.3", "nodejs",
	"python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9", "python3.8", "python3.7", "python3.6",
	"provided.al2023", "provided.al2", "provided",
}

// known at AWS, and not run here.
var notHere = []string{"java", "dotnet", "ruby", "python2", "go1.x"}

var roleARN = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$`)

func (s settings) check() error {
	if s.Role != nil && !roleARN.MatchString(*s.Role) {
		return model.ValidationException("1 validation error detected: Value '%s' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+", *s.Role)
	}
	if err := checkRuntime(string(s.Runtime)); err != nil {
		return err
	}
	for _, n := range []struct {
		name     string
		v        *int32
		low, top int32
	}{{"timeout", s.Timeout, 1, 900}, {"memorySize", s.MemorySize, 128, 10240}, {"ephemeralStorage.size", size(s.Ephemeral), 512, 10240}} {
		if err := between(n.name, n.v, n.low, n.top); err != nil {
			return err
		}
	}
	if len(s.Layers) > 5 {
		return lambdaapi.InvalidParameterValueException("Cannot reference more than 5 layers.")
	}
	if len(s.Layers) > 0 {
		return lambdaapi.InvalidParameterValueException("Layer version %s does not exist: this server has no layers yet.", s.Layers[0])
	}
	if len(s.FileSystems) > 0 {
		return lambdaapi.InvalidParameterValueException("This server has no file systems to mount.")
	}
	return checkEnvironment(s.Environment)
}

func size(e *lambdaapi.EphemeralStorage) *int32 {
	if e == nil {
		return nil
	}
	return e.Size
}

func between(name string, v *int32, low, top int32) error {
	switch {
	case v != nil && *v < low:
		return model.ValidationException("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", *v, name, low)
	case v != nil && *v > top:
		return model.ValidationException("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", *v, name, top)
	}
	return nil
}

func checkRuntime(name string) error {
	if name == "" || slices.Contains(runtimes, name) {
		return nil
	}
	if slices.ContainsFunc(notHere, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
		return lambdaapi.InvalidParameterValueException("The runtime parameter of %s is not supported by this server. It runs functions with a python3, nodejs or provided runtime.", name)
	}
	return lambdaapi.InvalidParameterValueException("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN", name, strings.Join(runtimes, ", "))
}

// reserved are variables that a function gets and cannot set.
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
	"AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

func checkEnvironment(e *lambdaapi.Environment) error {
	if e == nil {
		return nil
	}
	const begin = "Lambda was unable to configure your environment variables because the environment variables you have provided "
	var taken []string
	for _, k := range slices.Sorted(maps.Keys(e.Variables)) {
		if slices.Contains(reserved, k) {
			taken = append(taken, k)
		}
	}
	if len(taken) > 0 {
		return lambdaapi.InvalidParameterValueException(begin+"contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(taken, ", "))
	}
	text, err := json.Marshal(e.Variables)
	if err != nil {
		return err
	}
	if len(text) > 4096 {
		return lambdaapi.InvalidParameterValueException(begin+"exceeded the 4KB limit. String measured: %s", text)
	}
	return nil
}
